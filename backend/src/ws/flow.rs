//! What the streams of a socket carry: a terminal of a session, or events.
use slipway_core::id::{SessionId, WorkspaceId};
use slipway_proto::v1;

use super::stream::{Flow, Opened};
use crate::event::subscription;
use crate::http::extract::SignedIn;
use crate::state::App;
use slipway_proto::relay;

/// A terminal of a session of this user.
pub(super) fn terminal(app: App, user: SignedIn, session: SessionId, hello: v1::Hello) -> Opened {
    let (input, attachment) = relay::attach(hello);
    let sessions = app.sessions.clone();
    let flow = async move {
        let output = app.sessions.attach(user.user, session, attachment).await?;
        Ok(Flow::Terminal(Box::new(output)))
    };
    Opened {
        input: Some(input),
        flow: Box::pin(flow),
        lost: Box::new(move || sessions.agent_lost(session)),
    }
}

/// The events of a workspace of this user, or of the account.
pub(super) fn events(app: App, user: SignedIn, workspace: Option<WorkspaceId>) -> Opened {
    let flow = async move {
        let events = subscription::open(&app, user, workspace).await?;
        Ok(Flow::Events(events))
    };
    Opened {
        input: None,
        flow: Box::pin(flow),
        lost: Box::new(|| {}),
    }
}
