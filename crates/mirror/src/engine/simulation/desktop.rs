//! A person at a desktop of a simulated world: saves, deletes, renames and takes back through the engine, and is asked before
//! most of a folder goes.
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use slipway_core::path::{RelPath, fold};

use super::actors::ROOT;
use super::oracle::versions;
use super::tape::Tape;
use super::world::World;
use crate::engine::Input;
use crate::files;
use crate::local::{Expect, LocalAct, LocalOperation, LocalOutcome, Source};
use crate::volume::simulated::Entry;

/// What an engine is run by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// The agent of a session, which asks nobody.
    Agent,
    /// A desktop, whose person is asked, and says this in the end.
    Desktop { confirms: bool },
}

impl Runs {
    pub(super) fn new(tape: &mut Tape) -> Self {
        match tape.below(4) {
            0 | 1 => Self::Agent,
            number => Self::Desktop {
                confirms: number == 2,
            },
        }
    }
}

/// What is owed before a person does something, in case that nothing comes of it.
struct Before {
    owed: BTreeSet<String>,
    any_hostile: bool,
    troubled: bool,
}

impl World {
    /// A program does something, or the person at a desktop.
    pub(super) async fn somebody(&mut self, at: usize) {
        if self.solo.is_some_and(|solo| solo != at) {
            return;
        }
        let replica = &self.replicas[at];
        let has_person = replica.runs != Runs::Agent && replica.state.is_some();
        if has_person && self.one_in(2) {
            return self.person_at(at).await;
        }
        let mut inner = self.replicas[at].volume.inner();
        self.shared.lock().program(at, &mut inner);
    }

    async fn person_at(&mut self, at: usize) {
        let what = self.below(8);
        // Programs write meanwhile, and anything ends.
        self.shared.lock().arm(at);
        match what {
            0..4 => self.saves(at),
            4 => self.deletes(at),
            5 => self.renames(at),
            6 => self.takes_back(at),
            _ => {
                let confirms = self.one_in(2);
                self.decides(at, confirms).await;
            }
        }
        let replica = &mut self.replicas[at];
        replica.mind_the_end();
        replica.turn(None).await;
    }

    fn place(&self, at: usize) -> Option<RelPath> {
        let there = self.replicas[at].volume.inner().below(ROOT);
        let path = self.shared.lock().path(there.keys().map(String::as_str));
        RelPath::parse(&path).ok()
    }

    /// What stands at a path and below it goes by a person's hand.
    fn has_a_word(&mut self, at: usize, path: &RelPath) {
        let there = self.replicas[at].known().local.into_keys();
        let goes = there.filter(|there| there == path || there.is_below(path));
        self.replicas[at].words.extend(goes);
    }

    /// One operation; whether it was done, or nobody knows.
    fn does(&mut self, at: usize, path: RelPath, expect: Expect, act: LocalAct) -> Done {
        let replica = &mut self.replicas[at];
        let Some(state) = &mut replica.state else {
            return Done::Not;
        };
        let life = replica.volume.inner().life();
        let operation = LocalOperation { path, expect, act };
        let outcome = state.commit(&[operation], false).outcomes.pop();
        let has_ended = replica.volume.inner().life() != life;
        self.tell(|| format!("  {outcome:?}"));
        match outcome {
            _ if has_ended => Done::Unknown,
            Some(LocalOutcome::Applied | LocalOutcome::Converged) => Done::Yes,
            _ => Done::Not,
        }
    }

    /// What a person means to replace is owed no more; if nothing comes of it, it is again.
    fn begin(&self, at: usize, path: &RelPath, removes: bool) -> Before {
        let mut oracle = self.shared.lock();
        oracle.touch(at, &fold(path.as_str()), removes);
        Before {
            owed: oracle.owed.clone(),
            any_hostile: std::mem::take(&mut oracle.any_hostile),
            troubled: std::mem::take(&mut oracle.troubled),
        }
    }

    fn end_of(&self, before: Before, done: Done) {
        let mut oracle = self.shared.lock();
        // A program that wrote meanwhile may have replaced it itself, and after an error it may be done.
        if done == Done::Not && !oracle.any_hostile && !oracle.troubled {
            oracle.owed.extend(before.owed);
        }
        oracle.any_hostile |= before.any_hostile;
        oracle.troubled |= before.troubled;
    }

    fn saves(&mut self, at: usize) {
        let Some(path) = self.place(at) else { return };
        let Some(state) = &self.replicas[at].state else {
            return;
        };
        let seen = files::read(state.disk.root(), &path).ok();
        let before = self.begin(at, &path, false);
        let bytes = seen.as_ref().map(|seen| &*seen.bytes);
        let text = self.shared.lock().version(bytes);
        self.tell(|| {
            let text = text.replace('\n', " ");
            format!("replica {at}: a person saves {path}: {text}")
        });
        let expect = seen
            .as_ref()
            .map_or(Expect::Absent, |seen| Expect::Content(seen.hash));
        let act = LocalAct::Write {
            content: Source::Inline(Bytes::from(text.clone())),
            executable: None,
        };
        let done = self.does(at, path, expect, act);
        match (done, &seen) {
            (Done::Yes, Some(seen)) => self.shared.lock().is_overwritten(at, &seen.bytes),
            (Done::Yes, None) => {}
            (Done::Not | Done::Unknown, _) => {
                let new: Vec<_> = versions(text.as_bytes())
                    .into_iter()
                    .filter(|version| !before.owed.contains(version))
                    .collect();
                let mut oracle = self.shared.lock();
                oracle.owed.retain(|version| !new.contains(version));
            }
        }
        self.end_of(before, done);
    }

    fn deletes(&mut self, at: usize) {
        let Some(path) = self.place(at) else { return };
        self.tell(|| format!("replica {at}: a person deletes {path}"));
        let before = self.begin(at, &path, true);
        self.has_a_word(at, &path);
        {
            let inner = self.replicas[at].volume.inner();
            let whole = inner.spelled(&format!("{ROOT}/{path}"));
            let mut oracle = self.shared.lock();
            inner
                .texts(&whole)
                .iter()
                .for_each(|text| oracle.forget(text));
            if inner.entry(&whole) == Some(Entry::Folder) {
                // It goes as a whole, with what came into it a moment ago.
                oracle.armed[at] = None;
                oracle.forget_ignored_in_folders(at);
            }
        }
        let done = self.does(at, path, Expect::Any, LocalAct::Delete);
        self.end_of(before, done);
        // It was the person who took it away, before what the hub has by now came.
        let mut oracle = self.shared.lock();
        oracle.away[at].clear();
        oracle.gap = None;
    }

    fn renames(&mut self, at: usize) {
        let (Some(from), Some(to)) = (self.place(at), self.place(at)) else {
            return;
        };
        self.tell(|| format!("replica {at}: a person renames {from} to {to}"));
        self.has_a_word(at, &from);
        {
            let mut oracle = self.shared.lock();
            oracle.touch(at, &fold(from.as_str()), true);
            oracle.touch(at, &fold(to.as_str()), true);
            oracle.hidden[at] = true;
            oracle.forget_ignored_in_folders(at);
        }
        self.does(at, to, Expect::Any, LocalAct::MoveFrom(from));
    }

    /// A person takes back what came from the hub, or what was deleted here.
    fn takes_back(&mut self, at: usize) {
        if self.shared.lock().has_rules {
            // With what came, the rules of before would be a person's choice.
            return;
        }
        let before = self.replicas[at].volume.inner().below(ROOT);
        let Some(state) = &mut self.replicas[at].state else {
            return;
        };
        let arrivals = state.bursts.arrivals();
        let is_arrival = !arrivals.is_empty() && self.shared.lock().tape.one_in(2);
        let undone = if is_arrival {
            let id = self.shared.lock().tape.pick(&arrivals).id;
            format!("{:?}", state.undo(id))
        } else {
            format!("{:?}", state.restore(0, None).outcomes)
        };
        self.tell(|| format!("replica {at}: a person takes back: {undone}"));
        let after = self.replicas[at].volume.inner().below(ROOT);
        let mut oracle = self.shared.lock();
        let differs = |path: &&String| before.get(*path) != after.get(*path);
        for path in before.keys().chain(after.keys()).filter(differs) {
            oracle.touch(at, &fold(path), true);
            self.replicas[at].words.extend(RelPath::parse(path));
        }
        oracle.hidden[at] = true;
        let (had, has) = (texts(&before), texts(&after));
        // Only what came from the hub is taken back.
        let gone = had
            .difference(&has)
            .filter(|gone| oracle.at_hub.contains(*gone));
        let gone: Vec<_> = gone.cloned().collect();
        oracle.owed.retain(|owed| !gone.contains(owed));
    }

    /// A person says what shall become of deletions that are held back.
    async fn decides(&mut self, at: usize, confirms: bool) {
        let replica = &mut self.replicas[at];
        let Some(state) = &mut replica.state else {
            return;
        };
        let held = state.deletions.held().clone();
        if held.is_empty() {
            return;
        }
        if confirms {
            replica.words.extend(held.iter().cloned());
            replica.turn(Some(Input::Confirm)).await;
        } else {
            state.bring_back();
        }
        self.tell(|| format!("replica {at}: a person confirms {confirms} that {held:?} go"));
    }

    /// Everybody who is asked says something.
    pub(super) async fn all_decide(&mut self) {
        for at in 0..self.replicas.len() {
            if let Runs::Desktop { confirms } = self.replicas[at].runs {
                self.decides(at, confirms).await;
                self.replicas[at].turn(None).await;
            }
        }
    }
}

/// What came of an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Yes,
    Not,
    /// The engine ended meanwhile.
    Unknown,
}

/// Versions in the files of a disk that people see.
fn texts(disk: &BTreeMap<String, Entry>) -> BTreeSet<String> {
    let files = disk.iter().filter_map(|(path, entry)| match entry {
        Entry::File { bytes, .. } if !path.starts_with(".slipway/") => Some(bytes),
        _ => None,
    });
    files.flat_map(|bytes| versions(bytes)).collect()
}
