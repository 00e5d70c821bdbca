//! What servers call the workspaces of folders, for commands that work without one otherwise.
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use futures_util::StreamExt as _;
use slipway_client::error::ClientError;
use slipway_client::reconnect::backoff;
use slipway_proto::v1::event::Event;

use super::here::{Here, SignedIn};
use crate::clock;
use crate::folder::{Folder, Remote};
use crate::keep::Kept;

/// Who only wants to see how folders stand is not held up by a server that is away.
const SAID_WITHIN: Duration = Duration::from_secs(2);

/// Asks the servers of these folders, all at once. What none says in time is called as it was.
pub(super) async fn ask(here: &Here, folders: &[Folder]) {
    let remotes = folders.iter().filter_map(|folder| folder.remote.as_ref());
    let servers: BTreeMap<_, _> = remotes
        .map(|remote| (remote.server.as_str(), &remote.server))
        .collect();
    let asked = servers.into_values().map(|server| async {
        if let Ok(signed_in) = here.signed_in_at(server.clone()).await {
            signed_in.workspaces().await.ok();
        }
    });
    let asked = futures_util::future::join_all(asked);
    tokio::time::timeout(SAID_WITHIN, asked).await.ok();
}

/// Hears what the workspace of a folder that is kept is called: with each connection, and whenever it is renamed.
pub(super) async fn hear(signed_in: &SignedIn, kept: &Kept, remote: &Remote) -> Infallible {
    let mut backoff = backoff();
    loop {
        let mut heard = async || {
            let mut events = signed_in.client.subscribe(None).await?;
            while let Some(event) = events.next().await {
                if matches!(event?.event, Some(Event::Workspaces(_))) {
                    let name = signed_in.one(remote.workspace).await?.name;
                    kept.is_now(Folder {
                        name,
                        ..kept.folder()
                    });
                    backoff.worked();
                }
            }
            Ok::<_, ClientError>(())
        };
        // Its files go on without: whoever brings them tells why the server is away.
        heard().await.ok();
        tokio::time::sleep(backoff.after(clock::chance())).await;
    }
}
