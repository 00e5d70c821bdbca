//! Tells how the folder stands: at once when it comes to rest, else not more often than a person can see.
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use tokio::sync::watch;
use tokio::time::Instant;

use super::state::State;
use super::tree::Apart;
use crate::clock;
use crate::view::{HeldDeletions, PathState, PathView, View};

/// From one look of a person to the next while things move.
const AGAIN: Duration = Duration::from_millis(100);
/// Paths that are told one by one.
const PATHS_MAX: usize = 1_000;
/// Odd names that are.
const ODD_MAX: usize = 20;
/// Held deletions that are.
const HELD_MAX: usize = 20;

/// What is told, and to whom.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Nobody ever asked while there is none.
    view: Option<watch::Sender<Arc<View>>>,
    /// When it is told again.
    at: Option<Instant>,
    last: Option<Instant>,
    /// The last look at everything.
    pub(super) looked_at: Option<SystemTime>,
    in_step_at: Option<SystemTime>,
}

impl Told {
    pub(super) const fn next(&self) -> Option<Instant> {
        self.at
    }
}

impl State {
    /// How it stands, moving from now on.
    pub(super) fn show(&mut self) -> watch::Receiver<Arc<View>> {
        let view = Arc::new(self.view());
        match &self.told.view {
            Some(told) => {
                told.send_replace(view);
                told.subscribe()
            }
            None => {
                let (told, shown) = watch::channel(view);
                self.told.view = Some(told);
                shown
            }
        }
    }

    /// Whether a path that is not in step waits for nothing but time.
    fn waits(&self, path: &RelPath) -> bool {
        !self.troubles.is_blocked(path)
            && !self.deletions.held().contains(path)
            && !self.is_out_of_sight(path)
    }

    fn is_at_rest(&self) -> bool {
        let mut apart = self.trees.unsent.paths().chain(self.trees.apart.paths());
        self.hub.in_step && !self.sight.goes_on() && !apart.any(|(path, _)| self.waits(path))
    }

    /// How many of these paths wait; of very many it is enough to know about.
    fn waiting(&self, apart: &Apart) -> usize {
        let some = apart.paths().take(PATHS_MAX);
        apart.len() - some.filter(|(path, _)| !self.waits(path)).count()
    }

    /// Tells how it stands, if somebody wants to know and it is time.
    pub(super) fn tell_view(&mut self) {
        let Some(told) = &self.told.view else {
            return;
        };
        let shown = Arc::clone(&told.borrow());
        let (moving, now) = (shown.waiting_up + shown.waiting_down > 0, Instant::now());
        let next = self.told.last.map(|last| last + AGAIN);
        let early = next.filter(|next| *next > now);
        if let Some(next) = early
            && !(moving && self.is_at_rest())
        {
            self.told.at.get_or_insert(next);
            return;
        }
        (self.told.at, self.told.last) = (None, Some(now));
        let view = self.view();
        let mut same = View::clone(&shown);
        if same.in_step_at.is_some() {
            // At rest nothing but the time moves.
            same.in_step_at = view.in_step_at;
        }
        if same != view
            && let Some(told) = &self.told.view
        {
            told.send_replace(Arc::new(view));
        }
    }

    fn view(&mut self) -> View {
        if self.is_at_rest() {
            self.told.in_step_at = Some(clock::now());
        }
        let sent = self.parts.sending().map_or(0, |(_, sent)| sent);
        let come = self.contents.bytes_come();
        View {
            waiting_up: self.waiting(&self.trees.unsent),
            waiting_down: self.waiting(&self.trees.apart),
            bytes_up: self.trees.unsent.bytes().saturating_sub(sent),
            bytes_down: self.trees.apart.bytes().saturating_sub(come),
            blocked: self.troubles.blocked().count() + self.odd.len(),
            conflicts: self.copies.len(),
            paths: self.path_views(),
            odd: self.odd.spelled().take(ODD_MAX).collect(),
            held: self.held_deletions(),
            partly_watched: self.watch.is_partial(),
            unreadable_root: self.sight.root_unknown,
            connected: self.hub.in_step,
            looked_at: self.told.looked_at,
            in_step_at: self.told.in_step_at,
        }
    }

    fn held_deletions(&self) -> Option<HeldDeletions> {
        let held = self.deletions.held();
        (!held.is_empty()).then(|| HeldDeletions {
            many: held.len(),
            of: self.trees.base.len(),
            first: held.iter().take(HELD_MAX).cloned().collect(),
        })
    }

    /// What cannot be done comes first, then what is on its way, then what waits.
    fn path_views(&self) -> Vec<PathView> {
        let blocked = self.troubles.blocked().map(|(path, code)| PathView {
            path: path.clone(),
            state: PathState::Blocked(code),
            size: self.size_of(path),
            done: 0,
        });
        let on_its_way = self.proposals.on_their_way();
        let on_its_way: BTreeSet<_> = on_its_way.map(|(path, _)| path).collect();
        let down = self
            .trees
            .apart
            .paths()
            .filter(|(path, _)| self.waits(path));
        let down = down.map(|(path, size)| self.coming(path, size));
        let up = self
            .trees
            .unsent
            .paths()
            .filter(|(path, _)| self.waits(path));
        let up = up
            .filter(|(path, _)| !self.trees.apart.contains(path))
            .map(|(path, size)| self.going(path, size, on_its_way.contains(path)));
        let mut views: Vec<_> = blocked.chain(down).chain(up).take(PATHS_MAX).collect();
        views.sort_by_key(|view| match view.state {
            PathState::Blocked(_) => 0,
            PathState::Sending | PathState::Receiving => 1,
            PathState::Missing | PathState::Waiting => 2,
        });
        views
    }

    fn size_of(&self, path: &RelPath) -> u64 {
        let node = self
            .trees
            .local
            .get(path)
            .or_else(|| self.trees.remote.get(path));
        match node {
            Some(Node::File { size, .. }) => *size,
            _ => 0,
        }
    }

    fn coming(&self, path: &RelPath, size: u64) -> PathView {
        let hash = self.trees.remote.get(path).and_then(Node::hash);
        let come = hash.and_then(|hash| self.contents.come(hash));
        PathView {
            path: path.clone(),
            state: if come.is_some() {
                PathState::Receiving
            } else {
                PathState::Missing
            },
            size,
            done: come.unwrap_or(0),
        }
    }

    fn going(&self, path: &RelPath, size: u64, in_batch: bool) -> PathView {
        let hash = self.trees.local.get(path).and_then(Node::hash);
        let sending = self.parts.sending().filter(|(sent, _)| Some(*sent) == hash);
        let sent = sending.map(|(_, sent)| sent);
        let is_offered = hash.is_some_and(|hash| self.contents.is_offered(hash));
        PathView {
            path: path.clone(),
            state: if is_offered || in_batch {
                PathState::Sending
            } else {
                PathState::Waiting
            },
            size,
            done: sent.unwrap_or(0),
        }
    }
}
