//! What never syncs in a world: tools make it, some of it in a folder that syncs, and some workspaces have rules of their own,
//! which only a person at the hub changes. No engine sends or removes any of it: I18.
use rustix::io::Errno;

use slipway_sync::ignore::RULES_FILE;

use super::actors::ROOT;
use super::desktop::Runs;
use super::oracle::Oracle;
use super::world::World;
use crate::volume::simulated::{Entry, Inner};

/// Where tools make it. A folder that makes way for something else takes what is in it along.
const MADE: [(&str, &str); 3] = [
    ("", "node_modules/kept.js"),
    ("d/", ".venv/kept.py"),
    ("", "secret/key"),
];
/// The last of it, which a workspace's own rules leave out.
const SECRET: usize = MADE.len() - 1;
/// The rules that every replica begins with.
const RULES: &str = "secret/\n";
/// What a person at the hub makes of them; nothing of it lets the secret out of a folder in which somebody wrote them.
pub(super) const OTHER_RULES: [Option<&str>; 5] = [
    Some(RULES),
    Some("secret/\nmore/\n"),
    Some(""),
    Some("!secret/\n"),
    None,
];
const TEXT: &[u8] = b"made by a tool\n";

/// Which of it is on a disk.
pub(super) type Ignored = [bool; MADE.len()];

/// Whether a path is one of what a workspace's own rules leave out.
pub(super) fn is_secret(path: &str) -> bool {
    path.split('/').next() == Some("secret")
}

/// Which of it is there.
fn found(volume: &Inner) -> Ignored {
    let mut found = Ignored::default();
    for (path, entry) in volume.below(ROOT) {
        let is_whole = matches!(entry, Entry::File { bytes, .. } if *bytes == TEXT);
        for (found, (folder, name)) in found.iter_mut().zip(MADE) {
            *found |= is_whole && path.ends_with(name) && folder.is_empty() == (path == name);
        }
    }
    found
}

impl Oracle {
    /// A tool makes something.
    pub(super) fn make_ignored(&mut self, replica: usize, volume: &mut Inner) -> Result<(), Errno> {
        let which = match self.tape.below(MADE.len()) {
            SECRET if !self.guarded[replica] => 0,
            which => which,
        };
        let (folder, name) = MADE[which];
        let whole = format!("{ROOT}/{folder}{name}");
        let parent = whole.rsplit_once('/').map_or("", |(parent, _)| parent);
        volume.make_all(parent)?;
        volume.write(&whole, TEXT)?;
        // It is nobody's edit, and no loss of power shall take it from the story.
        volume.write_back_quietly();
        self.ignored[replica][which] = true;
        Ok(())
    }

    /// What somebody takes away by what they do is no loss.
    pub(super) fn mind_the_ignored<T>(
        &mut self,
        replica: usize,
        volume: &mut Inner,
        does: impl FnOnce(&mut Self, &mut Inner) -> T,
    ) -> T {
        if self.ignored[replica] == Ignored::default() {
            return does(self, volume);
        }
        let before = found(volume);
        let done = does(self, volume);
        let after = found(volume);
        for (which, ignored) in self.ignored[replica].iter_mut().enumerate() {
            *ignored &= after[which] || !before[which];
        }
        done
    }

    /// A person takes folders away whole.
    pub(super) fn forget_ignored_in_folders(&mut self, replica: usize) {
        for (ignored, (folder, _)) in self.ignored[replica].iter_mut().zip(MADE) {
            *ignored &= folder.is_empty();
        }
    }
}

impl World {
    /// Everywhere somebody wrote the same rules before the first start. An agent follows those of the hub, and has no secret.
    pub(super) fn begin_with_rules(&self) {
        for (at, replica) in self.replicas.iter().enumerate() {
            let mut inner = replica.volume.inner();
            let written = inner.write(&format!("{ROOT}/{RULES_FILE}"), RULES.as_bytes());
            assert!(written.is_ok(), "a fresh volume has room");
            inner.write_back_quietly();
            let mut oracle = self.shared.lock();
            // An edit like another, until the hub has it.
            oracle.touch(at, RULES_FILE, false);
            oracle.guarded[at] = replica.runs != Runs::Agent;
        }
    }

    /// Whether a folder of some disk holds some of it, so that it moves aside where something else comes.
    pub(super) fn has_ignored_in_folders(&self) -> bool {
        let mut found = self
            .replicas
            .iter()
            .map(|replica| found(&replica.volume.inner()));
        found.any(|found| {
            found
                .iter()
                .zip(MADE)
                .any(|(found, (folder, _))| *found && !folder.is_empty())
        })
    }

    /// What of it is gone from a disk, though nobody took it away.
    pub(super) fn lost_of_the_ignored(&self, at: usize) -> Option<String> {
        let found = found(&self.replicas[at].volume.inner());
        let ignored = self.shared.lock().ignored[at];
        let lost = (0..MADE.len()).find(|which| ignored[*which] && !found[*which])?;
        let (folder, name) = MADE[lost];
        Some(format!("{folder}{name} of replica {at} is gone"))
    }
}
