//! A simulated world: two to four replicas, a hub, and a tape that says what happens next.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::oneshot;

use super::actors::{Habits, ROOT};
use super::calls::{self, Before};
use super::check::Wrong;
use super::desktop::Runs;
use super::gremlin::Shared;
use super::hub::Hub;
use super::ignored::Ignored;
use super::oracle::{Harm, Oracle, versions};
use super::replica::{Asked, Replica, make};
use super::tape::Tape;
use crate::engine::Input;
use crate::volume::simulated::{Entry, Loss};

/// How long a pause may be: an event, a store, a purge, an audit.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(13),
    Duration::from_millis(300),
    Duration::from_millis(1_500),
    Duration::from_secs(4),
    Duration::from_secs(700),
];

pub(super) struct World {
    pub(super) shared: Shared,
    pub(super) hub: Hub,
    backup: Hub,
    pub(super) replicas: Vec<Replica>,
    /// Only this one writes; the person at the hub, if it is beyond the last replica.
    pub(super) solo: Option<usize>,
    pub(super) wrong: Option<Wrong>,
    /// Calls of each engine until all harm was over.
    pub(super) calls: Vec<u64>,
    /// After each step everything comes to rest.
    is_calm: bool,
}

impl World {
    pub(super) async fn new(tape: Tape, tells: bool) -> Self {
        let mut oracle = Oracle::new(tape, 4, tells);
        oracle.before = Before::on(oracle.tape.bytes());
        let is_calm = calls::is_calm(oracle.tape.bytes());
        let tape = &mut oracle.tape;
        let many = 2 + [0, 0, 0, 1, 1, 2][tape.below(6)];
        // The first choices are which harm there is, then what programs do: a chosen world sets their bytes.
        let harm = Harm {
            crashes: tape.one_in(2),
            power: tape.one_in(3),
            errors: tape.one_in(3),
            hostile: tape.one_in(2),
            events: tape.one_in(2),
            restores: tape.one_in(6),
        };
        let (is_solo, solo) = (tape.one_in(6), tape.below(many + 1));
        let solo = is_solo.then_some(solo);
        let habits = Habits::new(tape);
        let alike = tape.one_in(4);
        let makes: Vec<_> = (0..many).map(|_| make(tape, alike)).collect();
        let runs: Vec<_> = (0..many).map(|_| Runs::new(tape)).collect();
        // Rules that could not be read when a replica starts first are nowhere.
        let has_rules = tape.one_in(4) && !harm.errors;
        (oracle.harm, oracle.alike, oracle.solo) = (harm, alike, solo);
        oracle.has_rules = has_rules;
        oracle.choose_habits(habits);
        oracle.tell(|| format!("{many} replicas, {harm:?}, alone: {solo:?}, rules: {has_rules}, {makes:?}, {runs:?}"));
        let shared = Shared::new(oracle);
        let replicas = makes.into_iter().zip(runs).enumerate();
        let replicas = replicas
            .map(|(number, (make, runs))| Replica::new(number, make, runs, &shared))
            .collect();
        let mut world = Self {
            shared,
            hub: Hub::default(),
            backup: Hub::default(),
            replicas,
            solo,
            wrong: None,
            calls: Vec::new(),
            is_calm,
        };
        if has_rules {
            world.begin_with_rules();
        }
        for replica in 0..many {
            world.replicas[replica].start();
            world.replicas[replica].connect().await;
        }
        world
    }

    pub(super) fn below(&self, many: usize) -> usize {
        self.shared.lock().tape.below(many)
    }

    pub(super) fn one_in(&self, many: usize) -> bool {
        self.shared.lock().tape.one_in(many)
    }

    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        self.shared.lock().tell(line);
    }

    /// Plays until the tape is over.
    pub(super) async fn play(&mut self) {
        while self.wrong.is_none() && self.shared.lock().tape.next_step() {
            self.step().await;
            if self.is_calm {
                self.settle().await;
            }
        }
    }

    async fn step(&mut self) {
        let at = self.below(self.replicas.len());
        let what = self.below(32);
        if !matches!(what, 0..8) {
            self.shared.lock().arm(at);
        }
        match what {
            0..6 => self.somebody(at).await,
            6..8 => self.person(),
            8..14 => drop(self.hub_hears(at)),
            14..20 => drop(self.spoke_hears(at).await),
            20..23 => self.events(at).await,
            23 | 24 => drop(self.replicas[at].work().await),
            25 | 26 => {
                let pause = *self.shared.lock().tape.pick(&PAUSES);
                self.passes(pause).await;
            }
            27 => self.cut(at).await,
            28 => self.end(at).await,
            29 => self.flush(at).await,
            30 => self.volume(at).await,
            _ => self.backup(at).await,
        }
        self.shared.lock().armed = vec![None; 4];
        self.after_step();
    }

    fn person(&mut self) {
        if self.solo.is_some_and(|solo| solo < self.replicas.len()) {
            return;
        }
        self.shared.lock().person(&mut self.hub);
        self.spread();
    }

    /// Time passes for everything.
    pub(super) async fn passes(&mut self, pause: Duration) {
        tokio::time::advance(pause).await;
        for at in 0..self.replicas.len() {
            let replica = &mut self.replicas[at];
            replica.volume.inner().now_ns += pause.as_nanos().cast_signed();
            replica.turn(None).await;
        }
    }

    /// The connection breaks, or is made again; after a failover it is another part of the hub that answers.
    async fn cut(&mut self, at: usize) {
        let connected = self.replicas[at].connected;
        self.tell(|| format!("replica {at}: connected {}", !connected));
        if connected {
            self.replicas[at].disconnect().await;
        }
        if !connected || self.one_in(2) {
            self.replicas[at].connect().await;
        }
    }

    /// The engine ends in one way or another, and starts again.
    async fn end(&mut self, at: usize) {
        let harm = self.shared.lock().harm;
        let how = self.below(4);
        if self.replicas[at].state.is_some() {
            match how {
                0 | 1 => self.stop(at).await,
                2 if harm.crashes => self.replicas[at].crash(Loss::Process),
                3 if harm.power && self.one_in(2) => self.replicas[at].crash(Loss::Power),
                3 if harm.power => self.make_anew(at),
                _ => return,
            }
            self.after_step();
        }
        if !self.one_in(4) {
            self.start(at).await;
        }
    }

    /// The folder is deleted and made anew while nobody looks, as a container's is.
    fn make_anew(&mut self, at: usize) {
        self.tell(|| format!("replica {at}: its folder is made anew"));
        let replica = &mut self.replicas[at];
        replica.crash(Loss::Process);
        {
            let mut inner = replica.volume.inner();
            inner.full = false;
            super::rest::open_up(&mut inner);
            for text in inner.texts(ROOT) {
                // Whoever deletes the folder deletes what the hub does not show.
                if !self.hub.shows(&text) {
                    self.shared.lock().forget(&text);
                }
            }
            let done = inner.remove_all(ROOT).and_then(|()| inner.make_all(ROOT));
            assert!(done.is_ok(), "a volume in memory");
            inner.write_back_quietly();
        }
        let mut oracle = self.shared.lock();
        oracle.ignored[at] = Ignored::default();
        oracle.guarded[at] = false;
        oracle.made_anew = true;
        oracle.forget_late(at);
        drop(oracle);
        self.excuse(None);
    }

    async fn stop(&mut self, at: usize) {
        self.tell(|| format!("replica {at}: stops"));
        let replica = &mut self.replicas[at];
        while replica.work().await {}
        if let Some(state) = &mut replica.state {
            state.store_now().await;
        }
        let mut inner = replica.volume.inner();
        inner.crash(Loss::Process, &mut |_| 0);
        drop(inner);
        replica.mind_the_end();
    }

    pub(super) async fn start(&mut self, at: usize) {
        if self.replicas[at].state.is_none() {
            self.tell(|| format!("replica {at}: starts"));
            self.replicas[at].start();
            self.replicas[at].connect().await;
        }
    }

    /// The disk fills up or gets room, or the system writes back what it holds.
    async fn volume(&mut self, at: usize) {
        let errors = self.shared.lock().harm.errors;
        let mut inner = self.replicas[at].volume.inner();
        if errors && self.one_in(2) {
            inner.full = !inner.full;
            let full = inner.full;
            self.tell(|| format!("replica {at}: full {full}"));
            self.shared.lock().troubled = true;
        } else {
            self.tell(|| format!("replica {at}: everything is written back"));
            inner.write_back();
        }
    }

    /// A backup of the hub is made, or the hub is set back to the last one.
    async fn backup(&mut self, at: usize) {
        if !self.shared.lock().harm.restores {
            return;
        }
        if self.one_in(2) {
            self.tell(|| "the hub is set back to its backup".into());
            // Who restores it may give it another name. Where they do not, it finds out from replicas that know more or
            // otherwise, also when it has gone on.
            let epoch = self.hub.epoch + u32::from(!self.one_in(2));
            let now = self.hub.now;
            self.hub = self.backup.clone();
            (self.hub.epoch, self.hub.now) = (epoch, now);
            self.excuse(None);
            {
                let mut oracle = self.shared.lock();
                oracle.restored = true;
                oracle.armed = vec![None; 4];
            }
            for replica in &mut self.replicas {
                replica.disconnect().await;
                replica.belated.clear();
            }
        } else {
            self.tell(|| format!("the hub is backed up, and {at} goes on"));
            self.backup = self.hub.clone();
        }
    }

    async fn flush(&mut self, at: usize) {
        if self.replicas[at].state.is_none() {
            return;
        }
        let disk: BTreeMap<String, Entry> = {
            let inner = self.replicas[at].volume.inner();
            let mut disk = inner.below(ROOT);
            disk.retain(|path, _| inner.is_readable(&format!("{ROOT}/{path}")));
            disk
        };
        let mut asked = BTreeSet::new();
        for (path, entry) in disk {
            if let Entry::File { bytes, .. } = entry
                && super::check::syncs(&path, false)
                && self.is_named_well(at, &path)
            {
                asked.extend(self.shared.lock().owed_in(&bytes));
            }
        }
        self.shared.lock().hidden[at] = false;
        self.tell(|| format!("replica {at}: a flush of {asked:?}"));
        let (sender, answer) = oneshot::channel();
        self.replicas[at].asked = Some(Asked {
            answer,
            versions: asked,
        });
        self.replicas[at].turn(Some(Input::Flush(sender))).await;
    }

    /// What the end of a step brings to light.
    pub(super) fn after_step(&mut self) {
        let lost = self.shared.lock().lost_power.take();
        if let Some(replica) = lost {
            self.excuse(Some(replica));
        }
        for at in 0..self.replicas.len() {
            self.replicas[at].mind_the_end();
            let wrong = self.replicas[at].volume.inner().wrongs.pop();
            if let Some(text) = wrong {
                self.wrong = self.wrong.take().or(Some(Wrong::of_text(&text)));
            }
        }
        let gap = {
            let mut oracle = self.shared.lock();
            oracle.away.iter_mut().for_each(BTreeSet::clear);
            oracle.gap.take()
        };
        if let Some(text) = gap {
            self.fails("I7", text);
        }
        for at in 0..self.replicas.len() {
            if std::mem::take(&mut self.replicas[at].differs) && !self.shared.lock().restored {
                let text = format!("replica {at} heard of another tree than the hub has");
                self.fails("I24", text);
            }
            let told_wrong = self.replicas[at].told_wrong.take();
            self.wrong = self.wrong.take().or(told_wrong);
        }
        self.check_flushes();
    }

    /// What went with the power of a computer, or with what the hub had after its backup, is nobody's fault.
    fn excuse(&mut self, replica: Option<usize>) {
        let mut there = BTreeSet::new();
        for replica in &self.replicas {
            for (path, entry) in replica.volume.inner().below("/") {
                if let Entry::File { bytes, .. } = entry
                    && !path.contains("/tmp/n-")
                {
                    there.extend(versions(&bytes));
                }
            }
        }
        let mut oracle = self.shared.lock();
        match replica {
            Some(replica) => oracle.excuse(replica, &there),
            None => {
                oracle.at_hub.clear();
                for bytes in self.hub.history() {
                    oracle.at_hub.extend(versions(bytes));
                }
                let at_hub = oracle.at_hub.clone();
                oracle
                    .owed
                    .retain(|owed| there.contains(owed) || at_hub.contains(owed));
            }
        }
    }
}
