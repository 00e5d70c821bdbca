//! Beginning runs on the agent and following them until they end.
use std::collections::HashMap;

use slipway_core::id::RunId;
use slipway_proto::v1;
use slipway_proto::v1::run_info::State;
use time::OffsetDateTime;

use super::store::{self, Ended};
use super::{Context, command};
use crate::session::agent::AgentHandle;

/// Starts every run that waits for the session, and repeats wishes to stop that the agent may not have heard.
///
/// # Errors
/// When the database refuses; what was not started waits on.
pub async fn start_queued(context: &Context, agent: &AgentHandle) -> Result<(), sqlx::Error> {
    for run in store::queued(context).await? {
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
            Ok(_) => {
                if store::go_on(context, run.id, "waiting", None).await? {
                    context.tell(run.id, "waiting");
                }
            }
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
                if store::end(context, run.id, &ended).await? {
                    context.tell(run.id, "failed");
                }
            }
        }
    }
    Ok(())
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
    if store::go_on(context, id, state, started_at(info)).await? {
        context.tell(id, state);
    }
    Ok(())
}

/// When the agent says that the program started; an agent's clock is not trusted beyond what a time can hold.
pub(super) fn started_at(info: &v1::RunInfo) -> Option<OffsetDateTime> {
    (info.started_unix_ms > 0)
        .then(|| i128::from(info.started_unix_ms) * 1_000_000)
        .and_then(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).ok())
}
