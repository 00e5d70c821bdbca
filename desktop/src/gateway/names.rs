//! What the server of the page calls the workspaces that have a folder here: asked with each connection, and whenever its
//! list moves.
use std::sync::Arc;

use slipway_api::desktop::ConnectionState;
use slipway_proto::v1;
use slipway_proto::v1::event::Event;
use tokio::sync::broadcast::error::RecvError;

use super::Inner;

/// Hears of every name from now on.
pub(super) fn hear(inner: Arc<Inner>) -> impl Future<Output = ()> + Send {
    let (mut events, mut standing) = (inner.line.events(), inner.line.standing());
    async move {
        let mut stale = false;
        loop {
            tokio::select! {
                heard = events.recv() => match heard {
                    Ok(v1::Event { event: Some(Event::Workspaces(_)) }) | Err(RecvError::Lagged(_)) => {
                        stale = true;
                    }
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
                moved = standing.changed() => if moved.is_err() { return },
            }
            let online = standing.borrow_and_update().state == ConnectionState::Online;
            if stale && online {
                stale = ask(&inner).await.is_none();
            }
        }
    }
}

/// Asks once; `None` when nobody answered.
async fn ask(inner: &Inner) -> Option<()> {
    let server = inner.servers.chosen_if_any()?;
    let client = inner.servers.client(&server).await.ok()?;
    let all = client.workspaces().await.ok()?;
    inner.workspaces.hear_names(&server, &all.workspaces);
    Some(())
}
