//! Two programs, one here and one elsewhere, each of which takes back what the other does to a file.
use std::collections::HashMap;
use std::time::Duration;

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::state::State;

/// Within so long of each other, two turns belong together; and so long nobody may take back anything until it is over.
const TURN: Duration = Duration::from_secs(10);
/// Files that are remembered without a look whether their last turn is long ago.
const REMEMBERED: usize = 1_024;

/// The last turn at a file: what the hub gave in place of what was here.
#[derive(Debug)]
struct Turn {
    here: ContentHash,
    given: ContentHash,
    at: Instant,
    /// Somebody here put back what had been here.
    taken_back: bool,
}

/// The last turn at each file that the hub changed a moment ago.
#[derive(Debug, Default)]
pub(super) struct Contests {
    turns: HashMap<RelPath, Turn>,
    /// When there are so many, those that are long ago are forgotten.
    many: usize,
}

impl Contests {
    /// The hub's content came in place of what was here.
    pub(super) fn given(
        &mut self,
        path: &RelPath,
        here: ContentHash,
        given: ContentHash,
        now: Instant,
    ) {
        if self.turns.len() >= self.many {
            self.turns.retain(|_, turn| now < turn.at + TURN);
            self.many = (2 * self.turns.len()).max(REMEMBERED);
        }
        let turn = Turn {
            here,
            given,
            at: now,
            taken_back: false,
        };
        self.turns.insert(path.clone(), turn);
    }

    /// Somebody here changed a file.
    pub(super) fn changed(
        &mut self,
        path: &RelPath,
        from: Option<ContentHash>,
        to: Option<ContentHash>,
        now: Instant,
    ) {
        let Some(turn) = self.turns.get_mut(path) else {
            return;
        };
        if from == Some(turn.given) && to == Some(turn.here) && now < turn.at + TURN {
            turn.at = now;
            turn.taken_back = true;
        } else {
            self.turns.remove(path);
        }
    }

    /// Whether the hub gives once more what was just taken back here.
    fn is_contested(
        &self,
        path: &RelPath,
        here: ContentHash,
        given: ContentHash,
        now: Instant,
    ) -> bool {
        self.turns.get(path).is_some_and(|turn| {
            turn.taken_back && (turn.here, turn.given) == (here, given) && now < turn.at + TURN
        })
    }
}

impl State {
    /// Whether a change of the hub waits, since somebody here takes it back each time.
    pub(super) fn is_contested(&self, path: &RelPath, node: &Node) -> bool {
        let here = self.trees.local.get(path).and_then(Node::hash);
        let (Some(here), Some(given)) = (here, node.hash()) else {
            return false;
        };
        let contests = &self.troubles.contests;
        contests.is_contested(path, here, given, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_takes_back_the_same_at_once_contests_it_and_not_for_ever() {
        let path = RelPath::parse("main.py").unwrap();
        let [ours, theirs, other] =
            ["tabs", "spaces", "both"].map(|it| ContentHash::of(it.as_bytes()));
        let begin = Instant::now();
        let mut contests = Contests::default();
        let is_contested =
            |contests: &Contests, now| contests.is_contested(&path, ours, theirs, now);

        contests.given(&path, ours, theirs, begin);
        assert!(
            !is_contested(&contests, begin),
            "it may have been lost otherwise"
        );
        contests.changed(&path, Some(theirs), Some(ours), begin);
        assert!(is_contested(&contests, begin));
        assert!(!contests.is_contested(&path, ours, other, begin), "news");
        assert!(!is_contested(&contests, begin + TURN), "it is over");

        contests.given(&path, ours, theirs, begin);
        contests.changed(&path, Some(theirs), Some(other), begin);
        assert!(!is_contested(&contests, begin), "an edit like any other");

        contests.given(&path, ours, theirs, begin);
        contests.changed(&path, Some(theirs), Some(ours), begin + TURN);
        assert!(
            !is_contested(&contests, begin + TURN),
            "somebody thought better of it"
        );
    }
}
