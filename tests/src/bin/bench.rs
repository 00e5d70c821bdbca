//! Measures Slipway beside its peers: JSON lines, then a table; with `--gate` a missed goal is a failure.
use anyhow::{Result, bail};
use clap::Parser;
use slipway_tests::bench::lab::Lab;
use slipway_tests::bench::peer::{Peer, Peers};
use slipway_tests::bench::{
    Row, bulk, echo, files, idle, machine, page, resume, stall, start, table, tail, tell, tree,
    unjudged,
};
use slipway_tests::server::Parts;

/// Every benchmark, in the order in which they run.
const NAMES: &[&str] = &[
    "rest", "write", "save", "import", "start", "echo", "bulk", "tail", "stall", "resume", "idle",
    "cold",
];

#[derive(Parser)]
#[command(about = "Measures Slipway beside its peers")]
struct Args {
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    peers: Peers,
    /// One benchmark; all without it.
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
    let wanted = args.name.as_deref();
    if let Some(name) = wanted.filter(|name| !NAMES.contains(name)) {
        let names = NAMES.join(", ");
        bail!("there is no benchmark {name}; there are {names}");
    }
    let chosen: Vec<&str> = NAMES
        .iter()
        .copied()
        .filter(|name| wanted.is_none_or(|one| one == *name))
        .collect();
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
                failed.push(*name);
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
        _ => page::cold(lab, &args.peers, some(5)).await,
    }
}

#[expect(clippy::print_stdout, reason = "the figures are this program's output")]
fn say(line: &str) {
    println!("{line}");
}
