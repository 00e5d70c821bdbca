//! The end of a run: its output is fetched and stored before the agent may forget it.
use std::time::Duration;

use slipway_core::id::{Id as _, RunId};
use slipway_proto::v1;
use tonic::Status;
use uuid::Uuid;

use super::output::{self, Output};
use super::progress::{self, Ended, Stored};
use super::{Context, start};
use slipway_proto::agent::AgentHandle;

/// zstd level for stored output; text shrinks tenfold in a few milliseconds.
const LEVEL: i32 = 3;

/// First and longest pause before the end of a run is stored again.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Why the end of a run could not be stored.
#[derive(Debug, thiserror::Error)]
enum FinishError {
    /// The agent does not hand its output out.
    #[error("fetch the output")]
    Fetch(#[source] Status),
    /// The database does not take it.
    #[error("store the end")]
    Store(#[source] sqlx::Error),
}

/// Stores a finished run with its output, then lets the agent forget it. Goes on until that is done, or until another
/// driver has the session: the agent keeps the run for as long, and whoever drives the session next begins anew.
pub async fn finish(context: &Context, agent: &AgentHandle, id: RunId, info: &v1::RunInfo) {
    let mut pause = PAUSE;
    while let Err(error) = try_finish(context, agent, id, info).await {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(run.id = %id, %error, cause, "Cannot finish run {id}; trying again");
        // waits: a database or an agent that is away comes back by itself
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn try_finish(
    context: &Context,
    agent: &AgentHandle,
    id: RunId,
    info: &v1::RunInfo,
) -> Result<(), FinishError> {
    let done = info.state() == v1::run_info::State::Done;
    let fetched = if done {
        match output::fetch(agent, id).await {
            Ok(fetched) => fetched,
            Err(status) if status.code() == tonic::Code::NotFound => Output::default(),
            Err(status) => return Err(FinishError::Fetch(status)),
        }
    } else {
        Output::default()
    };
    let exit = info.exit.clone().unwrap_or_default();
    let limit = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let mut ended = Ended {
        done,
        code: exit.code,
        signal: exit.signal,
        reason: (!exit.reason.is_empty()).then_some(exit.reason),
        started_at: start::started_at(info),
        duration_ms: done.then(|| limit(info.duration_ms)),
        peak_memory_bytes: (info.peak_memory_bytes > 0).then(|| limit(info.peak_memory_bytes)),
        ..Ended::default()
    };
    keep(&mut ended, fetched).await;
    match progress::end(context, id, &ended)
        .await
        .map_err(FinishError::Store)?
    {
        Stored::Now => context.tell(id, if done { "done" } else { "failed" }),
        // Only the agent does not know.
        Stored::Before | Stored::Over => {}
        // Nothing is stored, so the agent must not forget it.
        Stored::LeaseLost => {
            tracing::info!(run.id = %id, "Run {id} ended, which is for another server to store");
            return Ok(());
        }
    }
    let acknowledged = agent
        .agent()
        .acknowledge_run(v1::AcknowledgeRunRequest {
            run_id: id.to_string(),
        })
        .await;
    if let Err(status) = acknowledged {
        tracing::debug!(run.id = %id, %status, "The agent did not hear that run {id} is stored");
    }
    Ok(())
}

/// Stores what the open runs of a session that stops have printed; they end with `reason`.
///
/// # Errors
/// When the database refuses.
pub async fn close_open(
    context: &Context,
    agent: &AgentHandle,
    reason: &str,
) -> Result<(), sqlx::Error> {
    for (id, _) in progress::begun(context).await? {
        // A run that waits for its revision has printed nothing.
        let fetched = output::fetch(agent, id).await.unwrap_or_default();
        let mut ended = Ended {
            reason: Some(reason.to_owned()),
            ..Ended::default()
        };
        keep(&mut ended, fetched).await;
        match progress::end(context, id, &ended).await? {
            Stored::Now => context.tell(id, "failed"),
            Stored::Before | Stored::Over => {}
            Stored::LeaseLost => return Ok(()),
        }
    }
    Ok(())
}

/// Fails the begun runs of a session that its agent does not know, all except `known`.
///
/// # Errors
/// When the database refuses.
pub async fn fail_others(
    context: &Context,
    known: &[RunId],
    reason: &str,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = known.iter().map(|id| id.uuid()).collect();
    for id in progress::fail_others(context, &ids, reason).await? {
        context.tell(id, "failed");
    }
    Ok(())
}

async fn keep(ended: &mut Ended, fetched: Output) {
    ended.output_bytes = i64::try_from(fetched.total_bytes).unwrap_or(i64::MAX);
    ended.output_truncated = fetched.truncated;
    let packed =
        tokio::task::spawn_blocking(move || zstd::encode_all(fetched.bytes.as_slice(), LEVEL))
            .await;
    match packed {
        Ok(Ok(packed)) => ended.output = Some(packed),
        Ok(Err(error)) => tracing::error!(%error, "Cannot compress the output of a run"),
        Err(error) => tracing::error!(%error, "Compressing the output of a run panicked"),
    }
}
