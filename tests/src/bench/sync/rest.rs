//! 10,000 files in step, and nothing happens.
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::super::process::{Cpu, pss_kib};
use super::super::{Beside, Row, count, figure};
use super::tool::{Kind, Tool};
use super::{Field, material};

/// What came before is over by then.
const SETTLED: Duration = Duration::from_secs(10);

/// Processor time and memory of everybody in the same stretch of time.
///
/// # Errors
/// When ours does not run.
pub async fn rest(field: &Field<'_>, stretch: Duration) -> Result<Vec<Row>> {
    let small = material::small(&field.folder)?;
    let tools = field.keeping(&Kind::LIVE, &small).await?;
    tokio::time::sleep(SETTLED).await; // waits: what is measured is at rest
    field.lab.ensure_alone()?;
    for tool in &tools {
        let ends = tool.engines().len();
        ensure!(
            tool.kind != Kind::Slipway || ends == 2,
            "ours has {ends} engines instead of the program's and the agent's"
        );
    }
    let engines = |tool: &Tool<'_>| Cpu::of(tool.engines());
    let before: Vec<Cpu> = tools.iter().map(engines).collect();
    let whole = tools.iter().map(|tool| Cpu::of(tool.processes()));
    let whole: Vec<Cpu> = whole.collect();
    tokio::time::sleep(stretch).await; // waits: a pace of the workload
    let share = |now: Cpu, before: &Cpu| count(now.us_since(before)) / stretch.as_secs_f64() / 1e4;
    let (mut cpu, mut memory) = (Vec::new(), Vec::new());
    let mut ours = None;
    for ((tool, before), whole) in tools.iter().zip(&before).zip(&whole) {
        let ran = share(engines(tool), before);
        let held = count(pss_kib(tool.engines())?) / 1024.0;
        if tool.kind == Kind::Slipway {
            let all = share(Cpu::of(tool.processes()), whole);
            let all_held = count(pss_kib(tool.processes())?) / 1024.0;
            ours = Some((ran, held, all, all_held));
        } else {
            cpu.push((tool.kind.name().to_owned(), ran));
            memory.push((tool.kind.name().to_owned(), held));
        }
    }
    let (ran, held, all, all_held) = ours.context("invariant: ours is not skipped")?;
    let (cpu, memory): (Beside, Beside) = (cpu, memory);
    let seconds = stretch.as_secs();
    let mut rows = figure(
        "sync_rest_cpu",
        ran,
        format!(
            "10,000 files, {seconds} s, the program and the agent; with server and database {all:.2} %"
        ),
        &cpu,
    )?;
    rows.extend(figure(
        "sync_rest_memory",
        held,
        format!("PSS of the program and the agent; with server and database {all_held:.0} MiB"),
        &memory,
    )?);
    for tool in tools {
        tool.close().await?;
    }
    Ok(rows)
}
