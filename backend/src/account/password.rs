//! Passwords: argon2id, hashed away from the async threads, a few at a time.
use std::sync::LazyLock;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use slipway_core::code::Code;
use slipway_core::limits::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use slipway_core::secret::Secret;
use tokio::sync::Semaphore;

use crate::clock::random;
use crate::error::Error;

/// Hashing at once: each takes 19 MiB and a core for tens of milliseconds, and a flood must not take the machine.
const AT_ONCE: usize = 4;
/// Waiting for their turn, which is about two seconds then.
const WAITING_MAX: usize = 128;

static BENCH: Bench = Bench {
    turns: Semaphore::const_new(AT_ONCE),
    places: Semaphore::const_new(AT_ONCE + WAITING_MAX),
};
/// What an unknown user's password is held against, so that the answer takes the same time.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

/// Passwords that are tried first by everyone.
const COMMON: &[&str] = &[
    "password",
    "12345678",
    "123456789",
    "1234567890",
    "qwertyui",
    "qwertyuiop",
    "password1",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "trustno1",
    "superman",
    "letmein1",
    "welcome1",
    "passw0rd",
    "password123",
    "11111111",
    "00000000",
    "abcdefgh",
    "changeme",
];

/// Whether a new password is good enough.
///
/// # Errors
/// Too short, too long, too common; the field is named.
pub fn check(password: &Secret, field: &str) -> Result<(), Error> {
    let weak = |message: &str| Err(Error::of_field(field, Code::WeakPassword, message));
    let chars = password.expose().chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return weak(&format!(
            "Use at least {PASSWORD_CHARS_MIN} characters. A few words are easy to remember."
        ));
    }
    if chars > PASSWORD_CHARS_MAX {
        return weak(&format!("Use at most {PASSWORD_CHARS_MAX} characters."));
    }
    if COMMON.contains(&password.expose().to_lowercase().as_str()) {
        return weak("This password is among the first that attackers try. Choose another.");
    }
    Ok(())
}

/// Makes what an unknown user's password is held against, so that not even the first one takes longer.
pub async fn prepare() {
    // A panic there has been logged, and the first sign-in makes it again.
    drop(tokio::task::spawn_blocking(|| LazyLock::force(&NOBODY)).await);
}

/// Whether this can be anyone's password; what no account can have is not hashed.
#[must_use]
pub fn is_plausible(password: &Secret) -> bool {
    password.expose().chars().count() <= PASSWORD_CHARS_MAX
}

/// Hashes a password.
///
/// # Errors
/// When the system is out of memory, or too many are waiting.
pub async fn hash(password: Secret) -> Result<String, Error> {
    BENCH
        .work(move || hash_now(password.expose()))
        .await?
        .ok_or_else(failed)
}

/// Whether a password belongs to a hash; without a hash the same work is done for nothing.
///
/// # Errors
/// When the system is out of memory, or too many are waiting.
pub async fn verify(password: Secret, hash: Option<String>) -> Result<bool, Error> {
    BENCH
        .work(move || {
            metrics::counter!("slipway_passwords_checked_total").increment(1);
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let right = PasswordHash::new(&hash).is_ok_and(|hash| {
                argon()
                    .verify_password(password.expose().as_bytes(), &hash)
                    .is_ok()
            });
            right && known
        })
        .await
}

/// Where passwords are hashed: a few at a time, and a bounded number waiting.
struct Bench {
    turns: Semaphore,
    places: Semaphore,
}

impl Bench {
    /// Does a job away from the async threads. It cannot be stopped once it runs, so its turn ends with it and not
    /// with whoever asked: a client that hangs up makes no room for another.
    async fn work<T: Send + 'static>(
        &'static self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let place = self.places.try_acquire().map_err(|_| busy())?;
        let turn = self
            .turns
            .acquire()
            .await
            .expect("invariant: the semaphore is never closed");
        tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            job()
        })
        .await
        .map_err(|_| failed())
    }
}

fn busy() -> Error {
    Error::new(
        Code::TooManyRequests,
        "Too many people are signing in at this moment. Try again in a few seconds.",
    )
    .retry_after(3)
}

fn failed() -> Error {
    Error::new(
        Code::Internal,
        "The password could not be checked. Try again.",
    )
}

/// OWASP's first choice: argon2id with 19 MiB, two passes, one lane.
fn argon() -> Argon2<'static> {
    Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(19 * 1024, 2, 1, None).expect("invariant: the parameters are in range"),
    )
}

fn hash_now(password: &str) -> Option<String> {
    let salt = SaltString::encode_b64(&random::<16>()).ok()?;
    argon()
        .hash_password(password.as_bytes(), &salt)
        .ok()
        .map(|hash| hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_keeps_its_turn_when_whoever_asked_hangs_up() {
        static BENCH: Bench = Bench {
            turns: Semaphore::const_new(1),
            places: Semaphore::const_new(2),
        };
        let (started, mut running) = tokio::sync::mpsc::unbounded_channel();
        let (finish, finished) = std::sync::mpsc::channel::<()>();
        let asked = tokio::spawn(BENCH.work(move || {
            started.send(()).expect("someone waits");
            finished.recv().expect("told to finish");
        }));
        running.recv().await.expect("it runs");
        asked.abort();
        assert!(asked.await.is_err());
        assert_eq!(BENCH.turns.available_permits(), 0, "it still works");
        // One may wait, no more.
        let waiting = tokio::spawn(BENCH.work(|| ()));
        while BENCH.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = BENCH.work(|| ()).await.expect_err("no place");
        assert_eq!(refused.code(), Code::TooManyRequests);
        finish.send(()).expect("it listens");
        waiting.await.expect("no panic").expect("its turn comes");
    }

    #[tokio::test]
    async fn nobodys_hash_costs_what_everyones_does() {
        prepare().await;
        let own = hash_now("quiet tide at seven bells").unwrap();
        let (own, nobody) = (
            PasswordHash::new(&own).unwrap(),
            PasswordHash::new(&NOBODY).unwrap(),
        );
        assert_eq!(own.algorithm, nobody.algorithm);
        assert_eq!(own.params, nobody.params);
        let own = own.to_string();
        let right = Secret::new("quiet tide at seven bells");
        assert!(verify(right.clone(), Some(own)).await.unwrap());
        assert!(!verify(right, None).await.unwrap());
        let nobody = Secret::new("nobody has this password");
        assert!(!verify(nobody, None).await.unwrap());
    }
}
