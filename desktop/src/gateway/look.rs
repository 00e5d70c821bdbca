//! `Look`: how a workspace stands at one moment, so that all that is said of it goes together.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use slipway_api::desktop::{SyncBrief, SyncState};
use slipway_core::code::Code;
use slipway_mirror::follow::Standing;
use slipway_mirror::notice::why;
use slipway_mirror::view::{PathState, View};

use crate::folder::FolderError;

/// How a workspace stands at one moment.
pub(super) struct Look {
    /// Everything that waits, moves or cannot.
    pub(super) view: Arc<View>,
    /// How it stands with the server that it follows.
    pub(super) standing: Option<Standing>,
    /// The folder.
    pub(super) path: PathBuf,
}

impl Look {
    /// In short.
    pub(super) fn brief(&self) -> SyncBrief {
        let (state, reason, code) = self.state();
        SyncBrief {
            state,
            reason,
            code,
            up: small(self.view.waiting_up),
            down: small(self.view.waiting_down),
            blocked: small(self.view.blocked),
            conflicts: small(self.view.conflicts),
        }
    }

    fn state(&self) -> (SyncState, Option<String>, Option<Code>) {
        if self.view.unreadable_root {
            let gone = FolderError::Gone(self.path.clone()).to_string();
            return (SyncState::Broken, Some(gone), Some(Code::FolderGone));
        }
        match self.standing.clone() {
            None => (SyncState::Local, None, None),
            Some(Standing::Connecting) => (SyncState::Connecting, None, None),
            Some(Standing::Online) => (SyncState::Online, None, None),
            Some(Standing::Offline { reason, .. }) => {
                (SyncState::Offline, Some(reason.message), reason.code)
            }
            Some(Standing::Refused { code, message }) => {
                (SyncState::Refused, Some(message), Some(code))
            }
        }
    }

    /// Since when its server is away.
    pub(super) const fn offline_since(&self) -> Option<SystemTime> {
        match &self.standing {
            Some(Standing::Offline { since, .. }) => Some(*since),
            _ => None,
        }
    }

    /// Why what was changed here is not at the server, in a sentence.
    pub(super) fn why_not(&self) -> String {
        if let (_, Some(reason), _) = self.state() {
            return reason;
        }
        let blocked = self.view.paths.iter().find_map(|one| match one.state {
            PathState::Blocked(code) => Some((&one.path, code)),
            _ => None,
        });
        match blocked {
            Some((path, code)) => format!("\"{path}\": {}.", why(code)),
            None => format!(
                "{} files are on their way; try again in a moment.",
                self.view.waiting_up
            ),
        }
    }
}

/// A number that is shown.
pub(super) fn small(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}
