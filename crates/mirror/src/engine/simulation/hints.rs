//! What an engine hears of its folder: hints, of which some are lost, told again or told before others.
use super::oracle::Oracle;
use super::replica::Replica;
use super::world::World;

/// Places by which an event may be out of its turn.
const APART: usize = 4;

/// What becomes of an event on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
    InTurn,
    /// One that so many others came before is told first.
    BeforeOthers(usize),
    /// It is told now, and after so many others.
    Again(usize),
    Lost,
}

impl Oracle {
    fn fate(&mut self) -> Fate {
        if !self.harm.events {
            return Fate::InTurn;
        }
        let fate = match self.tape.below(12) {
            0..4 => return Fate::InTurn,
            4 | 5 => Fate::BeforeOthers(1 + self.tape.below(APART)),
            6 | 7 => Fate::Again(self.tape.below(APART)),
            _ => Fate::Lost,
        };
        self.misheard = true;
        fate
    }

    fn overflows(&mut self) -> bool {
        let overflows = self.harm.events && self.tape.one_in(10);
        self.misheard |= overflows;
        overflows
    }
}

impl Replica {
    /// Tells the engine of everything that happened in watched folders.
    pub(super) fn hear_all(&mut self) {
        let events = std::mem::take(&mut self.volume.inner().events);
        for event in events {
            self.ear.hear(Ok(event));
        }
    }

    /// Tells it of up to so many events, as far as they are not lost.
    fn hear_some(&mut self, many: usize) {
        for _ in 0..many {
            let mut inner = self.volume.inner();
            let events = &mut inner.events;
            if events.is_empty() {
                return;
            }
            let fate = self.shared.lock().fate();
            let at = match fate {
                Fate::BeforeOthers(others) => others.min(events.len() - 1),
                _ => 0,
            };
            let Some(event) = events.remove(at) else {
                return;
            };
            let number = self.number;
            if !matches!(fate, Fate::InTurn) {
                let tell = || format!("replica {number}: {fate:?}, of {:?}", event.paths);
                self.shared.lock().tell(tell);
            }
            if let Fate::Again(others) = fate {
                events.insert(others.min(events.len()), event.clone());
            }
            if !matches!(fate, Fate::Lost) {
                self.ear.hear(Ok(event));
            }
        }
    }

    /// Tells it that events were lost.
    fn overflow(&mut self) {
        self.volume.inner().events.clear();
        let flag = notify::event::Flag::Rescan;
        let event = notify::Event::new(notify::EventKind::Other).set_flag(flag);
        self.ear.hear(Ok(event));
    }
}

impl World {
    /// Some of what happened on the disk is heard.
    pub(super) async fn events(&mut self, at: usize) {
        let many = self.below(6) + 1;
        let replica = &mut self.replicas[at];
        if self.shared.lock().overflows() {
            replica.overflow();
        }
        replica.hear_some(many);
        replica.turn(None).await;
    }
}
