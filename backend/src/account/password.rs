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

/// Each takes 19 MiB and a core for tens of milliseconds: a flood must not take the machine.
static PERMITS: Semaphore = Semaphore::const_new(4);
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
    let weak = |message: &str| {
        Err(Error::new(Code::WeakPassword, message).with_field(field, Code::WeakPassword, message))
    };
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

/// Hashes a password.
///
/// # Errors
/// When the system is out of memory.
pub async fn hash(password: Secret) -> Result<String, Error> {
    work(move || hash_now(password.expose()))
        .await?
        .ok_or_else(failed)
}

/// Whether a password belongs to a hash; without a hash the same work is done for nothing.
///
/// # Errors
/// When the system is out of memory.
pub async fn verify(password: Secret, hash: Option<String>) -> Result<bool, Error> {
    work(move || {
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

async fn work<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let _permit = PERMITS
        .acquire()
        .await
        .expect("invariant: the semaphore is never closed");
    tokio::task::spawn_blocking(job).await.map_err(|_| failed())
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
