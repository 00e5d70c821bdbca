//! `slipway-server`: serves, or tells how it would.
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use slipway_backend::config::Config;
use slipway_backend::{doctor, serve, telemetry};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
#[command(
    name = "slipway-server",
    version,
    about = "Slipway's server: workspaces, sessions and the web interface on one port"
)]
struct Args {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Serves; the default.
    Serve,
    /// Looks whether this machine has what a server needs, and says what to do if not.
    Doctor,
    /// Prints the effective settings, secrets left out.
    Config,
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks to people"
)]
async fn main() -> ExitCode {
    let Args { config, task } = Args::parse();
    let config = config.absolute();
    let done = match task.unwrap_or(Task::Serve) {
        Task::Serve => start(config).await,
        Task::Doctor => {
            let report = doctor::examine(&config).await;
            println!("{report}");
            return if report.is_well() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
        }
        Task::Config => {
            println!("{}", config.describe());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the address is for people, and for programs that wait for it"
)]
async fn start(config: Config) -> anyhow::Result<()> {
    telemetry::log(&config)?;
    allow_open_files();
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let stop = CancellationToken::new();
    tokio::spawn(until_told(stop.clone()));
    let listener = serve::listen(&config).await?;
    let address = config
        .public_url
        .clone()
        .unwrap_or(format!("http://{}", listener.local_addr()?));
    serve::serve(config, listener, stop, move || {
        println!("Slipway is ready at {address}");
    })
    .await?;
    Ok(())
}

/// Takes as many open files as the system lets this program have: each connection is one, and what a shell hands down
/// by default is for a program with few.
fn allow_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // With what there is, fewer connections are taken, which is said.
    setrlimit(Resource::Nofile, limit).ok();
}

/// The first signal asks for a graceful stop, the second ends the process at once.
async fn until_told(stop: CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    for times in 0.. {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if times > 0 {
            std::process::exit(130);
        }
        tracing::info!("Stopping; a second signal ends at once");
        stop.cancel();
    }
}
