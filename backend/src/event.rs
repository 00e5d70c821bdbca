//! Hints that something moved, from whoever moved it to whoever watches. Truth is read by REST, never from here.
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use slipway_core::id::{UserId, WorkspaceId};
use slipway_proto::v1;
use tokio::sync::broadcast;

pub mod subscription;

/// Events one slow subscriber may lag behind; a subscriber that lags more starts again from the current state.
pub const EVENTS_BACKLOG_MAX: usize = 256;

/// The event bus of this server. Nothing is kept: an event that nobody watches is gone.
#[derive(Clone, Default)]
pub struct Events {
    topics: Arc<Topics>,
}

#[derive(Default)]
struct Topics {
    workspaces: Mutex<Senders<WorkspaceId>>,
    users: Mutex<Senders<UserId>>,
}

type Senders<K> = HashMap<K, broadcast::Sender<v1::Event>>;

impl Events {
    /// A bus without subscribers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells everyone who watches this workspace.
    pub fn publish(&self, workspace: WorkspaceId, event: v1::event::Event) {
        send(&self.topics.workspaces, &workspace, event);
    }

    /// Watches a workspace from now on.
    #[must_use]
    pub fn subscribe(&self, workspace: WorkspaceId) -> broadcast::Receiver<v1::Event> {
        watch(&self.topics.workspaces, workspace)
    }

    /// Tells every window of this account.
    pub fn publish_user(&self, user: UserId, event: v1::event::Event) {
        send(&self.topics.users, &user, event);
    }

    /// Watches an account from now on.
    #[must_use]
    pub fn subscribe_user(&self, user: UserId) -> broadcast::Receiver<v1::Event> {
        watch(&self.topics.users, user)
    }
}

fn send<K: Eq + Hash>(senders: &Mutex<Senders<K>>, key: &K, event: v1::event::Event) {
    let mut senders = senders.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(sender) = senders.get(key) else {
        return;
    };
    // The last subscriber is gone: forget the topic, so that the map stays as small as what is watched.
    if sender.send(v1::Event { event: Some(event) }).is_err() {
        senders.remove(key);
    }
}

fn watch<K: Eq + Hash>(senders: &Mutex<Senders<K>>, key: K) -> broadcast::Receiver<v1::Event> {
    let mut senders = senders.lock().unwrap_or_else(PoisonError::into_inner);
    // Topics of which nothing is published any more are found here, when the map would grow.
    senders.retain(|_, sender| sender.receiver_count() > 0);
    senders
        .entry(key)
        .or_insert_with(|| broadcast::channel(EVENTS_BACKLOG_MAX).0)
        .subscribe()
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::id::Id;

    fn moved(head: u64) -> v1::event::Event {
        v1::event::Event::Workspace(v1::WorkspaceMoved {
            workspace_id: String::new(),
            head,
        })
    }

    #[test]
    fn only_those_who_watch_hear_and_an_unwatched_topic_is_forgotten() {
        let events = Events::new();
        let (one, other) = (
            WorkspaceId::from_parts(1, [1; 10]),
            WorkspaceId::from_parts(1, [2; 10]),
        );
        let mut heard = events.subscribe(one);
        events.publish(other, moved(1));
        events.publish(one, moved(2));
        assert_eq!(
            heard.try_recv().map(|e| e.event).ok().flatten(),
            Some(moved(2))
        );
        assert!(heard.try_recv().is_err());
        drop(heard);
        events.publish(one, moved(3));
        assert!(events.topics.workspaces.lock().unwrap().is_empty());
        // One that nothing moves in goes with the next that is watched.
        drop(events.subscribe(one));
        let _heard = events.subscribe(other);
        assert_eq!(events.topics.workspaces.lock().unwrap().len(), 1);
    }
}
