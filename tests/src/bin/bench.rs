//! Measures Slipway beside its peers: JSON lines, then a table; with `--gate` a missed goal is a failure.
use anyhow::{Result, bail};
use clap::Parser;
use slipway_tests::bench::lab::Lab;
use slipway_tests::bench::ttyd::Ttyd;
use slipway_tests::bench::{Row, files, page, terminal};
use slipway_tests::server::Parts;

/// Every benchmark, in the order in which they run.
const NAMES: &[&str] = &[
    "rest", "write", "save", "import", "start", "echo", "bulk", "stall", "resume", "idle", "cold",
];

#[derive(Parser)]
#[command(about = "Measures Slipway beside its peers")]
struct Args {
    #[command(flatten)]
    parts: Parts,
    /// One benchmark; all without it.
    name: Option<String>,
    /// Ends with failure when a goal is missed.
    #[arg(long)]
    gate: bool,
    /// Fewer samples, for a first look.
    #[arg(long)]
    quick: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    if let Some(name) = args.name.as_deref().filter(|name| !NAMES.contains(name)) {
        bail!(
            "there is no benchmark {name}; there are {}",
            NAMES.join(", ")
        );
    }
    let ttyd = Ttyd::start().await?;
    if ttyd.is_none() {
        say("ttyd is not here (PEERS_BIN or PATH): rows beside it are SKIPPED");
    }
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for name in NAMES
        .iter()
        .filter(|name| args.name.as_deref().is_none_or(|wanted| wanted == **name))
    {
        say(&format!("measuring {name}"));
        // A server of its own for each, so that none carries what another left.
        let lab = Lab::open(&args.parts).await?;
        let measured = measure(name, &lab, ttyd.as_ref(), args.quick).await;
        lab.close().await?;
        match measured {
            Ok(measured) => {
                for row in measured {
                    say(&serde_json::to_string(&row)?);
                    rows.push(row);
                }
            }
            // The others are worth having nevertheless.
            Err(error) => {
                say(&format!("{name} FAILED: {error:#}"));
                failed.push(*name);
            }
        }
    }
    table(&rows);
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    if args.gate && rows.iter().any(|row| row.met == Some(false)) {
        bail!("a goal was missed");
    }
    Ok(())
}

async fn measure(name: &str, lab: &Lab, ttyd: Option<&Ttyd>, quick: bool) -> Result<Vec<Row>> {
    let some = |many: usize| if quick { many / 10 + 1 } else { many };
    match name {
        "rest" => files::rest(lab),
        "write" => files::write(lab, some(200)).await,
        "save" => files::save(lab, some(300)).await,
        "import" => files::import(lab).await,
        "start" => terminal::start(lab, some(30)).await,
        "echo" => terminal::echo(lab, ttyd, some(5), some(500)).await,
        "bulk" => terminal::bulk(lab, ttyd, some(4)).await,
        "stall" => terminal::stall(lab).await,
        "cold" => page::cold(lab, some(5)).await,
        "resume" => terminal::resume(lab, some(100)).await,
        _ => terminal::idle(lab).await,
    }
}

fn table(rows: &[Row]) {
    say("\n| figure | measured | goal | met | beside | how |\n|---|---|---|---|---|---|");
    for row in rows {
        let met = match row.met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        let peer = match (&row.peer, row.peer_value) {
            (Some(peer), Some(value)) => format!("{peer} {value:.3}"),
            _ => String::new(),
        };
        say(&format!(
            "| {} | {:.3} {} | {} | {met} | {peer} | {} |",
            row.name, row.value, row.unit, row.goal, row.detail
        ));
    }
}

#[expect(clippy::print_stdout, reason = "the figures are this program's output")]
fn say(line: &str) {
    println!("{line}");
}
