//! Slows down guessing. A try is counted before the password is looked at and given back when it was right, so that
//! many at once count as many. What is counted belongs to whoever tries, never to an account alone: nobody can lock
//! the owner of an account out from elsewhere.
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slipway_core::code::Code;
use slipway_core::id::{DeviceId, Id as _};
use time::{Duration, OffsetDateTime};

use super::known::Known;
use crate::error::Error;

/// Wrong passwords of one address, or of one known device, for one account before it must wait.
pub const TRIES_PER_ACCOUNT: u32 = 10;
/// Wrong passwords of one address for all accounts before it must wait.
pub const TRIES_PER_ADDRESS: u32 = 50;
/// Accounts made from one address in one window.
const REGISTRATIONS_PER_ADDRESS: u32 = 30;
/// How long tries are remembered.
const WINDOW: Duration = Duration::minutes(5);
/// Counts kept; beyond it the oldest go. One address makes at most a few dozen in one window.
const COUNTS_MAX: usize = 50_000;

/// What is counted: a hash, so that a long address of an account takes no more room than a short one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key([u8; 16]);

impl Key {
    fn new(kind: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(kind);
        for part in parts {
            hasher.update(&part.len().to_le_bytes());
            hasher.update(part);
        }
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        Self(key)
    }

    fn account(address: IpAddr, account: &str) -> Self {
        let address = text(address);
        Self::new("account", &[address.as_bytes(), folded(account).as_bytes()])
    }

    fn known(known: &Known, account: &str) -> Self {
        Self::new("known", &[known.id(), folded(account).as_bytes()])
    }

    fn address(address: IpAddr) -> Self {
        Self::new("address", &[text(address).as_bytes()])
    }

    fn device(device: DeviceId) -> Self {
        Self::new("device", &[device.uuid().as_bytes()])
    }

    fn registration(address: IpAddr) -> Self {
        Self::new("registration", &[text(address).as_bytes()])
    }
}

fn text(address: IpAddr) -> String {
    address.to_string()
}

fn folded(account: &str) -> String {
    account.to_lowercase()
}

#[derive(Clone, Copy, Debug)]
struct Count {
    tries: u32,
    until: OffsetDateTime,
}

/// All windows are equally long, so `order` is sorted by their ends and forgetting takes no search.
#[derive(Debug, Default)]
struct Counts {
    of: HashMap<Key, Count>,
    order: VecDeque<(OffsetDateTime, Key)>,
}

impl Counts {
    /// Counts one try for each key, or none for any when one of them has had its most.
    fn take(&mut self, keys: &[(Key, u32)], now: OffsetDateTime) -> Result<(), Error> {
        self.forget(now);
        for (key, most) in keys {
            if let Some(count) = self.of.get(key)
                && count.tries >= *most
            {
                return Err(wait(count.until - now));
            }
        }
        for (key, _) in keys {
            let fresh = Count {
                tries: 0,
                until: now + WINDOW,
            };
            let count = self.of.entry(*key).or_insert_with(|| {
                self.order.push_back((fresh.until, *key));
                fresh
            });
            count.tries += 1;
        }
        Ok(())
    }

    /// Windows that are over, and the oldest when there are too many.
    fn forget(&mut self, now: OffsetDateTime) {
        while let Some((until, key)) = self.order.front().copied()
            && (until <= now || self.of.len() >= COUNTS_MAX)
        {
            self.order.pop_front();
            self.of.remove(&key);
        }
    }

    fn give_back(&mut self, key: &Key) {
        if let Some(count) = self.of.get_mut(key) {
            count.tries = count.tries.saturating_sub(1);
        }
    }

    fn clear(&mut self, key: &Key) {
        if let Some(count) = self.of.get_mut(key) {
            count.tries = 0;
        }
    }
}

fn wait(left: Duration) -> Error {
    let seconds = left.whole_seconds().max(1).unsigned_abs();
    Error::new(
        Code::TooManyRequests,
        format!("Too many tries from here. Wait {seconds} s, then try again."),
    )
    .retry_after(seconds)
}

/// Counts of this server.
#[derive(Clone, Debug, Default)]
pub struct Limiter(Arc<Mutex<Counts>>);

/// A try that is counted. Dropped it stays counted: a client that hangs up has tried, too.
#[derive(Debug)]
#[must_use]
pub struct Try {
    limiter: Limiter,
    /// Of this account from this place: forgotten by the right password.
    own: Key,
    /// Of the address for all accounts: only this one try is given back, or an own account would buy more guesses.
    shared: Option<Key>,
}

impl Try {
    /// The password was right: what was wrong before it is forgotten.
    pub fn succeeded(self) {
        let mut counts = self.limiter.lock();
        counts.clear(&self.own);
        if let Some(shared) = &self.shared {
            counts.give_back(shared);
        }
    }

    /// Nothing was found out: the server could not look.
    pub fn give_back(self) {
        let mut counts = self.limiter.lock();
        counts.give_back(&self.own);
        if let Some(shared) = &self.shared {
            counts.give_back(shared);
        }
    }
}

impl Limiter {
    /// Counts a try to sign in. A device that this account has signed in on before has a count of its own, so that
    /// its owner gets in whatever others do from the same address.
    ///
    /// # Errors
    /// Too many tries, with the seconds to wait.
    pub fn sign_in(
        &self,
        address: IpAddr,
        account: &str,
        known: Option<&Known>,
        now: OffsetDateTime,
    ) -> Result<Try, Error> {
        let (own, shared) = match known {
            Some(known) => (Key::known(known, account), None),
            None => (Key::account(address, account), Some(Key::address(address))),
        };
        self.take(own, shared, now)
    }

    /// Counts a try to confirm something with the password of an account that is signed in.
    ///
    /// # Errors
    /// Too many tries, with the seconds to wait.
    pub fn confirm(&self, device: DeviceId, now: OffsetDateTime) -> Result<Try, Error> {
        self.take(Key::device(device), None, now)
    }

    /// Counts a registration.
    ///
    /// # Errors
    /// Too many, with the seconds to wait.
    pub fn register(&self, address: IpAddr, now: OffsetDateTime) -> Result<(), Error> {
        let key = Key::registration(address);
        self.lock().take(&[(key, REGISTRATIONS_PER_ADDRESS)], now)
    }

    fn take(&self, own: Key, shared: Option<Key>, now: OffsetDateTime) -> Result<Try, Error> {
        let mut keys = vec![(own, TRIES_PER_ACCOUNT)];
        keys.extend(shared.map(|shared| (shared, TRIES_PER_ADDRESS)));
        self.lock().take(&keys, now)?;
        Ok(Try {
            limiter: self.clone(),
            own,
            shared,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn tries(limiter: &Limiter, address: IpAddr, account: &str) -> u32 {
        (0..1_000)
            .take_while(|_| limiter.sign_in(address, account, None, NOW).is_ok())
            .count()
            .try_into()
            .unwrap()
    }

    #[test]
    fn tries_under_way_count_and_those_at_another_address_do_not() {
        let limiter = Limiter::default();
        let under_way: Vec<_> = (0..100)
            .map(|_| limiter.sign_in(HERE, "mo@example.org", None, NOW))
            .filter_map(Result::ok)
            .collect();
        assert_eq!(under_way.len(), TRIES_PER_ACCOUNT as usize);
        // However it is written.
        assert_eq!(tries(&limiter, HERE, "MO@example.org"), 0);
        assert_eq!(tries(&limiter, THERE, "mo@example.org"), TRIES_PER_ACCOUNT);
    }

    #[test]
    fn a_right_password_is_given_back_and_a_try_that_was_dropped_is_not() {
        let limiter = Limiter::default();
        for _ in 0..1_000 {
            let tried = limiter.sign_in(HERE, "mo@example.org", None, NOW);
            tried.expect("never too many").succeeded();
        }
        for _ in 0..1_000 {
            let tried = limiter.sign_in(HERE, "mo@example.org", None, NOW);
            tried.expect("never too many").give_back();
        }
        drop(limiter.sign_in(HERE, "mo@example.org", None, NOW));
        assert_eq!(
            tries(&limiter, HERE, "mo@example.org"),
            TRIES_PER_ACCOUNT - 1
        );
    }

    #[test]
    fn an_own_account_buys_no_further_guesses_at_others() {
        let limiter = Limiter::default();
        let mut guesses = 0;
        while limiter
            .sign_in(HERE, &format!("{guesses}@example.org"), None, NOW)
            .is_ok()
        {
            guesses += 1;
            if let Ok(own) = limiter.sign_in(HERE, "own@example.org", None, NOW) {
                own.succeeded();
            }
        }
        assert_eq!(guesses, TRIES_PER_ADDRESS);
    }

    #[test]
    fn a_known_device_gets_in_whatever_others_do_from_its_address() {
        let limiter = Limiter::default();
        tries(&limiter, HERE, "mo@example.org");
        let known = Known::of_test(7);
        let tried = limiter.sign_in(HERE, "mo@example.org", Some(&known), NOW);
        tried.expect("a count of its own").succeeded();
        // But it guesses no more than others.
        let wrong = (0..100)
            .take_while(|_| {
                limiter
                    .sign_in(HERE, "mo@example.org", Some(&known), NOW)
                    .is_ok()
            })
            .count();
        assert_eq!(wrong, TRIES_PER_ACCOUNT as usize);
    }

    #[test]
    fn a_window_ends_and_the_number_of_counts_has_a_bound() {
        let limiter = Limiter::default();
        tries(&limiter, HERE, "mo@example.org");
        let later = NOW + WINDOW;
        drop(
            limiter
                .sign_in(HERE, "mo@example.org", None, later)
                .expect("a new window"),
        );
        assert_eq!(limiter.lock().of.len(), 2, "what is over is forgotten");
        for n in 0..70_000_u64 {
            let device = DeviceId::from_parts(n, [0; 10]);
            drop(limiter.confirm(device, later));
        }
        let counts = limiter.lock();
        assert_eq!(
            (counts.of.len(), counts.order.len()),
            (COUNTS_MAX, COUNTS_MAX)
        );
    }
}
