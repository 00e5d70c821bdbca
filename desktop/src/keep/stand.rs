//! How a folder stands, as one command tells another and a person, and as the window is told: from one place.
use std::path::Path;

use serde::{Deserialize, Serialize};
use slipway_api::desktop::SyncState;
use slipway_core::code::Code;
use slipway_core::path::RelPath;
use slipway_mirror::follow::Standing;
use slipway_mirror::view::{PathState, View};

use crate::folder::{Folder, FolderError};

/// How a folder stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// In a word.
    pub state: StandState,
    /// The newest revision that the folder showed whole.
    pub revision: u64,
    /// Why it is not connected, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is not as it is there.
    #[serde(default)]
    pub apart: Apart,
    /// Conflicts that are open; unknown where nobody keeps the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<usize>,
}

/// A conflict that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenConflict {
    /// The copy that was kept beside a file, from the folder on.
    pub copy: RelPath,
    /// The file.
    pub of: RelPath,
}

/// What of a folder is not as it is at the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// Paths that wait or are on their way, out or in.
    pub waiting: usize,
    /// Paths that cannot go or come now, and names that no server takes.
    pub blocked: usize,
    /// The first of those.
    pub blocked_paths: Vec<String>,
    /// Deletions that wait for a person's word.
    pub held: usize,
}

impl Stand {
    /// Of a folder that nobody keeps now.
    pub(crate) fn at_rest(folder: &Folder) -> Self {
        let Word { state, reason, .. } = Word::at_rest(folder);
        Self {
            state,
            revision: 0,
            reason,
            apart: Apart::default(),
            conflicts: None,
        }
    }
}

impl Apart {
    /// So many blocked paths are named.
    const NAMED: usize = 3;

    pub(super) fn of(view: &View) -> Self {
        let blocked = view.paths.iter();
        let blocked = blocked.filter(|one| matches!(one.state, PathState::Blocked(_)));
        let blocked = blocked.map(|one| one.path.to_string());
        Self {
            waiting: view.waiting_up + view.waiting_down,
            blocked: view.blocked,
            blocked_paths: blocked
                .chain(view.odd.iter().cloned())
                .take(Self::NAMED)
                .collect(),
            held: view.held.as_ref().map_or(0, |held| held.many),
        }
    }
}

/// How a folder stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandState {
    /// The server is being reached.
    Connecting,
    /// Changes go both ways.
    Connected,
    /// The server is away; it is tried again.
    Offline,
    /// The server refuses; a person has to do something.
    Refused,
    /// Nobody keeps it in step now.
    Stopped,
    /// No server knows it.
    Local,
    /// The folder is gone, or another one stands there.
    Gone,
}

impl From<StandState> for SyncState {
    fn from(state: StandState) -> Self {
        match state {
            StandState::Connecting => Self::Connecting,
            StandState::Connected => Self::Online,
            StandState::Offline | StandState::Stopped => Self::Offline,
            StandState::Refused => Self::Refused,
            StandState::Local => Self::Local,
            StandState::Gone => Self::Broken,
        }
    }
}

/// How a folder stands in a word, and why.
pub(crate) struct Word {
    pub(crate) state: StandState,
    /// Why it is not connected, for people.
    pub(crate) reason: Option<String>,
    /// The code behind the reason.
    pub(crate) code: Option<Code>,
}

impl Word {
    const fn of(state: StandState) -> Self {
        Self {
            state,
            reason: None,
            code: None,
        }
    }

    fn gone(path: &Path) -> Self {
        Self {
            state: StandState::Gone,
            reason: Some(FolderError::Gone(path.to_owned()).to_string()),
            code: Some(Code::FolderGone),
        }
    }

    /// Of a folder that is kept: with its connection, if it follows a server, and what is seen of its paths.
    pub(crate) fn kept(path: &Path, standing: Option<&Standing>, view: &View) -> Self {
        if view.unreadable_root {
            return Self::gone(path);
        }
        match standing {
            None => Self::of(StandState::Local),
            Some(Standing::Online) if view.connected => Self::of(StandState::Connected),
            // What the server has is not known before its listing is here.
            Some(Standing::Connecting | Standing::Online) => Self::of(StandState::Connecting),
            Some(Standing::Offline { reason, .. }) => Self {
                state: StandState::Offline,
                reason: Some(reason.message.clone()),
                code: reason.code,
            },
            Some(Standing::Refused { code, message }) => Self {
                state: StandState::Refused,
                reason: Some(message.clone()),
                code: Some(*code),
            },
        }
    }

    /// Of a folder that nobody keeps now.
    pub(crate) fn at_rest(folder: &Folder) -> Self {
        match folder.remote {
            _ if !folder.is_there() => Self::gone(&folder.path),
            Some(_) => Self::of(StandState::Stopped),
            None => Self::of(StandState::Local),
        }
    }
}

#[cfg(test)]
mod tests {
    use slipway_mirror::view::PathView;

    use super::*;

    #[test]
    fn online_is_connected_only_when_the_listing_is_here() {
        let of = |connected| {
            let view = View {
                connected,
                ..View::default()
            };
            Word::kept(Path::new("/d"), Some(&Standing::Online), &view).state
        };
        assert_eq!(of(false), StandState::Connecting);
        assert_eq!(of(true), StandState::Connected);
    }

    #[test]
    fn what_cannot_go_is_counted_and_named() {
        let path = |name: &str, state| PathView {
            path: RelPath::parse(name).unwrap(),
            state,
            size: 1,
            done: 0,
        };
        let view = View {
            waiting_up: 1,
            waiting_down: 2,
            blocked: 2,
            paths: vec![
                path("large.bin", PathState::Blocked(Code::FileTooLarge)),
                path("new.txt", PathState::Waiting),
            ],
            odd: vec!["a\\nb".to_owned()],
            ..View::default()
        };
        let apart = Apart {
            waiting: 3,
            blocked: 2,
            blocked_paths: vec!["large.bin".to_owned(), "a\\nb".to_owned()],
            held: 0,
        };
        assert_eq!(Apart::of(&view), apart);
    }
}
