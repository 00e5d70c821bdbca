//! Everything that the loop owns, and the loop itself.
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use slipway_core::hash::ContentHash;
use slipway_sync::node::Node;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::around::Surroundings;
use super::ask::Ask;
use super::batch::{self, Proposals};
use super::beside::Beside;
use super::burst::{self, Bursts};
use super::contents::Contents;
use super::copies::{self, Copies};
use super::deletion::Deletions;
use super::heard::Heard;
use super::keep::{Keep, Trash};
use super::ledger::Ledger;
use super::odd::OddNames;
use super::parts::{self, Parts};
use super::reports::{FlushAnswer, Reports};
use super::rules::{self, InForce};
use super::sight::Sight;
use super::texts::{self, Texts};
use super::torn::{self, Suspects};
use super::tree::Trees;
use super::trouble::Troubles;
use super::view::Told;
use super::{Brake, EngineError, Input, Link, Settings};
use crate::base::Base;
use crate::disk::Disk;
use crate::disk::root::identity_on;
use crate::local::By;
use crate::memory::{self, Bout};
use crate::notice::Notice;
use crate::planted::{self, Bug};
use crate::watch::{Hint, Watch};

/// Everything that the loop owns.
pub(super) struct State {
    pub(super) name: String,
    pub(super) brake: Brake,
    /// Whether what the hub changes, and what a person deletes, can be taken back.
    pub(super) undo: bool,

    // What is outside.
    pub(super) disk: Disk,
    pub(super) watch: Watch,
    pub(super) beside: Beside,
    pub(super) link: Option<Link>,
    pub(super) notices: broadcast::Sender<Notice>,

    // What is known, and what follows from it.
    pub(super) trees: Trees,
    pub(super) sight: Sight,
    /// New files that a look reads before others have their turn.
    pub(super) new_at_once: usize,
    pub(super) tracked_min: usize,
    pub(super) hub: Heard,
    pub(super) proposals: Proposals,
    pub(super) contents: Contents,
    pub(super) reports: Reports,
    pub(super) rules: InForce,

    // What stands in the way of it.
    pub(super) troubles: Troubles,
    pub(super) deletions: Deletions,
    pub(super) odd: OddNames,
    pub(super) suspects: Suspects,

    // What a person is shown, or takes back.
    pub(super) told: Told,
    /// What changed on the disk, for those who show it.
    pub(super) ledger: Ledger,
    pub(super) bursts: Bursts,
    pub(super) copies: Copies,

    // What is kept.
    pub(super) keep: Keep,
    pub(super) trash: Trash,
    pub(super) texts: Texts,
    pub(super) parts: Parts,
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
            new_at_once,
            tracked_min,
        } = around;
        let mut disk = Disk::open(&volume, &settings.root, &settings.state)?;
        let id = match planted::is(Bug::AnyRoot) {
            false => identity_on(&volume, &settings.root, &settings.fresh_id)?,
            true => String::new(),
        };
        let store = Base::open(&volume, &settings.state, &format!("{id}.base"))?;
        let agreed = store.read()?;
        let boot = volume.boot();
        let was_stopped = agreed.boot.is_empty();
        let has_lost_power = !was_stopped && agreed.boot != boot;
        let is_same_boot = agreed.boot == boot;
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
            name: settings.name,
            brake: settings.brake,
            undo: settings.undo,
            disk,
            watch,
            beside,
            link: None,
            notices,
            hub: Heard::of(&agreed),
            trees: Trees::new(agreed.nodes),
            sight: Sight::default(),
            new_at_once,
            tracked_min,
            proposals: Proposals::after(&unanswered),
            contents: Contents::default(),
            reports: Reports::new(applied),
            rules: InForce::read(rules.as_deref()),
            troubles: Troubles::default(),
            deletions: Deletions::default(),
            odd: OddNames::default(),
            suspects: Suspects::default(),
            told: Told::default(),
            ledger: Ledger::new(),
            bursts,
            copies,
            keep: Keep::new(Arc::new(store), boot),
            trash: Trash::default(),
            texts,
            parts,
        };
        for (key, _) in unanswered {
            state.keep.record(key, None);
        }
        let (many, folder) = recovered;
        if many > 0 {
            state.notice(Notice::Recovered { many, folder });
        }
        // After an end that was none, the hub may have written what the base does not tell of.
        state
            .rules
            .changed(if was_stopped { By::Disk } else { By::Hub });
        state.suspect_files(has_lost_power, suspects);
        state.look();
        if !is_same_boot {
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
                // To take note costs little, and what is not noted in time is too much to remember.
                () = self.watch.heard() => self.hear(),
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
        self.contents.fresh.clear();
        let Trees {
            base,
            local,
            remote,
            ..
        } = &mut self.trees;
        memory::pack(local);
        for tree in [base, remote] {
            memory::pack_like(tree, local);
        }
        memory::give_back();
    }

    /// When the next thing is due without anything being heard.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let paced = self.proposals.next().filter(|_| self.hub.in_step);
        [
            self.sight.next(),
            self.keep.due(),
            self.troubles.next(),
            self.trash.next(),
            self.reports.next(),
            self.told.next(),
            paced,
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
            Some(Hint::Everything) => self.sight.everything = true,
            Some(Hint::Paths(paths)) => self.mark(paths),
            None => return,
        }
        self.sight.heard();
    }

    pub(super) fn wake(&mut self, now: Instant) {
        let unread = self.troubles.unread(now);
        let mut looks = self.sight.take_due(now, unread);
        if self.sight.is_audit_due(now) {
            // A folder that was missed may not be watched, or another one in its place.
            self.watch.distrust();
            self.sight.everything = true;
            self.hub.to_compare = true;
            if planted::is(Bug::NoAudit) {
                self.sight.everything = false;
                self.sight
                    .audit_after(self.watch.is_partial(), Duration::ZERO);
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
        if self.hub.in_step {
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
