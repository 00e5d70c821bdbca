//! What cannot be done now: changes of the hub that do not get to the disk, and changes of the disk that the hub does
//! not take. Both are tried again, later and later, and a person is told once.
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use slipway_core::code::Code;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::contest::Contests;
use super::pace::{Held, Pause};
use super::state::State;
use crate::disk::DiskError;
use crate::notice::Notice;
use crate::planted::{self, Bug};

/// First pause of a change that did not get to the disk.
const APPLY_AGAIN: Duration = Duration::from_millis(25);
/// First pause of a look at what could not be seen: it may be the system that had a bad moment.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// First pause of a change that the hub has no room for.
const PROPOSE_AGAIN: Duration = Duration::from_secs(2);

/// When something is tried again; one time for all of a kind, since with a full disk many fail at once.
#[derive(Debug, Default)]
struct Retry {
    at: Option<Instant>,
    last: Option<Pause>,
}

impl Retry {
    fn again(&mut self, shortest: Duration, now: Instant) {
        if self.at.is_none() {
            let pause = Pause::after(self.last, shortest, now);
            (self.at, self.last) = (Some(pause.at), Some(pause));
        }
    }
    fn take_due(&mut self, now: Instant) -> bool {
        self.at.take_if(|at| *at <= now).is_some()
    }
}

/// Everything that waits for better times.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    /// Changes of the hub that the disk does not show.
    unapplied: BTreeMap<RelPath, Option<Code>>,
    apply: Retry,
    /// Changes of the disk that the hub refused, each with what was refused.
    refused: HashMap<RelPath, (Option<Node>, Code)>,
    propose: Retry,
    /// Of looks at what could not be seen.
    look: Retry,
    /// Files that two programs change back and forth.
    pub(super) contests: Contests,
    /// What a person was told of, until it is over.
    told: BTreeMap<RelPath, Code>,
    untold: BTreeMap<&'static str, (Code, Vec<RelPath>)>,
}

impl Troubles {
    /// When something is to be tried again.
    pub(super) fn next(&self) -> Option<Instant> {
        let all = [self.apply.at, self.propose.at, self.look.at];
        all.into_iter().flatten().min()
    }

    /// Paths whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Vec<RelPath> {
        let mut due = Vec::new();
        if self.apply.take_due(now) {
            due.extend(self.unapplied.keys().cloned());
        }
        if self.propose.take_due(now) {
            let again = self.refused.iter().filter(|(_, (_, code))| passes(*code));
            due.extend(again.map(|(path, _)| path.clone()));
            self.refused.retain(|_, (_, code)| !passes(*code));
        }
        due
    }

    /// What could not be read, when it is time to look again.
    pub(super) fn unread(&mut self, now: Instant) -> Vec<RelPath> {
        let is_due = self.look.take_due(now);
        let told = self.told.iter().filter(|_| is_due);
        let unread = told.filter(|(_, code)| **code == Code::FileUnreadable);
        unread.map(|(path, _)| path.clone()).collect()
    }

    /// Changes of the hub for which everything else waits: no revision counts as shown while there are any, and no flush
    /// is answered that has found something at one of them. Nothing waits for what has no place here.
    pub(super) fn holding_up(&self) -> impl Iterator<Item = &RelPath> {
        let holds_up = |(_, code): &(_, &Option<Code>)| **code != Some(Code::PathTaken);
        self.unapplied.iter().filter(holds_up).map(|(path, _)| path)
    }

    /// Whether a path is one of them.
    pub(super) fn holds_up(&self, path: &RelPath) -> bool {
        let code = self.unapplied.get(path);
        code.is_some_and(|code| *code != Some(Code::PathTaken))
    }

    /// All changes of the hub that the disk does not show.
    pub(super) fn unapplied(&self) -> impl Iterator<Item = &RelPath> {
        self.unapplied.keys()
    }

    /// Whether a path's name was taken when it was last tried.
    pub(super) fn has_no_place(&self, path: &RelPath) -> bool {
        self.told.get(path) == Some(&Code::PathTaken)
    }

    /// A path is tried anew.
    pub(super) fn tries(&mut self, path: &RelPath) {
        self.unapplied.remove(path);
    }

    /// Whether the hub refused exactly this.
    pub(super) fn is_refused(&self, path: &RelPath, node: Option<&Node>) -> bool {
        self.refused
            .get(path)
            .is_some_and(|(refused, _)| refused.as_ref() == node)
    }

    /// Whether the hub refused a path for the sake of something that goes by itself.
    pub(super) fn is_in_the_way(&self, path: &RelPath) -> bool {
        let refused = self.refused.get(path);
        refused.is_some_and(|(_, code)| *code == Code::PathNotFolder)
    }

    /// Paths that cannot be kept in step now, and why.
    pub(super) fn blocked(&self) -> impl Iterator<Item = (&RelPath, Code)> {
        self.told.iter().map(|(path, code)| (path, *code))
    }

    /// Whether a path is one of them.
    pub(super) fn is_blocked(&self, path: &RelPath) -> bool {
        self.told.contains_key(path)
    }

    /// A name is free at the hub: what differs from it only in spelling may be offered again.
    pub(super) fn made_way(&mut self, path: &RelPath) -> Vec<RelPath> {
        let clashes = |code: &Code| *code == Code::PathCaseClash;
        if !self.refused.values().any(|(_, code)| clashes(code)) {
            return Vec::new();
        }
        let key = path.fold_key();
        let is_it = |other: &RelPath| {
            let whole = other.ancestors().chain([other.clone()]);
            whole.into_iter().any(|part| part.fold_key() == key)
        };
        let free = self.refused.iter();
        let free = free.filter(|(other, (_, code))| clashes(code) && is_it(other));
        let free: Vec<_> = free.map(|(other, _)| other.clone()).collect();
        for other in &free {
            self.refused.remove(other);
        }
        free
    }

    /// Paths that the hub refused.
    pub(super) fn refused(&self) -> impl Iterator<Item = &RelPath> {
        self.refused.keys()
    }

    /// A new connection, maybe with more room: everything is offered again.
    pub(super) fn offer_again(&mut self) {
        self.refused.clear();
        self.propose = Retry::default();
    }

    /// A path is in step.
    pub(super) fn over(&mut self, path: &RelPath) {
        self.refused.remove(path);
        match self.told.remove(path) {
            Some(Code::FileUnreadable) => self.look.last = None,
            Some(code) if passes(code) => self.propose.last = None,
            // What lies below it has a place now.
            Some(Code::PathTaken) => self.apply = Retry::default(),
            _ => {}
        }
        if self.unapplied.is_empty() {
            self.apply = Retry::default();
        } else {
            self.apply.again(APPLY_AGAIN, Instant::now());
        }
    }

    fn tell(&mut self, path: &RelPath, code: Code) {
        if self.told.insert(path.clone(), code) != Some(code) {
            let (_, paths) = self
                .untold
                .entry(code.as_str())
                .or_insert((code, Vec::new()));
            paths.push(path.clone());
        }
    }
}

/// Whether a refusal may pass without a change here.
const fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::WorkspaceFull | Code::TooManyEntries | Code::WorkspaceInactive | Code::PathNotFolder
    )
}

impl State {
    /// A change of the hub did not get to the disk.
    pub(super) fn not_applied(&mut self, path: &RelPath, error: &DiskError) {
        let code = match error {
            DiskError::Unexpected if self.is_taken(path) => {
                self.contents.unwant(path);
                Some(Code::PathTaken)
            }
            // Somebody wrote there just now: look again, then decide anew.
            DiskError::Unexpected | DiskError::NotEmpty => {
                self.sight.look_again(path);
                None
            }
            DiskError::Io(error) => {
                let full = matches!(
                    error.kind(),
                    std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
                );
                tracing::debug!(%error, "A change of the hub cannot be written to the disk");
                Some(if full {
                    Code::DiskFull
                } else {
                    Code::WriteFailed
                })
            }
        };
        if code == Some(Code::DiskFull) && planted::is(Bug::FullOnce) {
            return;
        }
        self.apply_later(path, code);
    }

    /// A change of the hub waits for better times.
    pub(super) fn apply_later(&mut self, path: &RelPath, code: Option<Code>) {
        let troubles = &mut self.troubles;
        troubles.unapplied.insert(path.clone(), code);
        troubles.apply.again(APPLY_AGAIN, Instant::now());
        if let Some(code) = code {
            troubles.tell(path, code);
        }
    }

    /// The hub refused a change of the disk, or would.
    pub(super) fn not_taken(&mut self, path: &RelPath, node: Option<Node>, code: Code) {
        let now = Instant::now();
        let troubles = &mut self.troubles;
        troubles.refused.insert(path.clone(), (node, code));
        if passes(code) {
            troubles.propose.again(PROPOSE_AGAIN, now);
        }
        // A file took the name of a folder above: once that is heard of, one of the two moves to a copy.
        if code != Code::PathNotFolder {
            troubles.tell(path, code);
        }
    }

    /// The folder itself is not there: what is not in it says nothing, and nothing is decided until it is back.
    pub(super) fn root_is_gone(&mut self) {
        if !std::mem::replace(&mut self.sight.root_unknown, true) {
            self.notice(Notice::Gone(self.disk.path().to_owned()));
        }
        self.sight.everything = true;
        self.sight.held = Held::default();
        self.sight.audit_soon();
    }

    /// Something cannot be read.
    pub(super) fn unreadable(&mut self, path: &RelPath) {
        self.troubles.tell(path, Code::FileUnreadable);
        self.troubles.look.again(LOOK_AGAIN, Instant::now());
    }

    /// Tells a person what is new.
    pub(super) fn tell_troubles(&mut self) {
        for (_, (code, paths)) in std::mem::take(&mut self.troubles.untold) {
            let Some(first) = paths.first().cloned() else {
                continue;
            };
            self.notice(Notice::Blocked {
                code,
                path: first,
                more: paths.len() - 1,
            });
        }
    }

    pub(super) fn notice(&self, notice: Notice) {
        tracing::info!(code = notice.code().as_str(), "{notice}");
        // Nobody may listen.
        self.notices.send(notice).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_is_looked_at_again_later_and_later_until_it_is() {
        let path = RelPath::parse("a.txt").unwrap();
        let (mut troubles, mut now) = (Troubles::default(), Instant::now());
        let begin = now;
        for _ in 0..3 {
            troubles.tell(&path, Code::FileUnreadable);
            troubles.look.again(LOOK_AGAIN, now);
            assert!(troubles.unread(now).is_empty(), "not at once");
            now = troubles.next().unwrap();
            assert_eq!(troubles.unread(now), std::slice::from_ref(&path));
        }
        assert_eq!(now - begin, LOOK_AGAIN * (1 + 2 + 4));
        troubles.over(&path);
        troubles.look.again(LOOK_AGAIN, now);
        assert_eq!(troubles.next(), Some(now + LOOK_AGAIN));
    }
}
