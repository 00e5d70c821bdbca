//! Everything that the loop owns, and the loop itself.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::v1::Moment;
use slipway_sync::node::Node;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::around::Surroundings;
use super::ask::Ask;
use super::batch::{self, Catch, Outstanding, Unanswered};
use super::beside::Beside;
use super::burst::{self, Bursts};
use super::contents::Contents;
use super::copies::{self, Copies};
use super::deletion::Deletions;
use super::keep::{Keep, Trash};
use super::ledger::Ledger;
use super::link::{Flush, FlushAnswer};
use super::odd::OddNames;
use super::pace::{Held, Pace, Young};
use super::parts::{self, Parts};
use super::rules::{self, InForce};
use super::texts::{self, Texts};
use super::torn::{self, Suspects};
use super::tree::Apart;
use super::trouble::Troubles;
use super::view::Told;
use super::{Brake, EngineError, Input, Link, Settings};
use crate::base::Base;
use crate::disk::root::identity_on;
use crate::disk::{Disk, Fingerprint};
use crate::local::By;
use crate::memory::{self, Bout};
use crate::notice::Notice;
use crate::planted::{self, Bug};
use crate::watch::{Hint, Watch};

/// Changes gather this long: an editor's save is several events.
const QUIET: Duration = Duration::from_millis(12);
/// A look at everything, for what no event told.
const AUDIT: Duration = Duration::from_secs(600);
/// The same while some folders are not watched; longer where a look takes long, so that it stays a small part of a core.
const AUDIT_PARTIAL: Duration = Duration::from_secs(2);
const AUDIT_PARTIAL_MAX: Duration = Duration::from_secs(30);
const AUDIT_SHARE: u32 = 50;

/// A file's state when it was hashed.
#[derive(Clone, Copy)]
pub(super) struct Print {
    pub(super) print: Fingerprint,
    /// A later write would show in the stamps.
    pub(super) settled: bool,
}

/// Everything that the loop owns.
pub(super) struct State {
    pub(super) disk: Disk,
    pub(super) watch: Watch,
    pub(super) beside: Beside,
    pub(super) rules: InForce,
    pub(super) name: String,
    pub(super) brake: Brake,
    pub(super) deletions: Deletions,
    /// What hub and disk last agreed on.
    pub(super) base: BTreeMap<RelPath, Node>,
    /// The disk as last seen.
    pub(super) local: BTreeMap<RelPath, Node>,
    /// The hub as last heard.
    pub(super) remote: BTreeMap<RelPath, Node>,
    /// Where the hub has something else than the base.
    pub(super) apart: Apart,
    /// Where the disk has something else than the base.
    pub(super) unsent: Apart,
    /// What changed on the disk, for those who show it.
    pub(super) ledger: Ledger,
    /// Whether what the hub changes, and what a person deletes, can be taken back.
    pub(super) undo: bool,
    pub(super) bursts: Bursts,
    pub(super) copies: Copies,
    pub(super) texts: Texts,
    pub(super) parts: Parts,
    pub(super) told: Told,
    pub(super) prints: HashMap<RelPath, Print>,
    /// Folders whose content cannot be seen: nothing below them is decided.
    pub(super) unknown: BTreeSet<RelPath>,
    pub(super) root_unknown: bool,
    pub(super) epoch: String,
    /// The newest revision that the hub was ever seen at.
    pub(super) seen: u64,
    /// The newest of which it told when it was made.
    pub(super) moment: Option<Moment>,
    /// What was seen when the base was read.
    pub(super) seen_before: u64,
    /// Which start of the computer this is.
    pub(super) boot: String,
    /// Files that a loss of power may have left in parts.
    pub(super) suspects: Suspects,
    /// The newest revision of which every change was heard.
    pub(super) revision: u64,
    /// The newest revision that the hub named in an answer.
    pub(super) committed: u64,
    /// Paths of which an answer told more than the changes heard so far, with the answer's revision.
    pub(super) ahead: HashMap<RelPath, u64>,
    /// A full listing is arriving: what it does not name is gone.
    pub(super) listing: Option<BTreeMap<RelPath, Node>>,
    pub(super) link: Option<Link>,
    /// A connection ended before the disk showed everything that it had told.
    pub(super) behind: bool,
    /// The hub has said hello and its tree is known.
    pub(super) in_step: bool,
    /// This hub says what its tree comes to.
    pub(super) hub_compares: bool,
    /// What was heard of the hub's tree is to be held against it.
    pub(super) compares: bool,
    pub(super) dirty: BTreeSet<RelPath>,
    pub(super) everything: bool,
    look_at: Option<Instant>,
    pub(super) held: Held,
    pub(super) young: Young,
    pub(super) pace: Pace,
    pub(super) contents: Contents,
    pub(super) to_propose: BTreeSet<RelPath>,
    /// Those of them, and maybe some more, at which the hub has something that is to go.
    pub(super) leaving: BTreeSet<RelPath>,
    pub(super) outstanding: Option<Outstanding>,
    pub(super) unanswered: Unanswered,
    pub(super) catch: Catch,
    pub(super) batch: u64,
    pub(super) troubles: Troubles,
    pub(super) odd: OddNames,
    pub(super) flushes: Vec<Flush>,
    /// Something was moved to a copy that no look has found yet.
    pub(super) moved_aside: bool,
    /// What this connection was told to be on the disk.
    pub(super) applied_told: Option<u64>,
    /// When to try again to tell it.
    pub(super) tell_at: Option<Instant>,
    pub(super) applied: watch::Sender<u64>,
    pub(super) notices: broadcast::Sender<Notice>,
    pub(super) keep: Keep,
    pub(super) trash: Trash,
    audit_at: Instant,
}

impl State {
    pub(super) fn open(
        settings: Settings,
        applied: watch::Sender<u64>,
        notices: broadcast::Sender<Notice>,
    ) -> Result<Self, EngineError> {
        Self::with(settings, Surroundings::default(), applied, notices)
    }

    pub(super) fn with(
        settings: Settings,
        around: Surroundings,
        applied: watch::Sender<u64>,
        notices: broadcast::Sender<Notice>,
    ) -> Result<Self, EngineError> {
        let Surroundings {
            volume,
            watch,
            beside,
        } = around;
        let mut disk = Disk::open(&volume, &settings.root, &settings.state)?;
        let id = match planted::is(Bug::AnyRoot) {
            false => identity_on(&volume, &settings.root, &settings.fresh_id)?,
            true => String::new(),
        };
        let store = Base::open(&volume, &settings.state, &format!("{id}.base"))?;
        let agreed = store.read()?;
        let boot = volume.boot();
        let catch = match agreed.boot.is_empty() {
            true => Catch::Up,
            false => Catch::Ask,
        };
        let has_lost_power = !agreed.boot.is_empty() && agreed.boot != boot;
        let known: HashSet<ContentHash> = agreed.nodes.values().filter_map(Node::hash).collect();
        let stored = store.records(burst::RECORD)?.into_iter();
        let bursts = Bursts::read(stored.map(|(_, bytes)| bytes));
        let copies = Copies::read(store.records(copies::RECORD)?);
        let texts = Texts::read(&store.records(texts::RECORD)?);
        let parts = Parts::read(&store.records(parts::RECORD)?);
        let rules = store.record(rules::RECORD)?;
        let unanswered = store.records(batch::RECORD)?;
        let suspects = store.records(torn::RECORD)?;
        let recovered = disk.private().recover(&known, &bursts.names())?;
        let mut state = Self {
            disk,
            watch,
            beside,
            rules: InForce::read(rules.as_deref()),
            name: settings.name,
            brake: settings.brake,
            deletions: Deletions::default(),
            remote: agreed.nodes.clone(),
            apart: Apart::default(),
            unsent: Apart::default(),
            ledger: Ledger::new(),
            undo: settings.undo,
            bursts,
            copies,
            texts,
            parts,
            told: Told::default(),
            base: agreed.nodes,
            local: BTreeMap::new(),
            prints: HashMap::new(),
            unknown: BTreeSet::new(),
            root_unknown: false,
            seen: agreed.seen.max(agreed.revision),
            moment: agreed.moment,
            seen_before: agreed.seen.max(agreed.revision),
            epoch: agreed.epoch,
            boot,
            suspects: Suspects::default(),
            revision: agreed.revision,
            committed: agreed.revision,
            ahead: HashMap::new(),
            listing: None,
            link: None,
            behind: false,
            in_step: false,
            hub_compares: false,
            compares: false,
            dirty: BTreeSet::new(),
            everything: true,
            look_at: None,
            held: Held::default(),
            young: Young::default(),
            pace: Pace::default(),
            contents: Contents::default(),
            to_propose: BTreeSet::new(),
            leaving: BTreeSet::new(),
            outstanding: None,
            unanswered: Unanswered::read(&unanswered),
            catch,
            batch: 0,
            troubles: Troubles::default(),
            odd: OddNames::default(),
            flushes: Vec::new(),
            moved_aside: false,
            applied_told: None,
            tell_at: None,
            applied,
            notices,
            keep: Keep::new(Arc::new(store)),
            trash: Trash::default(),
            audit_at: Instant::now() + AUDIT,
        };
        for (key, _) in unanswered {
            state.keep.record(key, None);
        }
        let (many, folder) = recovered;
        if many > 0 {
            state.notice(Notice::Recovered { many, folder });
        }
        // After an end that was none, the hub may have written what the base does not tell of.
        let was_stopped = state.catch == Catch::Up;
        state.read_rules(if was_stopped { By::Disk } else { By::Hub });
        state.look();
        state.suspect_files(has_lost_power, suspects);
        if agreed.boot != state.boot {
            state.begin()?;
        }
        state.ledger.begin();
        state.forget_gone_copies();
        Ok(state)
    }

    pub(super) async fn run(
        &mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut asks: mpsc::Receiver<Ask>,
    ) -> Option<oneshot::Sender<()>> {
        let mut bout = Bout::default();
        loop {
            let wake_at = [self.wake_at(), bout.over_at()].into_iter().flatten().min();
            tokio::select! {
                biased;
                // A person waits for it.
                Some(ask) = asks.recv() => ask(self),
                input = inputs.recv() => match input {
                    Some(Input::Stop(done)) => {
                        self.store_now().await;
                        return Some(done);
                    }
                    Some(input) => self.take(input).await,
                    None => {
                        self.store_now().await;
                        return None;
                    }
                },
                () = self.watch.heard() => self.hear(),
                stored = self.keep.stored() => self.stored(stored),
                () = until(wake_at) => {
                    let now = Instant::now();
                    if bout.ends(now) {
                        self.rest();
                        continue;
                    }
                    self.wake(now);
                }
            }
            self.act().await;
            bout.turn(Instant::now());
        }
    }

    /// A bout of work is over: what it took is given back.
    fn rest(&mut self) {
        for tree in [&mut self.base, &mut self.local, &mut self.remote] {
            memory::pack(tree);
        }
        memory::give_back();
    }

    /// When the next thing is due without anything being heard.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let paced = self.next_proposal();
        [
            self.look_at,
            self.keep.due(),
            self.held.next(),
            self.young.next(),
            self.troubles.next(),
            self.trash.next(),
            self.tell_at,
            self.told.next(),
            paced,
            Some(self.audit_at),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) async fn take(&mut self, input: Input) {
        match input {
            Input::Connected(link) => self.connected(link).await,
            Input::Disconnected(link) if self.is_current(link) => self.disconnected(),
            Input::Hub(link, frame) if self.is_current(link) => self.hub_frame(frame).await,
            Input::Bulk(link, frame) if self.is_current(link) => self.bulk_frame(frame),
            // Of a connection that another has taken the place of.
            Input::Disconnected(_) | Input::Hub(..) | Input::Bulk(..) => {}
            Input::Flush(answer) => self.flush(FlushAnswer::Agent(answer)),
            Input::Confirm => self.confirm(),
            Input::Stop(_) => {}
        }
    }

    pub(super) fn hear(&mut self) {
        match self.watch.take() {
            Some(Hint::Everything) => self.everything = true,
            Some(Hint::Paths(paths)) => self.mark(&paths),
            None => return,
        }
        self.look_soon();
    }

    /// Looks after a quiet moment.
    pub(super) fn look_soon(&mut self) {
        self.look_at.get_or_insert_with(|| Instant::now() + QUIET);
    }

    pub(super) fn wake(&mut self, now: Instant) {
        let mut looks = self.look_at.is_some_and(|at| at <= now);
        let mut again = self.held.due(now);
        again.extend(self.troubles.unread(now));
        again.extend(self.young.due(now));
        looks |= !again.is_empty();
        self.dirty.extend(again);
        if self.audit_at <= now {
            // A folder that was missed may not be watched, or another one in its place.
            self.watch.distrust();
            self.everything = true;
            self.compares = true;
            if planted::is(Bug::NoAudit) {
                self.everything = false;
                self.audit_after(Duration::ZERO);
            }
            looks = true;
        }
        if looks {
            self.look();
        }
        let due = self.troubles.due(now);
        self.settle_all(due.into_iter().collect());
        self.empty_trash(now);
        if self.keep.due().is_some_and(|at| at <= now) {
            self.store();
        }
    }

    /// A look at everything or at what is dirty has begun.
    pub(super) fn look_begins(&mut self) {
        self.look_at = None;
        self.moved_aside = false;
    }

    /// Sets the time of the next look at everything, after one that took so long.
    pub(super) fn audit_after(&mut self, took: Duration) {
        let pause = if self.watch.is_partial() {
            (took * AUDIT_SHARE).clamp(AUDIT_PARTIAL, AUDIT_PARTIAL_MAX)
        } else {
            AUDIT
        };
        self.audit_at = Instant::now() + pause;
    }

    /// The root is looked for again before long.
    pub(super) fn audit_while_gone(&mut self) {
        self.audit_at = Instant::now() + AUDIT_PARTIAL;
    }

    /// Folders that cannot be watched came up between two looks at everything.
    pub(super) fn audit_if_partial(&mut self) {
        if self.watch.is_partial() {
            self.audit_at = self.audit_at.min(Instant::now() + AUDIT_PARTIAL_MAX);
        }
    }

    /// What follows from any input: contents to ask for, proposals, the word that a revision is on the disk, answers
    /// to flushes.
    pub(super) async fn act(&mut self) {
        self.turn();
        self.keep_displaced();
        self.contents.tidy(&mut self.disk);
        self.tell_troubles();
        self.tell_odd_names();
        if self.link.is_some() {
            self.ask_for_contents().await;
        }
        if self.in_step {
            self.propose().await;
            self.tell_applied().await;
            self.answer_flushes().await;
            self.compare_with_hub().await;
        }
        self.tell_view();
    }
}

pub(super) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
