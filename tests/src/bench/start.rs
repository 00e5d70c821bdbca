//! From the click on Start until the shell answers.
use anyhow::Result;
use slipway_api::session::SessionState;
use slipway_client::socket::Socket;

use super::lab::Lab;
use super::{Row, Samples, figure, now};

/// Starts sessions of new workspaces.
///
/// # Errors
/// When one does not start.
pub async fn start(lab: &Lab, rounds: usize) -> Result<Vec<Row>> {
    let mut samples = Samples::default();
    for _ in 0..rounds {
        let workspace = lab.workspace().await?;
        let socket = Socket::connect(&lab.client).await?;
        let begin = now();
        lab.client.start_session(workspace.id).await?;
        let session = lab
            .client
            .wait_for_session(&socket, workspace.id, |state| state == SessionState::Ready)
            .await?;
        lab.terminal(&socket, &session).await?;
        samples.since(begin);
        lab.client.stop_session(workspace.id).await?;
        lab.client
            .wait_for_session(&socket, workspace.id, |_| false)
            .await?;
    }
    let detail = format!(
        "{} sessions of new workspaces; until a typed line's output arrived",
        samples.len()
    );
    let mut rows = figure("start_p50", samples.median(), detail.clone(), &[])?;
    rows.extend(figure("start_p95", samples.quantile(0.95), detail, &[])?);
    Ok(rows)
}
