//! Slows down guessing: by address, and by address and account together, so that nobody else is locked out.
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use slipway_core::code::Code;
use time::{Duration, OffsetDateTime};

use crate::error::Error;

/// Wrong passwords of one address for one account before it must wait.
const TRIES_PER_ACCOUNT: u32 = 5;
/// Wrong passwords of one address for all accounts before it must wait.
const TRIES_PER_ADDRESS: u32 = 50;
/// Accounts made from one address in one window.
const REGISTRATIONS_PER_ADDRESS: u32 = 30;
/// How long tries are remembered.
const WINDOW: Duration = Duration::minutes(5);
/// Entries kept; beyond it the oldest windows are dropped.
const ENTRIES_MAX: usize = 50_000;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account(IpAddr, String),
    Address(IpAddr),
    Registration(IpAddr),
}

/// Counts of this server. The owner of an account signs in from an address or device of their own, which has counts of its own.
#[derive(Clone, Debug, Default)]
pub struct Limiter(Arc<Mutex<HashMap<Key, (u32, OffsetDateTime)>>>);

impl Limiter {
    /// Refuses when an address has tried too often.
    ///
    /// # Errors
    /// Too many tries, with the seconds to wait.
    pub fn check(&self, address: IpAddr, account: &str, now: OffsetDateTime) -> Result<(), Error> {
        self.hold(
            &Key::Account(address, account.to_lowercase()),
            TRIES_PER_ACCOUNT,
            now,
        )?;
        self.hold(&Key::Address(address), TRIES_PER_ADDRESS, now)
    }

    /// Notes a wrong password.
    pub fn failed(&self, address: IpAddr, account: &str, now: OffsetDateTime) {
        self.count(Key::Account(address, account.to_lowercase()), now);
        self.count(Key::Address(address), now);
    }

    /// Forgets the wrong passwords that came before the right one.
    pub fn succeeded(&self, address: IpAddr, account: &str) {
        self.lock()
            .remove(&Key::Account(address, account.to_lowercase()));
    }

    /// Counts a registration, refusing when there are too many.
    ///
    /// # Errors
    /// Too many, with the seconds to wait.
    pub fn register(&self, address: IpAddr, now: OffsetDateTime) -> Result<(), Error> {
        self.hold(&Key::Registration(address), REGISTRATIONS_PER_ADDRESS, now)?;
        self.count(Key::Registration(address), now);
        Ok(())
    }

    fn hold(&self, key: &Key, most: u32, now: OffsetDateTime) -> Result<(), Error> {
        match self.lock().get(key) {
            Some((count, until)) if *count >= most && *until > now => {
                let seconds = (*until - now).whole_seconds().max(1).unsigned_abs();
                Err(Error::new(
                    Code::TooManyRequests,
                    format!("Too many tries from here. Wait {seconds} s, then try again."),
                )
                .retry_after(seconds))
            }
            _ => Ok(()),
        }
    }

    fn count(&self, key: Key, now: OffsetDateTime) {
        let mut counts = self.lock();
        if counts.len() >= ENTRIES_MAX {
            counts.retain(|_, (_, until)| *until > now);
        }
        let entry = counts.entry(key).or_insert((0, now + WINDOW));
        if entry.1 <= now {
            *entry = (0, now + WINDOW);
        }
        entry.0 += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, (u32, OffsetDateTime)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
