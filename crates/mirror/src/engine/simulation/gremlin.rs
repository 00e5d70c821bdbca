//! What happens to a replica between two calls of its engine: a program writes, the process or the computer ends, a call
//! fails. And the watch over what an engine destroys.
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use slipway_core::hash::ContentHash;

use super::actors::ROOT;
use super::calls::{Before, What};
use super::oracle::{Oracle, Torn, is_whole, versions};
use crate::volume::Knows;
use crate::volume::simulated::{Entry, Inner, Loss, Mischief};

/// What actors, volumes and the world share.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Oracle>>);

impl Shared {
    pub(super) fn new(oracle: Oracle) -> Self {
        Self(Arc::new(Mutex::new(oracle)))
    }
    pub(super) fn lock(&self) -> MutexGuard<'_, Oracle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Gremlin {
    pub(super) shared: Shared,
    pub(super) replica: usize,
    pub(super) knows: Knows,
}

impl Mischief for Gremlin {
    fn before(&mut self, call: &'static str, what: &str, volume: &mut Inner) -> Result<(), Errno> {
        let mut oracle = self.shared.lock();
        let oracle = &mut *oracle;
        let is_it =
            |before: &mut Before| before.replica == self.replica && before.call == volume.calls;
        if let Some(before) = oracle.before.take_if(is_it) {
            return match before.what {
                What::Ends(loss) => {
                    crash(oracle, self.replica, volume, loss);
                    Ok(())
                }
                What::Program => {
                    self.program(oracle, call, what, volume);
                    Ok(())
                }
                What::Fails(error) => self.fails(oracle, call, what, error),
            };
        }
        match oracle.armed[self.replica].as_mut() {
            None => return Ok(()),
            Some(0) => {}
            Some(left) => {
                *left -= 1;
                return Ok(());
            }
        }
        oracle.armed[self.replica] = None;
        let harm = oracle.harm;
        match oracle.tape.below(10) {
            0..5 if harm.hostile && oracle.solo.is_none_or(|solo| solo == self.replica) => {
                self.program(oracle, call, what, volume);
                oracle.arm(self.replica);
            }
            5 | 6 if harm.crashes => crash(oracle, self.replica, volume, Loss::Process),
            7 if harm.power => crash(oracle, self.replica, volume, Loss::Power),
            8.. if harm.errors => {
                let errors = [Errno::IO, Errno::NOSPC, Errno::ACCESS, Errno::MFILE];
                let error = *oracle.tape.pick(&errors);
                oracle.arm(self.replica);
                return self.fails(oracle, call, what, error);
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, call: &'static str, what: &str, error: Option<&Errno>) {
        let changes = [
            "rename", "replace", "exchange", "link", "unlink", "mkdir", "rmdir", "symlink",
        ];
        // What the volume knows stands in the first line.
        if changes.contains(&call) && !what.contains("/tmp/n-asked") {
            let replica = self.replica;
            let how = error.map_or(String::new(), |error| format!(": {error}"));
            self.shared
                .lock()
                .tell(|| format!("    replica {replica}: {call} {what}{how}"));
        }
    }

    fn renamed(&mut self, from: &str, to: &str, is_kept: bool) {
        let mut oracle = self.shared.lock();
        // Else there is no other way, and a note says where the old one belongs.
        let can_stay = self.knows.exchange || self.knows.link;
        match (is_visible(from), is_visible(to)) {
            (true, false) if !is_kept && can_stay => {
                oracle.away[self.replica].insert(from.to_owned());
            }
            (false, true) if oracle.away[self.replica].contains(to) && to_come(from) => {
                let text = format!("{to} was away before what replaces it came");
                oracle.gap.get_or_insert(text);
            }
            _ => {}
        }
    }

    fn destroys(&mut self, path: &str, bytes: &[u8], volume: &Inner) -> Option<String> {
        let inside = path
            .strip_prefix(ROOT)
            .map(|path| path.trim_start_matches('/'));
        if inside.is_some_and(|inside| !inside.starts_with(".slipway/")) {
            return Some(format!("the engine destroys {path} unseen"));
        }
        // What was only on its way in is whoever's who sent it.
        if to_come(path) {
            return None;
        }
        self.lost(path, bytes, volume)
    }

    fn durable(&mut self, bytes: &[u8]) {
        self.shared.lock().is_durable(self.replica, bytes);
    }
}

impl Gremlin {
    /// A program does something where a call is about to.
    fn program(&self, oracle: &mut Oracle, call: &str, what: &str, volume: &mut Inner) {
        // No look of the engine's comes after this, and no volume of this kind refuses: its documents say so.
        let to = what.rfind(" /").map_or("", |at| &what[at + 1..]);
        if self.knows != Knows::ALL && call == "replace" && is_visible(to) {
            return;
        }
        // While a file makes way for another with a note, whoever comes by finds none.
        let mut files = volume.files("/").into_iter();
        oracle.missed |= files.any(|(path, ..)| path.contains("/tmp/n-x-"));
        let replica = self.replica;
        oracle.tell(|| format!("before {call} {what} of replica {replica}:"));
        oracle.any_hostile = true;
        oracle.focus = inside(what);
        oracle.program(replica, volume);
        oracle.focus = None;
    }

    fn fails(
        &self,
        oracle: &mut Oracle,
        call: &str,
        what: &str,
        error: Errno,
    ) -> Result<(), Errno> {
        let replica = self.replica;
        oracle.tell(|| format!("replica {replica}: {call} {what} fails: {error}"));
        oracle.troubled = true;
        Err(error)
    }

    /// What of these bytes is nowhere else.
    fn lost(&self, path: &str, bytes: &[u8], volume: &Inner) -> Option<String> {
        let oracle = self.shared.lock();
        if oracle.restored {
            // What the hub had may be on another disk alone: if it is lost in the end, I1 says so.
            return None;
        }
        let mut owed: BTreeSet<String> = oracle.owed_in(bytes).into_iter().collect();
        owed.retain(|version| !oracle.at_hub.contains(version));
        if owed.is_empty() {
            return None;
        }
        for (other, entry) in volume.below("/") {
            if let Entry::File { bytes, .. } = entry
                && format!("/{other}") != path
            {
                owed.retain(|version| !versions(&bytes).contains(version));
            }
        }
        (!owed.is_empty())
            .then(|| format!("the engine destroys {path} with {owed:?}, which is nowhere else"))
    }
}

/// The path of a call's that people see, if it has one.
fn inside(what: &str) -> Option<String> {
    let begin = what.rfind(&format!("{ROOT}/"))?;
    let path = what[begin..].split(" /").next()?;
    (!path.contains("/.slipway")).then(|| path.to_owned())
}

/// Whether people see what stands at a path.
pub(super) fn is_visible(path: &str) -> bool {
    path.starts_with(ROOT) && !path.contains("/.slipway/")
}

/// Whether a private file is one that was never visible.
fn to_come(path: &str) -> bool {
    path.contains("/tmp/n-")
}

/// Ends an engine, and maybe its computer.
pub(super) fn crash(oracle: &mut Oracle, replica: usize, volume: &mut Inner, loss: Loss) {
    oracle.tell(|| format!("replica {replica}: the end of the {loss:?}"));
    let before = volume.held();
    volume.crash(loss, &mut |many| oracle.tape.below(many));
    oracle.any_crash = true;
    if loss == Loss::Process {
        return;
    }
    oracle.lost_power = Some(replica);
    oracle.forget_late(replica);
    for (path, id, bytes) in volume.files(ROOT) {
        let Some(old) = before.get(&id).filter(|old| **old != bytes) else {
            continue;
        };
        if is_whole(&bytes) {
            continue;
        }
        oracle.tell(|| format!("  {path} is torn: {} of {} bytes", bytes.len(), old.len()));
        let was = ContentHash::of(old);
        if !oracle.contents.contains(&was) {
            // What a program saved there alone is nobody's to mend, nor what it saved it over.
            oracle.forget(old);
            continue;
        }
        let torn = Torn {
            was,
            place: path.clone(),
            is_blank: bytes.iter().all(|byte| *byte == 0),
        };
        let hash = ContentHash::of(&bytes);
        oracle.torn[replica].entry(hash).or_default().push(torn);
    }
}
