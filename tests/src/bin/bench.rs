//! Measures Slipway beside its peers: JSON lines, then a table; with `--gate` a missed goal is a failure.
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use slipway_tests::bench::lab::Lab;
use slipway_tests::bench::peer::{Peer, Peers};
use slipway_tests::bench::{
    Row, bulk, chosen, desktop, echo, files, idle, machine, page, resume, stall, start, sync,
    table, tail, tell, tree, unjudged,
};
use slipway_tests::server::Parts;

#[derive(Parser)]
#[command(about = "Measures Slipway beside its peers")]
struct Args {
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    peers: Peers,
    /// The `slipway` program of a person's computer.
    #[arg(long)]
    program: PathBuf,
    /// Where a large installation of packages is kept for `sync-first`; npm fills it once.
    #[arg(long, env = "MODULES", default_value = "/var/tmp/slipway-bench")]
    modules: PathBuf,
    /// One benchmark, or a group: the beginning of some names up to a dash. All without it.
    name: Option<String>,
    /// Ends with failure when a goal is missed.
    #[arg(long)]
    gate: bool,
    /// Fewer samples, for a first look.
    #[arg(long, conflicts_with = "gate")]
    quick: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let chosen = chosen(args.name.as_deref())?;
    say(&machine::line(&args.parts));
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for name in &chosen {
        tell(&format!("measuring {name}"));
        match measure(name, &args).await {
            Ok(measured) => {
                for row in &measured {
                    say(&serde_json::to_string(row)?);
                }
                rows.extend(measured);
            }
            // The others are worth having nevertheless.
            Err(error) => {
                tell(&format!("{name} FAILED: {error:#}"));
                failed.push(name.clone());
            }
        }
    }
    say(&format!("\n{}", table(&rows)));
    say(&machine::line(&args.parts));
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    if args.gate && rows.iter().any(|row| row.met == Some(false)) {
        bail!("a goal was missed");
    }
    let unjudged = unjudged(&chosen, &rows)?;
    if args.gate && !unjudged.is_empty() {
        bail!("not judged, for want of a peer: {}", unjudged.join(", "));
    }
    Ok(())
}

/// A server and peers of its own for each, so that none carries what another left.
async fn measure(name: &str, args: &Args) -> Result<Vec<Row>> {
    let lab = Lab::open(&args.parts).await?;
    let peers = if matches!(name, "echo" | "bulk" | "tail" | "stall" | "resume" | "idle") {
        Peer::start_all(&args.peers).await?
    } else {
        Vec::new()
    };
    let measured = on(name, &lab, &peers, args).await;
    for peer in peers {
        peer.stop().await?;
    }
    lab.close().await?;
    measured
}

async fn on(name: &str, lab: &Lab, peers: &[Peer], args: &Args) -> Result<Vec<Row>> {
    let some = |many: usize| {
        if args.quick { many / 10 + 1 } else { many }
    };
    let window = desktop::Program {
        app: &args.program,
        agent: &args.parts.agent,
    };
    match name {
        "rest" => files::rest(lab).await,
        "write" => files::write(lab, some(200)).await,
        "save" => files::save(lab, some(300)).await,
        "import" => tree::import(lab, &args.peers, some(3)).await,
        "start" => start::start(lab, some(30)).await,
        "echo" => echo::echo(lab, peers, some(5), some(500)).await,
        "bulk" => bulk::bulk(lab, peers, some(5)).await,
        "tail" => tail::tail(lab, peers, some(50)).await,
        "stall" => stall::stall(lab, peers, some(3)).await,
        "resume" => resume::resume(lab, peers, some(100)).await,
        "idle" => idle::idle(lab, peers, some(3)).await,
        "cold" => page::cold(lab, &args.peers, some(5)).await,
        "desktop-start" => desktop::start(&window, some(5)).await,
        "desktop-save" => desktop::save(lab, &window, some(100)).await,
        "desktop-work" => desktop::work(&window, some(3)).await,
        name => match name.strip_prefix("sync-") {
            Some(name) => sync(name, lab, args).await,
            None => bail!("nobody measures {name}"),
        },
    }
}

async fn sync(name: &str, lab: &Lab, args: &Args) -> Result<Vec<Row>> {
    let some = |many: usize, few: usize| if args.quick { few } else { many };
    let field = sync::Field::open(lab, &args.peers, &args.program).await?;
    match name {
        "first" => sync::first::first(&field, &args.modules, some(3, 1)).await,
        "big" => sync::big::big(&field, some(3, 1)).await,
        "checkout" => sync::checkout::checkout(&field, some(3, 1)).await,
        "save" => sync::save::save(&field, some(50, 6)).await,
        "rest" => sync::rest::rest(&field, Duration::from_secs(some(60, 10) as u64)).await,
        "offline" => sync::offline::offline(&field, some(3, 1)).await,
        name => bail!("nobody measures sync-{name}"),
    }
}

#[expect(clippy::print_stdout, reason = "the figures are this program's output")]
fn say(line: &str) {
    println!("{line}");
}
