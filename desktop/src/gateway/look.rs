//! `Look`: how a workspace stands at one moment, so that all that is said of it goes together.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use slipway_api::desktop::SyncBrief;
use slipway_mirror::follow::Standing;
use slipway_mirror::notice::why;
use slipway_mirror::view::{PathState, View};

use crate::keep::stand::Word;

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
        let Word {
            state,
            reason,
            code,
        } = self.word();
        SyncBrief {
            state: state.into(),
            reason,
            code,
            up: small(self.view.waiting_up),
            down: small(self.view.waiting_down),
            blocked: small(self.view.blocked),
            conflicts: small(self.view.conflicts),
        }
    }

    fn word(&self) -> Word {
        Word::kept(&self.path, self.standing.as_ref(), &self.view)
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
        if let Some(reason) = self.word().reason {
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

#[cfg(test)]
mod tests {
    use slipway_api::desktop::SyncState;

    use super::*;

    #[test]
    fn a_listing_that_is_still_arriving_is_not_said_to_be_in_step() {
        let state = |connected| {
            let view = View {
                connected,
                ..View::default()
            };
            let look = Look {
                view: Arc::new(view),
                standing: Some(Standing::Online),
                path: PathBuf::from("/d"),
            };
            look.brief().state
        };
        assert_eq!(state(false), SyncState::Connecting);
        assert_eq!(state(true), SyncState::Online);
    }
}
