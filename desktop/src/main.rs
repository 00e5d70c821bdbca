//! `slipway`: one command, or the window, which is another program.
use std::process::ExitCode;

use slipway_desktop::cli::{self, Asked};
use slipway_desktop::config::Config;

fn main() -> ExitCode {
    let args = match cli::parse() {
        Asked::Command(args) => args,
        Asked::Window(opening, output) => {
            let opened = Config::read().and_then(|config| cli::open(&config, &opening));
            return opened.unwrap_or_else(|error| cli::fail(&error, output));
        }
    };
    let runtime = match cli::runtime(1) {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    let code = ExitCode::from(runtime.block_on(cli::run(*args)));
    // A thread may wait for a line that nobody types any more.
    runtime.shutdown_background();
    code
}
