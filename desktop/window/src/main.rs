//! `slipway-window`: the window of the desktop program. `slipway` becomes this program when a window is asked for.
use std::process::ExitCode;

use slipway_desktop::cli;
use slipway_desktop::config::Config;
use slipway_desktop::opening::Opening;
use slipway_desktop::output::Output;

mod window;

use window::{After, graphics};

fn main() -> ExitCode {
    let opening = Opening::read();
    draw_as_told(&opening);
    let runtime = match cli::runtime(2) {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    let opened = Config::read().and_then(|config| window::open(config, opening, &runtime));
    let code = match opened {
        Ok(After::Leave) => ExitCode::SUCCESS,
        Ok(After::Again(arguments)) => cli::begin_again(&arguments),
        Err(error) => cli::fail(&error, Output::new(false)),
    };
    // A thread may wait for the answer of a dialog that nobody sees any more.
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
    let on_x = std::env::var_os("WAYLAND_DISPLAY").is_none_or(|display| display.is_empty());
    for (name, value) in graphics::settings(opening.safe || kept, on_x, is_set) {
        unsafe { std::env::set_var(name, value) };
    }
}
