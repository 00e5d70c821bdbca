//! The invariants of a simulated world, by their names.
//!
//! I1 no lost write, I2 nothing destroyed unseen, I3 every change is found, I4 convergence, I5 no delete of what was not
//! deleted, I7 no torn content at the hub, I8 a file that moves is at the hub at every instant, I10 no echo, I12 no needless
//! copies, I14 nothing outside is touched, I15 revisions are heard whole, I18 what is ignored stays, I19 what is said to be on
//! the disk is, I20 the same tape is the same world, I24 the base is what the hub has. Others say that a harm costs none of
//! these; they are named beside what does not hold in a world that has the harm: [`UNDER`].
use std::collections::{BTreeMap, BTreeSet};

use slipway_core::hash::ContentHash;
use slipway_core::path::{RelPath, fold};
use slipway_sync::ignore::Rules;
use slipway_sync::node::Node;
use tokio::sync::oneshot::error::TryRecvError;

use super::actors::{OUTSIDE, ROOT};
use super::ignored::is_secret;
use super::world::World;
use crate::volume::simulated::{Entry, Spelling};

/// Invariants that say that others hold under some harm, with those.
const UNDER: &[(&str, &[&str])] = &[
    // A hub that was set back, or a folder that is not the one that it was.
    ("I6", &["I1", "I2", "I5"]),
    // Events that were lost, told again or told before others.
    ("I9", &["I1", "I2", "I3", "I4", "I5", "I19"]),
    // Names that some volumes take for others.
    ("I13", &["I1", "I2", "I4", "I5"]),
    // Frames that were told twice, or come when the next connection has begun.
    (
        "I16",
        &["I1", "I2", "I4", "I5", "I10", "I12", "I15", "I19", "I24"],
    ),
];

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) invariant: &'static str,
    /// Those that say that it holds in a world like this.
    under: Vec<&'static str>,
    pub(super) text: String,
}

impl Wrong {
    pub(super) const fn new(invariant: &'static str, text: String) -> Self {
        Self {
            invariant,
            under: Vec::new(),
            text,
        }
    }

    /// In a world that has these.
    pub(super) fn under(mut self, harm: &[&str]) -> Self {
        let says = UNDER
            .iter()
            .filter(|(name, others)| harm.contains(name) && others.contains(&self.invariant));
        self.under = says.map(|(name, _)| *name).collect();
        self
    }

    /// The names of what does not hold.
    pub(super) fn names(&self) -> String {
        match self.under.is_empty() {
            true => self.invariant.to_owned(),
            false => format!("{} ({})", self.invariant, self.under.join(", ")),
        }
    }

    /// Of a volume.
    pub(super) fn of_text(text: &str) -> Self {
        Self::new("I2", text.to_owned())
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.names(), self.text)
    }
}

/// Whether a path below a root is one that syncs.
pub(super) fn syncs(path: &str, is_folder: bool) -> bool {
    let is_ignored = |path| Rules::default().ignores(&path, is_folder);
    RelPath::parse(path).is_ok_and(|path| !is_ignored(path)) && !is_secret(path)
}

impl World {
    pub(super) fn fails(&mut self, invariant: &'static str, text: String) {
        self.wrong.get_or_insert(Wrong::new(invariant, text));
    }

    /// A replica said that its disk shows a revision: I19.
    pub(super) fn check_applied(&mut self, at: usize, revision: u64) {
        self.tell(|| format!("replica {at}: shows {revision}"));
        if revision > self.hub.head {
            return self.fails(
                "I15",
                format!("replica {at} shows {revision}, which is none"),
            );
        }
        let (tree, disk) = (self.hub.at(revision), self.visible(at));
        let is_touched = |path: &RelPath| {
            let key = fold(path.as_str());
            let oracle = self.shared.lock();
            let near = |other: &str| {
                key == other
                    || key.starts_with(&format!("{other}/"))
                    || other.starts_with(&format!("{key}/"))
            };
            oracle.touched[at].keys().any(|other| near(other))
        };
        let unknown = self.replicas[at].unseen_at(revision);
        let is_unknown = |path: &RelPath| {
            unknown
                .iter()
                .any(|folder| path == folder || path.is_below(folder))
        };
        let not_shown = tree.keys().find(|path| {
            let stood = self.hub.since(revision, path);
            let shown = stood.iter().any(|node| node.as_ref() == disk.get(*path));
            !shown && !is_touched(path) && !is_unknown(path)
        });
        if let Some(path) = not_shown {
            let text = format!(
                "replica {at} says it shows {revision}, but not {path}: {:?}",
                disk.get(path)
            );
            self.fails("I19", text);
        }
    }

    /// A flush was answered: what the disk held when it began is at the hub.
    pub(super) fn check_flushes(&mut self) {
        let oracle = self.shared.lock();
        // What a refusal leaves out, and what is written between two calls, may be later.
        let loose = oracle.alike || oracle.any_hostile || oracle.troubled;
        let hidden = oracle.hidden.clone();
        let (owed, at_hub) = (oracle.owed.clone(), oracle.at_hub.clone());
        drop(oracle);
        for (at, hid) in hidden.into_iter().enumerate().take(self.replicas.len()) {
            let Some(asked) = &mut self.replicas[at].asked else {
                continue;
            };
            match asked.answer.try_recv() {
                Err(TryRecvError::Empty) => continue,
                Err(TryRecvError::Closed) => {}
                Ok(_) if hid || loose => {}
                Ok(_) => {
                    let wanted = asked.versions.intersection(&owed);
                    let lacking: Vec<_> = wanted
                        .filter(|version| !at_hub.contains(*version))
                        .cloned()
                        .collect();
                    if !lacking.is_empty() {
                        self.fails(
                            "I19",
                            format!("replica {at} was flushed, but the hub lacks {lacking:?}"),
                        );
                    }
                }
            }
            self.replicas[at].asked = None;
        }
    }

    /// Whether a name is kept as the hub has it, or in another form by a volume that finds it by either.
    pub(super) fn is_named_well(&self, at: usize, path: &str) -> bool {
        let is_exact = self.replicas[at].volume.inner().make.spelling == Spelling::Exact;
        RelPath::parse(path).is_ok_and(|known| !is_exact || known.as_str() == path)
    }

    /// What syncs of a disk, by the hub's names.
    fn visible(&self, at: usize) -> BTreeMap<RelPath, Node> {
        let disk = self.replicas[at].volume.inner().below(ROOT);
        let entries = disk
            .into_iter()
            .filter(|(path, entry)| syncs(path, *entry == Entry::Folder));
        let nodes = entries.filter_map(|(path, entry)| {
            let node = match entry {
                Entry::File { bytes, executable } => Node::File {
                    hash: ContentHash::of(&bytes),
                    size: bytes.len() as u64,
                    executable,
                },
                Entry::Folder => Node::Folder,
                Entry::Link(target) => Node::Symlink { target },
                Entry::Pipe => return None,
            };
            let named_well = self.is_named_well(at, &path);
            named_well.then_some((RelPath::parse(&path).ok()?, node))
        });
        nodes.collect()
    }

    /// Everything that holds when a world has come to rest.
    pub(super) async fn check(&mut self) {
        if self.wrong.is_some() {
            return;
        }
        for at in 0..self.replicas.len() {
            self.check_replica(at);
        }
        self.check_owed();
        self.check_copies();
        let refused = |replica: &super::replica::Replica| replica.known().refused;
        let is_quiet = !self.replicas.iter().any(refused) && !self.has_ignored_in_folders();
        if self.wrong.is_none() && is_quiet {
            self.check_echo().await;
        }
    }

    fn check_replica(&mut self, at: usize) {
        let disk = self.visible(at);
        let folds: BTreeSet<String> = self.hub.tree.keys().map(RelPath::fold_key).collect();
        // A name that differs only in spelling, or a link that leads out, stays on its disk alone, and a person is told.
        let stays = |path: &RelPath, node: &Node| {
            let whole = path.ancestors().chain([path.clone()]);
            let clashes = whole
                .into_iter()
                .any(|path| !self.hub.tree.contains_key(&path) && folds.contains(&path.fold_key()));
            clashes || matches!(node, Node::Symlink { target } if target.starts_with('/'))
        };
        // So does a folder for the sake of what is in it, and of what does not sync.
        let outsiders = self.outsiders(at);
        let stays_for = |path: &RelPath| {
            let mut below = disk.iter().filter(|(other, _)| other.is_below(path));
            let is_in = |other: &String| {
                other
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            below.any(|(other, node)| stays(other, node)) || outsiders.iter().any(is_in)
        };
        let known = self.replicas[at].known();
        let mut wrong = None;
        if let Some(path) = known.no_place.iter().find(|path| !self.is_taken(at, path)) {
            let text = format!("{path} is said to have no place on replica {at}");
            wrong = Some(("I4", text));
        }
        for (path, node) in &disk {
            if self.hub.tree.get(path) != Some(node) && !stays(path, node) && !stays_for(path) {
                wrong = Some((
                    "I4",
                    format!(
                        "{path} of replica {at} is {node:?}, at the hub {:?}",
                        self.hub.tree.get(path)
                    ),
                ));
            }
            if known.local.get(path) != Some(node) {
                wrong = Some((
                    "I3",
                    format!(
                        "{path} of replica {at} is {node:?}, seen is {:?}",
                        known.local.get(path)
                    ),
                ));
            }
        }
        if let Some(path) = known.local.keys().find(|path| !disk.contains_key(*path)) {
            let text = format!(
                "{path} is not on replica {at}, seen is {:?}",
                known.local[path]
            );
            wrong = Some(("I3", text));
        }
        // What has no place here was told.
        let mut tree = self.hub.tree.clone();
        tree.retain(|path, _| !known.no_place.contains(path));
        if let Some(path) = tree.keys().find(|path| !disk.contains_key(*path)) {
            let text = format!("{path} is at the hub, and not on replica {at}");
            wrong = Some(("I4", text));
        }
        let mut base = known.base.clone();
        base.retain(|path, _| {
            !known.no_place.contains(path)
                && (tree.contains_key(path)
                    || !disk
                        .get(path)
                        .is_some_and(|node| stays(path, node) || stays_for(path)))
        });
        if base != tree {
            let mut rows = tree.iter();
            let differs = rows.find(|(path, node)| base.get(*path) != Some(node));
            let beyond = base.keys().find(|path| !tree.contains_key(*path));
            wrong = wrong.or(Some((
                "I24",
                format!("the base of replica {at} is not the hub's tree: {differs:?} {beyond:?}"),
            )));
        }
        if known.revision != self.hub.head {
            wrong = Some((
                "I15",
                format!(
                    "replica {at} is at {}, the hub at {}",
                    known.revision, self.hub.head
                ),
            ));
        }
        let inner = self.replicas[at].volume.inner();
        let outside = inner.below(OUTSIDE);
        if outside.len() != 1
            || inner
                .bytes(&format!("{OUTSIDE}/secret"))
                .is_none_or(|bytes| **bytes != *b"nobody's business\n")
        {
            wrong = Some(("I14", format!("outside of replica {at}: {outside:?}")));
        }
        drop(inner);
        if let Some(text) = self.lost_of_the_ignored(at) {
            wrong = Some(("I18", text));
        }
        if let Some((invariant, text)) = wrong {
            self.fails(invariant, text);
        }
    }

    /// Whether a disk has something at a path, or above it, that does not sync.
    fn is_taken(&self, at: usize, path: &RelPath) -> bool {
        let is_here = |name: &String| {
            let mut whole = path.ancestors().chain([path.clone()]);
            whole.any(|part| fold(part.as_str()) == fold(name))
        };
        self.outsiders(at).iter().any(is_here)
    }

    /// What a disk has that does not sync.
    fn outsiders(&self, at: usize) -> Vec<String> {
        let disk = self.replicas[at].volume.inner().below(ROOT).into_iter();
        let outsiders = disk
            .filter(|(name, entry)| *entry == Entry::Pipe || !syncs(name, *entry == Entry::Folder));
        outsiders.map(|(name, _)| name).collect()
    }

    /// Every version that nobody replaced who saw it is somewhere: I1.
    fn check_owed(&mut self) {
        let mut there = BTreeSet::new();
        for replica in &self.replicas {
            for text in replica.volume.inner().texts("/") {
                there.extend(super::oracle::versions(&text));
            }
        }
        let owed = self.shared.lock().owed.clone();
        let lost: Vec<_> = owed.difference(&there).collect();
        if !lost.is_empty() {
            self.fails("I1", format!("lost: {lost:?}"));
        }
    }

    /// Where one alone writes and nothing is lost, there is nothing to be copied but what it wrote late to a file of which
    /// another had taken the place: I12.
    pub(super) fn check_copies(&mut self) {
        let oracle = self.shared.lock();
        let is_plain = self.solo.is_some()
            && !oracle.restored
            && !oracle.any_crash
            && !oracle.troubled
            && !oracle.missed
            && !oracle.belated
            && !oracle.has_rules
            && !oracle.alike;
        let strays = oracle.strays;
        drop(oracle);
        let copies = self.hub.tree.keys();
        let copies: Vec<_> = copies
            .filter(|path| path.name().contains("(conflict "))
            .map(ToString::to_string)
            .collect();
        if is_plain && copies.len() > strays {
            let text = format!("only one wrote, {strays} times late, and there is {copies:?}");
            self.fails("I12", text);
        }
    }

    /// What comes from the hub is not proposed to it: I10.
    async fn check_echo(&mut self) {
        let before = self.shared.lock().proposals;
        for _ in 0..2 {
            self.shared.lock().person(&mut self.hub);
        }
        self.spread();
        self.rest().await;
        let after = self.shared.lock().proposals;
        if before != after && self.wrong.is_none() {
            self.fails(
                "I10",
                format!("{} batches followed on changes of the hub", after - before),
            );
        }
    }
}
