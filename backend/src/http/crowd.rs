//! How many connections there are at once: a bound for all, and one for each address, so that one client cannot take
//! the seats of all others.
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::time::Instant;

use super::address::{is_in, party};
use crate::config::Config;

/// Agents, the database and files need descriptors, too: connections take this part of what the system gives.
const DESCRIPTORS_PART: u64 = 2;
/// A crowd at the door would fill the log: it is told of this often.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// The connections of one server.
pub(super) struct Crowd {
    config: Arc<Config>,
    most: usize,
    present: Arc<Mutex<Present>>,
}

#[derive(Default)]
struct Present {
    all: usize,
    from: HashMap<IpAddr, usize>,
    told: Option<Instant>,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    /// The server has as many as it takes.
    Server,
    /// Its address has as many as one may have.
    Address,
}

/// One connection of the crowd; it makes room when it is dropped, with its socket.
pub(super) struct Seat {
    present: Arc<Mutex<Present>>,
    /// Absent for a proxy of ours, behind which many are.
    party: Option<IpAddr>,
}

impl Crowd {
    pub(super) fn new(config: Arc<Config>) -> Self {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let possible = usize::try_from(descriptors / DESCRIPTORS_PART).unwrap_or(usize::MAX);
        let most = config.http_connections_max.min(possible);
        if most < config.http_connections_max {
            tracing::warn!(
                "The system lets this server have {descriptors} open files, so it takes {most} connections at once \
                    instead of {}; raise the limit (ulimit -n) for more",
                config.http_connections_max
            );
        }
        Self {
            config,
            most,
            present: Arc::default(),
        }
    }

    /// A seat for a connection from `peer`; `None` when there is none left for it.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Seat> {
        let peer = peer.to_canonical();
        let party = (!is_in(&self.config.trusted_proxies, peer)).then(|| party(peer));
        let mut present = lock(&self.present);
        match present.enter(
            party,
            self.most,
            self.config.http_connections_per_address_max,
        ) {
            Ok(()) => {
                metrics::gauge!("slipway_connections").increment(1.0);
                Some(Seat {
                    present: Arc::clone(&self.present),
                    party,
                })
            }
            Err(full) => {
                present.refused(peer, full);
                None
            }
        }
    }
}

impl Present {
    fn enter(
        &mut self,
        party: Option<IpAddr>,
        most: usize,
        most_of_one: usize,
    ) -> Result<(), Full> {
        if self.all >= most {
            return Err(Full::Server);
        }
        if let Some(party) = party {
            let own = self.from.entry(party).or_default();
            if *own >= most_of_one {
                return Err(Full::Address);
            }
            *own += 1;
        }
        self.all += 1;
        Ok(())
    }

    fn leave(&mut self, party: Option<IpAddr>) {
        self.all -= 1;
        if let Some(party) = party
            && let Some(own) = self.from.get_mut(&party)
        {
            *own -= 1;
            if *own == 0 {
                self.from.remove(&party);
            }
        }
    }

    fn refused(&mut self, peer: IpAddr, full: Full) {
        let bound = match full {
            Full::Server => "server",
            Full::Address => "address",
        };
        metrics::counter!("slipway_connections_refused_total", "bound" => bound).increment(1);
        if self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!(
                bound,
                connections = self.all,
                "A connection from {peer} is refused: there are as many of this {bound} as are taken \
                    (--http-connections-max, --http-connections-per-address-max)"
            );
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.present).leave(self.party);
        metrics::gauge!("slipway_connections").decrement(1.0);
    }
}

fn lock(present: &Mutex<Present>) -> MutexGuard<'_, Present> {
    present.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_seats_and_what_leaves_makes_room() {
        let mut present = Present::default();
        let party = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let mut enter = |who| present.enter(who, 5, 2);
        assert_eq!(enter(party(1)), Ok(()));
        assert_eq!(enter(party(1)), Ok(()));
        assert_eq!(enter(party(1)), Err(Full::Address));
        assert_eq!(enter(party(2)), Ok(()));
        // A proxy of ours has no bound of its own.
        assert_eq!(enter(None), Ok(()));
        assert_eq!(enter(None), Ok(()));
        assert_eq!(enter(None), Err(Full::Server));
        assert_eq!(enter(party(3)), Err(Full::Server));
        present.leave(party(1));
        assert_eq!(present.enter(party(1), 5, 2), Ok(()));
        for left in [party(1), party(1), party(2), None, None] {
            present.leave(left);
        }
        assert_eq!((present.all, present.from.len()), (0, 0), "nothing is kept");
    }
}
