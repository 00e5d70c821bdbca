//! `slipway`: the window, and the command line.
use std::process::ExitCode;

use slipway_desktop::{cli, window};

fn main() -> ExitCode {
    let args = cli::Args::read();
    if args.is_window() {
        return match window::show() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cli::no_window(&error),
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return cli::no_runtime(&error),
    };
    let code = runtime.block_on(cli::run(args));
    // A thread may wait for a line that nobody types any more.
    runtime.shutdown_background();
    ExitCode::from(code)
}
