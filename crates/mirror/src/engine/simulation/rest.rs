//! How a world comes to rest: all harm is over, everything on its way arrives, and time passes until nothing moves.
use std::collections::BTreeMap;
use std::time::Duration;

use super::actors::ROOT;
use super::oracle::Harm;
use super::replica::Replica;
use super::world::World;
use crate::volume::simulated::{Entry, Inner};

impl World {
    /// Lets everything come to rest, with all harm over: I4.
    pub(super) async fn rest(&mut self) {
        self.heal().await;
        for _ in 0..400 {
            let before = self.picture();
            self.drain().await;
            self.all_decide().await;
            for pause in [20, 300, 11_000, 700_000] {
                self.passes(Duration::from_millis(pause)).await;
                self.after_step();
                self.drain().await;
            }
            if self.wrong.is_some() {
                return;
            }
            if before == self.picture() && self.is_quiet() {
                return;
            }
        }
        let busy: Vec<_> = self.replicas.iter().map(Replica::is_busy_with).collect();
        self.fails("I4", format!("it never comes to rest: {busy:?}"));
    }

    /// The end of all harm: nothing fails any more, everybody is connected.
    async fn heal(&mut self) {
        self.tell(|| "all harm is over".into());
        {
            let mut oracle = self.shared.lock();
            oracle.harm = Harm::default();
            oracle.armed = vec![None; 4];
            oracle.before = None;
        }
        let calls = self
            .replicas
            .iter()
            .map(|replica| replica.volume.inner().calls);
        self.calls = calls.collect();
        for at in 0..self.replicas.len() {
            {
                let mut inner = self.replicas[at].volume.inner();
                inner.full = false;
                open_up(&mut inner);
            }
            self.start(at).await;
            // By now it is known not to come.
            self.replicas[at].belated.clear();
            if !self.replicas[at].connected {
                self.replicas[at].connect().await;
            }
        }
    }

    /// Everything that is on its way arrives, at those as well who ended.
    pub(super) async fn settle(&mut self) {
        for pause in [0, 20, 900] {
            for at in 0..self.replicas.len() {
                self.start(at).await;
            }
            self.passes(Duration::from_millis(pause)).await;
            self.after_step();
            self.drain().await;
        }
    }

    /// Everything that is on its way arrives.
    async fn drain(&mut self) {
        for at in 0..self.replicas.len() {
            if !self.replicas[at].connected {
                self.replicas[at].connect().await;
            }
            for _ in 0..10_000 {
                self.replicas[at].hear_all();
                let moved = self.hub_hears(at)
                    | self.spoke_hears(at).await
                    | self.replicas[at].work().await;
                self.after_step();
                if !moved || self.wrong.is_some() {
                    break;
                }
            }
        }
    }

    fn is_quiet(&self) -> bool {
        self.replicas
            .iter()
            .all(|replica| replica.is_busy_with().is_none())
    }

    fn picture(&self) -> (u64, Vec<BTreeMap<String, Entry>>) {
        let disks = self
            .replicas
            .iter()
            .map(|replica| replica.volume.inner().below(ROOT));
        (self.hub.head, disks.collect())
    }
}

/// Programs let go of what they shut, and of what is no file.
pub(super) fn open_up(volume: &mut Inner) {
    // What a folder shut is seen when it is open.
    loop {
        let mut is_done = true;
        for (path, entry) in volume.below(ROOT) {
            let whole = format!("{ROOT}/{path}");
            let mode = volume.mode(&whole).unwrap_or(0o700);
            if entry == Entry::Pipe {
                is_done &= volume.remove_all(&whole).is_err();
            } else if mode & 0o400 == 0 {
                is_done &= volume.set_mode(&whole, 0o755).is_err();
            }
        }
        if is_done {
            return;
        }
    }
}
