//! `cargo xtask`: everything that is done to this repository, in one place and in one language.
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod build;
mod bundle;
mod codegen;
mod image;
mod registries;
mod run;
mod setup;
mod sim;
mod smoke;
mod sql;
mod step;
mod test;
mod tidy;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Builds, runs, tests and measures Slipway"
)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs the Debian packages that are missing, or prints the one command that does.
    Setup,
    /// Builds everything and starts the server with its own Postgres and sandbox, and the app where there is a display.
    Run {
        /// Debug build: starts sooner after a change, runs slower.
        #[arg(long)]
        debug: bool,
        /// No app, even where there is a display.
        #[arg(long)]
        server_only: bool,
        /// Passed on to slipway-server; see `cargo xtask run -- --help`.
        #[arg(last = true)]
        server_args: Vec<String>,
    },
    /// Runs every check and every test; ends with one line over all of them.
    Test {
        /// Only these suites: tidy, ui, rust, sim, browser, desktop, smoke, package. All without it.
        suites: Vec<String>,
    },
    /// Measures speed and memory beside the peers that are installed.
    Bench {
        /// One benchmark; all without it.
        name: Option<String>,
        /// Ends with failure when a goal is missed.
        #[arg(long)]
        gate: bool,
        /// Passed on to the benchmark program.
        #[arg(last = true)]
        bench_args: Vec<String>,
    },
    /// Makes packages of the desktop program: .deb and .rpm.
    Bundle {
        /// Of a debug build.
        #[arg(long)]
        debug: bool,
    },
    /// The whole journey through the public API on a throw-away data directory.
    Smoke {
        /// Use a debug build.
        #[arg(long)]
        debug: bool,
    },
    /// Builds the execution image when its lists have changed.
    Image {
        /// Only print where it is.
        #[arg(long)]
        print: bool,
        /// Build it even if it is there.
        #[arg(long)]
        force: bool,
    },
    /// Generates TypeScript from the REST types and the wire schema.
    Codegen {
        /// Fail when what is committed differs.
        #[arg(long)]
        check: bool,
    },
    /// Checks every SQL statement against a real Postgres and records it for builds without one.
    Sql {
        /// Fail when what is committed differs.
        #[arg(long)]
        check: bool,
    },
    /// Plays simulated worlds of sync: crashes, lost events, hostile programs, restored hubs. A failure tells its shortest story.
    Sim {
        /// How many worlds; 1,000 if not said, 1 with `--calls`.
        #[arg(long)]
        seeds: Option<u64>,
        /// The first of them.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// One world again, by the tape that its failure named.
        #[arg(long)]
        tape: Option<String>,
        /// Counts failures by invariant instead of telling the first.
        #[arg(long)]
        survey: bool,
        /// Plays short worlds once for every call of an engine, with everything that can happen before it.
        #[arg(long)]
        calls: bool,
        /// Plants known bugs one after another, and fails when one is not found.
        #[arg(long)]
        planted: bool,
    },
    /// Checks layers, names, sizes, licences and borders.
    Tidy,
}

fn main() -> ExitCode {
    let result = match Args::parse().task {
        Task::Setup => setup::install(setup::Needs::Everything),
        Task::Run {
            debug,
            server_only,
            server_args,
        } => run::run(debug, server_only, &server_args),
        Task::Test { suites } => test::run(&suites),
        Task::Bench {
            name,
            gate,
            bench_args,
        } => bench::run(name.as_deref(), gate, &bench_args),
        Task::Bundle { debug } => bundle::run(debug),
        Task::Smoke { debug } => smoke::run(debug),
        Task::Image { print, force } => image::run(print, force),
        Task::Codegen { check } => codegen::run(check),
        Task::Sql { check } => sql::run(check),
        Task::Sim {
            seeds,
            seed,
            tape,
            survey,
            calls,
            planted,
        } => {
            let seeds = seeds.unwrap_or(if calls { 1 } else { 1_000 });
            let mut args = vec![format!("--seeds={seeds}"), format!("--seed={seed}")];
            args.extend(tape.map(|tape| format!("--tape={tape}")));
            args.extend(survey.then(|| "--survey".to_owned()));
            args.extend(calls.then(|| "--calls".to_owned()));
            args.extend(planted.then(|| "--planted".to_owned()));
            sim::run(&args)
        }
        Task::Tidy => tidy::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
