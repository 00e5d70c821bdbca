//! Tells the hub what changed here: one batch at a time, in a safe order, contents along where they are small.
use std::collections::BTreeSet;
use std::ops::Bound;

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::limits::{FILE_BYTES_MAX, INLINE_CONTENT_BYTES_MAX};
use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_proto::v1::outcome::Result as Outcome;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::batch::{self, Outstanding};
use super::heard::Catch;
use super::moves::Moves;
use super::state::State;
use crate::planted::{self, Bug};
use crate::wire;

/// Operations of one batch: one that takes the hub a tenth of a second, for which a save may have to wait.
const BATCH_OPERATIONS: usize = 4_000;
/// Contents, names and targets of one batch; the hub takes 8 MiB.
const BATCH_BYTES: u64 = 4 << 20;
/// The same for a hub that takes a batch in one frame only: the connection keeps room for the largest that it ever carried.
const WHOLE_BATCH_BYTES: u64 = 1 << 20;

/// A batch that is being put together. A path that changes its kind is in it twice: what was goes, what is comes.
#[derive(Default)]
struct Batch {
    operations: Vec<v1::Operation>,
    /// The same, as it is compared with the answer.
    sent: Vec<(RelPath, Option<Node>)>,
    /// What goes.
    went: BTreeSet<RelPath>,
    /// What is to come in it for the sake of what goes.
    owed: BTreeSet<RelPath>,
    moves: Moves,
    bytes: u64,
    /// How many of those it may have.
    room: u64,
}

impl Batch {
    fn is_full(&self) -> bool {
        let operations = self.operations.len() + self.owed.len();
        operations >= BATCH_OPERATIONS || self.bytes >= self.room
    }
}

/// What a node takes on the wire without its content, about.
fn bytes(path: &RelPath, node: &Option<Node>) -> u64 {
    let target = match node {
        Some(Node::Symlink { target }) => target.len(),
        _ => 0,
    };
    (path.as_str().len() + target) as u64
}

impl State {
    /// The disk changed at a path, so that the hub is to be told.
    pub(super) fn offer(&mut self, path: &RelPath) {
        let local = self.trees.local.get(path).cloned();
        if self.troubles.is_refused(path, local.as_ref()) || self.is_arriving(path) {
            return;
        }
        let code = match &local {
            Some(Node::File { size, .. }) if *size > FILE_BYTES_MAX => Some(Code::FileTooLarge),
            Some(Node::File { hash, .. })
                if self
                    .sight
                    .prints
                    .get(path)
                    .is_some_and(|known| known.print.stand_in() == *hash) =>
            {
                Some(Code::FileUnreadable)
            }
            _ => None,
        };
        match code {
            Some(code) => self.not_taken(path, local, code),
            None => {
                self.proposals.waiting.insert(path.clone());
                self.gives_up(path);
            }
        }
    }

    /// Sends the next batch if none is on its way: what goes, from the leaves up, then what comes, from the root down. The
    /// rest waits for its turn or its time, and costs nothing meanwhile.
    pub(super) async fn propose(&mut self) {
        let is_idle = self.proposals.waiting.is_empty() && self.hub.catch == Catch::Up
            // What goes may come elsewhere, where was not looked yet.
            || self.sight.goes_on() && !self.proposals.leaving.is_empty()
            || self.sight.moved_aside;
        if self.proposals.waiting.is_empty() {
            // What moved is not sent, though it was read.
            self.contents.fresh.clear();
        }
        if self.proposals.outstanding.is_some() || is_idle || self.link.is_none() {
            return;
        }
        if !self.has_caught_up().await {
            return;
        }
        let now = Instant::now();
        let mut going = self.what_goes(now);
        let moves = self.moves(&mut going, now);
        let mut batch = Batch {
            moves,
            room: match self.hub.gathers {
                true => BATCH_BYTES,
                false => WHOLE_BATCH_BYTES,
            },
            ..Batch::default()
        };
        for path in going.iter().rev() {
            if batch.is_full() {
                break;
            }
            let is_folder = self.trees.remote.get(path).is_some_and(Node::is_folder);
            if is_folder && !self.hub_has_below_only(path, &going) {
                // It is settled again when what lies in it is gone.
                self.proposals.waiting.remove(path);
                continue;
            }
            batch.owed.extend(batch.moves.to.get(path).cloned());
            self.add(&mut batch, path, None, true, now);
        }
        for path in std::mem::take(&mut batch.owed) {
            if self.may_come(&path, &batch, now) {
                self.come(&mut batch, &path, now);
            }
        }
        let mut last = None;
        while !batch.is_full()
            && let Some(path) = self.next_that_comes(last.as_ref(), &batch, now)
        {
            self.come(&mut batch, &path, now);
            last = Some(path);
        }
        if batch.operations.is_empty() {
            return;
        }
        let Batch {
            operations,
            sent,
            went,
            ..
        } = batch;
        let came: BTreeSet<_> = sent
            .iter()
            .filter_map(|(path, node)| Some(path).filter(|_| node.is_some()))
            .collect();
        let is_half =
            |path: &&RelPath| self.trees.local.contains_key(*path) && !came.contains(path);
        let outstanding = Outstanding {
            halves: went.iter().filter(is_half).cloned().collect(),
            operations: sent,
            ..Outstanding::default()
        };
        self.send_batch(operations, outstanding).await;
    }

    /// Whether enough was heard of the hub to tell it anything; else it is asked where it stands.
    async fn has_caught_up(&mut self) -> bool {
        match self.hub.catch {
            Catch::UpTo(revision) if self.hub.revision >= revision => {
                self.hub.catch = Catch::Up;
                self.judge_suspects();
            }
            Catch::Ask => {
                self.hub.catch = Catch::Asked;
                self.send_batch(Vec::new(), Outstanding::default()).await;
            }
            Catch::Up | Catch::Asked | Catch::UpTo(_) => {}
        }
        self.hub.catch == Catch::Up
    }

    async fn send_batch(&mut self, operations: Vec<v1::Operation>, outstanding: Outstanding) {
        self.proposals.last += 1;
        let batch = self.proposals.last;
        self.proposals.outstanding = Some(Outstanding {
            number: batch,
            ..outstanding
        });
        for frame in batch::frames(batch, operations, self.hub.gathers) {
            self.send(Frame::Propose(frame)).await;
        }
    }

    pub(super) fn is_due(&self, path: &RelPath, now: Instant) -> bool {
        self.reports.is_flushing()
            || self
                .proposals
                .pace
                .earliest(path)
                .is_none_or(|at| at <= now)
    }

    /// What is to go at the hub, as far as it may now.
    fn what_goes(&mut self, now: Instant) -> BTreeSet<RelPath> {
        let mut leaving = std::mem::take(&mut self.proposals.leaving);
        leaving.retain(|path| self.proposals.waiting.contains(path) && self.goes(path));
        let (mut ready, later): (BTreeSet<_>, _) =
            leaving.into_iter().partition(|path| self.is_due(path, now));
        self.proposals.leaving = later;
        for path in &ready {
            self.proposals.waiting.remove(path);
        }
        // What a look missed in a folder that was just being removed says nothing: whatever finds that again settles all.
        if !ready.is_empty() && self.disk.is_gone() {
            self.root_is_gone();
            ready.clear();
        }
        // What is held back is no longer among it, and what was is, once that is over.
        self.mind_the_brake(&mut ready);
        self.proposals.waiting.extend(ready.iter().cloned());
        self.proposals.leaving.extend(ready.iter().cloned());
        ready
    }

    /// The next path after one at which something is to stand, as far as it may now.
    fn next_that_comes(
        &self,
        last: Option<&RelPath>,
        batch: &Batch,
        now: Instant,
    ) -> Option<RelPath> {
        let from = last.map_or(Bound::Unbounded, |last| Bound::Excluded(last.clone()));
        let mut rest = self.proposals.waiting.range((from, Bound::Unbounded));
        rest.find(|path| self.may_come(path, batch, now)).cloned()
    }

    fn may_come(&self, path: &RelPath, batch: &Batch, now: Instant) -> bool {
        self.is_due(path, now)
            && !batch.moves.held.contains(path)
            && (batch.went.is_empty() || !planted::is(Bug::GoneFirst))
            && (batch.went.contains(path) || !self.goes(path))
    }

    /// Puts into a batch what stands at a path now, and what makes way for it where that comes.
    fn come(&mut self, batch: &mut Batch, path: &RelPath, now: Instant) {
        let mut next = Some(path.clone());
        while let Some(path) = next {
            let node = self.trees.local.get(&path).cloned();
            let stands = self.trees.remote.contains_key(&path) && !batch.went.contains(&path);
            self.add(batch, &path, node, stands, now);
            let place = batch.moves.to.get(&path);
            let comes = |place: &&RelPath| {
                self.proposals.waiting.contains(*place) && self.may_come(place, batch, now)
            };
            next = place.filter(comes).cloned();
        }
    }

    /// Puts one operation into a batch, which expects what was agreed on where something `stands`; its path waits no longer,
    /// unless something is to stand there in place of what goes.
    fn add(
        &mut self,
        batch: &mut Batch,
        path: &RelPath,
        node: Option<Node>,
        stands: bool,
        now: Instant,
    ) {
        let replaced = node.is_none() && self.trees.local.contains_key(path);
        if !replaced {
            self.proposals.waiting.remove(path);
        }
        let hash = node.as_ref().and_then(Node::hash);
        let is_known = hash.is_some_and(|hash| batch.moves.contents.contains(&hash));
        let content = node.as_ref().filter(|_| !is_known);
        let Ok(inline) = self.content_inline(path, content) else {
            // It changed since it was looked at: it is looked at again first.
            self.sight.look_again(path);
            return;
        };
        if node.is_none() {
            batch.went.insert(path.clone());
        }
        // A path that changes its kind is proposed once.
        if !replaced {
            self.proposals.pace.proposed(path, now);
        }
        let expect = self.trees.base.get(path).filter(|_| stands).cloned();
        let has_bytes = matches!(node, Some(Node::File { size: 1.., .. }));
        let from = batch.moves.from(path).filter(|_| has_bytes);
        let from = from.map(RelPath::to_string);
        let content = inline.as_ref().map_or(0, |inline| inline.len() as u64);
        let named = from.as_ref().map_or(0, |from| from.len() as u64);
        batch.bytes += content + named + bytes(path, &node) + bytes(path, &expect);
        batch.operations.push(v1::Operation {
            path: path.to_string(),
            expect: expect.as_ref().map(wire::to_wire),
            node: node.as_ref().map(wire::to_wire),
            inline,
            from,
        });
        batch.sent.push((path.clone(), node));
    }

    /// The content of a small file; an error when it is not what was seen.
    fn content_inline(
        &mut self,
        path: &RelPath,
        node: Option<&Node>,
    ) -> std::io::Result<Option<Bytes>> {
        let Some(Node::File { hash, size, .. }) = node else {
            return Ok(None);
        };
        if *size > INLINE_CONTENT_BYTES_MAX {
            return Ok(None);
        }
        if let Some(content) = self.contents.fresh.take(*hash) {
            return Ok(Some(content));
        }
        let read = self.contents.fresh.read(self.disk.root(), path)?;
        match read.filter(|(content, _)| ContentHash::of(content) == *hash) {
            Some((content, _)) => Ok(Some(content)),
            None => Err(std::io::ErrorKind::InvalidData.into()),
        }
    }

    /// The hub's answer to a batch.
    pub(super) fn proposed(&mut self, result: &v1::ProposeResult) {
        let Some(mut outstanding) = self
            .proposals
            .outstanding
            .take_if(|batch| batch.number == result.batch)
        else {
            return;
        };
        // What stood before may have made way already.
        let answers = outstanding.operations.iter().zip(&result.outcomes);
        let lacking = answers.filter(|(_, outcome)| outcome.result() == Outcome::NeedsContent);
        let later = lacking.map(|((path, _), _)| path.clone());
        outstanding.halves.extend(later);
        let now = Instant::now();
        let mut touched = BTreeSet::new();
        for ((path, node), outcome) in outstanding.operations.into_iter().zip(&result.outcomes) {
            match outcome.result() {
                Outcome::Applied | Outcome::Converged => {
                    self.proposals.unanswered.take(&path);
                    touched.extend(self.answered(&path, node.clone(), result.revision));
                    let stands = node.is_some();
                    if !stands || !outstanding.taken.contains(&path) {
                        self.agree(&path, node);
                    }
                    if stands {
                        let taken = &outstanding.taken;
                        self.stands_in_folders(&path, result.revision, taken, &mut touched);
                    }
                    if stands || !outstanding.halves.contains(&path) {
                        self.reports.committed_at(&path, result.batch);
                    }
                }
                Outcome::Stale => {
                    if let Ok(current) = outcome.current.as_ref().map(wire::from_wire).transpose() {
                        if self.take_if_ours(&path, current.as_ref()) {
                            self.agree(&path, current.clone());
                        }
                        touched.extend(self.answered(&path, current, result.revision));
                    }
                    self.proposals.pace.in_vain(&path, now);
                }
                Outcome::NeedsContent => {
                    let hash = node.as_ref().and_then(Node::hash);
                    let waits =
                        hash.is_some_and(|hash| self.contents.waits_for_arrival(&path, hash));
                    if !waits {
                        self.in_vain(&path);
                    }
                }
                Outcome::Rejected | Outcome::Unspecified => {
                    let code = Code::parse(&outcome.code).unwrap_or(Code::Internal);
                    self.not_taken(&path, node, code);
                    if !self.troubles.is_in_the_way(&path) {
                        self.reports.committed_at(&path, result.batch);
                    }
                }
            }
            touched.insert(path);
        }
        self.hub.answered(result);
        self.proposals.unanswered.end_with(result.revision);
        self.proposals.unanswered.heard(self.hub.revision);
        self.settle_all(touched);
    }

    /// The content of a path changed while it was sent, or could not be read: it is looked at again first.
    pub(super) fn in_vain(&mut self, path: &RelPath) {
        self.proposals.pace.in_vain(path, Instant::now());
        self.sight.look_again(path);
    }
}
