//! `slipway`: the window, or one command.
use std::process::ExitCode;

use slipway_desktop::cli::{self, Asked};
use slipway_desktop::config::Config;
use slipway_desktop::window::{self, After, Opening, graphics};

fn main() -> ExitCode {
    let asked = cli::parse();
    if let Asked::Window(opening) = &asked {
        draw_as_told(opening);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return cli::no_runtime(&error),
    };
    let code = match asked {
        Asked::Command(args) => ExitCode::from(runtime.block_on(cli::run(*args))),
        Asked::Window(opening) => {
            let opened = Config::read().and_then(|config| window::open(config, opening, &runtime));
            match opened {
                Ok(After::Leave) => ExitCode::SUCCESS,
                Ok(After::Again(arguments)) => cli::begin_again(&arguments),
                Err(error) => cli::fail(&error),
            }
        }
    };
    // A thread may wait for a line that nobody types any more.
    runtime.shutdown_background();
    code
}

/// Tells the web view how to draw, which it reads from the environment.
#[expect(
    unsafe_code,
    clippy::disallowed_methods,
    reason = "no other thread has been started yet that could read the environment meanwhile"
)]
fn draw_as_told(opening: &Opening) {
    // A home that is missing is told of when the window is opened.
    let kept = Config::read().is_ok_and(|config| graphics::is_kept_safe(&config.state));
    let is_set = |name: &str| std::env::var_os(name).is_some();
    for (name, value) in graphics::settings(opening.safe || kept, is_set) {
        unsafe { std::env::set_var(name, value) };
    }
}
