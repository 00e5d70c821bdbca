//! A subscription: first the current state, then what moves. Whoever lags too far behind is told the current state again.
use std::collections::VecDeque;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use slipway_api::run::RunState;
use slipway_core::id::WorkspaceId;
use slipway_proto::v1;
use slipway_proto::v1::event::Event;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use crate::error::Error;
use crate::http::extract::SignedIn;
use crate::run;
use crate::state::App;

/// Newest runs that a subscriber is told of at first.
const RUNS_TOLD: i64 = 20;

/// The events of a workspace of this user, or without one those of the account. It ends when the server stops.
///
/// # Errors
/// Unknown workspace, no database.
pub async fn open(
    app: &App,
    user: SignedIn,
    workspace: Option<WorkspaceId>,
) -> Result<BoxStream<'static, v1::Event>, Error> {
    let subscription = match workspace {
        Some(workspace) => Subscription::workspace(app.clone(), user, workspace).await?,
        None => Subscription::account(app, user),
    };
    let events = stream::unfold(subscription, |mut subscription| async move {
        let event = subscription.next().await?;
        Some((v1::Event { event: Some(event) }, subscription))
    });
    Ok(events.boxed())
}

struct Subscription {
    ready: VecDeque<Event>,
    events: broadcast::Receiver<v1::Event>,
    workspace: Option<Watched>,
    /// The head that was told last.
    told: Option<u64>,
}

struct Watched {
    app: App,
    id: WorkspaceId,
    head: watch::Receiver<u64>,
}

impl Subscription {
    async fn workspace(app: App, user: SignedIn, id: WorkspaceId) -> Result<Self, Error> {
        app.hub.access(id, user.user).await?;
        // First the subscription, then the state: nothing can move unheard between them.
        let events = app.events.subscribe(id);
        let mut head = app.hub.watch(id);
        let watched = Watched {
            head: {
                head.mark_unchanged();
                head
            },
            app,
            id,
        };
        Ok(Self {
            ready: watched.state().await?,
            events,
            workspace: Some(watched),
            told: None,
        })
    }

    fn account(app: &App, user: SignedIn) -> Self {
        Self {
            ready: VecDeque::from([Event::Workspaces(v1::WorkspacesMoved {})]),
            events: app.events.subscribe_user(user.user),
            workspace: None,
            told: None,
        }
    }

    /// A head that was told already, by the other way it comes, is none.
    fn is_news(&mut self, event: &Event) -> bool {
        let Event::Workspace(moved) = event else {
            return true;
        };
        let news = self.told != Some(moved.head);
        self.told = Some(moved.head);
        news
    }

    /// The next event; `None` when the server stops.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                if self.is_news(&event) {
                    return Some(event);
                }
                continue;
            }
            let heard = match &mut self.workspace {
                None => self.events.recv().await,
                Some(watched) => tokio::select! {
                    heard = self.events.recv() => heard,
                    head = watched.moved() => {
                        self.ready.push_back(head);
                        continue;
                    }
                },
            };
            match (heard, &self.workspace) {
                (Ok(event), _) => self.ready.extend(event.event),
                (Err(RecvError::Closed), _) => return None,
                (Err(RecvError::Lagged(_)), None) => {
                    self.ready
                        .push_back(Event::Workspaces(v1::WorkspacesMoved {}));
                }
                (Err(RecvError::Lagged(_)), Some(watched)) => {
                    // Without a database there is no state to tell; the client reconnects.
                    self.ready = watched.state().await.ok()?;
                }
            }
        }
    }
}

impl Watched {
    async fn moved(&mut self) -> Event {
        if self.head.changed().await.is_err() {
            // The hub forgot the workspace: it will not move again.
            std::future::pending::<()>().await;
        }
        Event::Workspace(v1::WorkspaceMoved {
            workspace_id: self.id.to_string(),
            head: *self.head.borrow_and_update(),
        })
    }

    async fn state(&self) -> Result<VecDeque<Event>, Error> {
        let mut events = VecDeque::from([
            Event::Workspace(v1::WorkspaceMoved {
                workspace_id: self.id.to_string(),
                head: self.app.hub.head(self.id).await?.revision,
            }),
            Event::Session(self.app.sessions.moved(self.id).await?),
        ]);
        for run in run::store::list(&self.app.db, self.id, None, RUNS_TOLD).await? {
            let state = match run.state {
                RunState::Queued => "queued",
                RunState::Waiting => "waiting",
                RunState::Running => "running",
                RunState::Flushing => "flushing",
                RunState::Done | RunState::Failed => continue,
            };
            events.push_back(Event::Run(v1::RunMoved {
                workspace_id: self.id.to_string(),
                run_id: run.id.to_string(),
                state: state.to_owned(),
            }));
        }
        Ok(events)
    }
}
