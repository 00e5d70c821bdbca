//! Beginning runs on the agent and following them until they end.
use std::collections::HashMap;

use slipway_core::id::RunId;
use slipway_proto::v1;
use slipway_proto::v1::run_info::State;
use time::OffsetDateTime;

use super::progress::{self, Ended, Stored};
use super::{Context, command};
use slipway_proto::agent::AgentHandle;

/// Wishes until an agent kills.
const STOP_STEPS: usize = 3;

/// Starts every run that waits for the session. One that was stopped while the agent took it ends at once.
///
/// # Errors
/// When the database refuses; what was not started waits on.
pub async fn start_queued(context: &Context, agent: &AgentHandle) -> Result<(), sqlx::Error> {
    for run in progress::queued(context).await? {
        let request = v1::StartRunRequest {
            run_id: run.id.to_string(),
            command: command::argv(&run.command),
            cwd: String::new(),
            revision: run.revision,
            cols: run.cols,
            rows: run.rows,
            env: HashMap::new(),
        };
        match agent.agent().start_run(request).await {
            Ok(_) => match progress::go_on(context, run.id, "waiting", None).await? {
                Stored::Now => context.tell(run.id, "waiting"),
                Stored::Before => {}
                Stored::Over => end_at_once(agent, run.id).await,
                // Whoever has it now hears of the run from the agent.
                Stored::LeaseLost => return Ok(()),
            },
            Err(status) if is_transient(&status) => {
                // The connection broke; the next one starts it.
                tracing::info!(run.id = %run.id, %status, "Run {} could not be handed to the agent", run.id);
                return Ok(());
            }
            Err(status) => {
                let ended = Ended {
                    reason: Some(status.message().to_owned()),
                    ..Ended::default()
                };
                match progress::end(context, run.id, &ended).await? {
                    Stored::Now => context.tell(run.id, "failed"),
                    Stored::Before | Stored::Over => {}
                    Stored::LeaseLost => return Ok(()),
                }
            }
        }
    }
    Ok(())
}

/// Repeats wishes to stop that the agent may not have heard.
///
/// # Errors
/// When the database refuses.
pub async fn repeat_stops(context: &Context, agent: &AgentHandle) -> Result<(), sqlx::Error> {
    for (id, stop_wished) in progress::begun(context).await? {
        if stop_wished {
            stop(agent, id).await;
        }
    }
    Ok(())
}

/// Takes all steps of a stop: each further wish is followed by the next harder signal.
async fn end_at_once(agent: &AgentHandle, id: RunId) {
    for _ in 0..STOP_STEPS {
        stop(agent, id).await;
    }
}

async fn stop(agent: &AgentHandle, id: RunId) {
    let request = v1::StopRunRequest {
        run_id: id.to_string(),
    };
    if let Err(status) = agent.agent().stop_run(request).await {
        // The next connection repeats it.
        tracing::info!(run.id = %id, %status, "The agent did not hear that run {id} shall stop");
    }
}

fn is_transient(status: &tonic::Status) -> bool {
    matches!(
        status.code(),
        tonic::Code::Unavailable | tonic::Code::Cancelled | tonic::Code::Unknown
    )
}

/// Stores that a run went on.
///
/// # Errors
/// When the database refuses.
pub async fn moved(context: &Context, id: RunId, info: &v1::RunInfo) -> Result<(), sqlx::Error> {
    let state = match info.state() {
        State::Waiting => "waiting",
        State::Running => "running",
        State::Flushing => "flushing",
        State::Unspecified | State::Done | State::Failed => return Ok(()),
    };
    match progress::go_on(context, id, state, started_at(info)).await? {
        Stored::Now => context.tell(id, state),
        Stored::Before | Stored::Over | Stored::LeaseLost => {}
    }
    Ok(())
}

/// When the agent says that the program started; an agent's clock is not trusted beyond what a time can hold.
pub(super) fn started_at(info: &v1::RunInfo) -> Option<OffsetDateTime> {
    (info.started_unix_ms > 0)
        .then(|| i128::from(info.started_unix_ms) * 1_000_000)
        .and_then(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).ok())
}
