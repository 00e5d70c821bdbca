//! A device that an account has signed in on before. It is known again by a mark that only this server can make; the
//! mark opens nothing, it only keeps the wrong passwords of others at the same address from counting against it.
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::PgPool;
use tokio::sync::OnceCell;

use super::token;
use crate::clock::random;

const COOKIE: &str = "slipway_known";
/// Only the sign-in reads it.
const PATH: &str = "/api/v1/sign-in";
const DAYS: u32 = 400;
const ID_BYTES: usize = 16;
const MAC_BYTES: usize = 16;

/// A device that showed its mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known([u8; ID_BYTES]);

impl Known {
    /// What tells it from other devices.
    #[must_use]
    pub const fn id(&self) -> &[u8] {
        &self.0
    }

    #[cfg(test)]
    pub(super) const fn of_test(id: u8) -> Self {
        Self([id; ID_BYTES])
    }
}

/// Makes marks and knows them again. Every server of an installation has the same key.
#[derive(Debug, Default)]
pub struct Marks {
    key: OnceCell<[u8; 32]>,
}

impl Marks {
    async fn key(&self, db: &PgPool) -> sqlx::Result<&[u8; 32]> {
        self.key
            .get_or_try_init(async || {
                let secret = sqlx::query_scalar!("select installation_secret from server_settings")
                    .fetch_one(db)
                    .await?;
                Ok(blake3::derive_key("slipway 2026 known devices", &secret))
            })
            .await
    }

    /// The cookie for a device on which this account has just signed in.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn cookie(
        &self,
        db: &PgPool,
        email: &str,
        secure: bool,
    ) -> sqlx::Result<HeaderValue> {
        let mark = mark(self.key(db).await?, email, random());
        Ok(token::set_cookie(COOKIE, &mark, PATH, DAYS, secure))
    }

    /// The device behind a request, if this account has signed in on it before.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(
        &self,
        db: &PgPool,
        headers: &HeaderMap,
        email: &str,
    ) -> sqlx::Result<Option<Known>> {
        match token::cookie_of(headers, COOKIE) {
            Some(shown) => Ok(read(self.key(db).await?, email, shown)),
            None => Ok(None),
        }
    }
}

fn mac(key: &[u8; 32], email: &str, id: &[u8; ID_BYTES]) -> blake3::Hash {
    blake3::Hasher::new_keyed(key)
        .update(id)
        .update(email.to_lowercase().as_bytes())
        .finalize()
}

fn mark(key: &[u8; 32], email: &str, id: [u8; ID_BYTES]) -> String {
    let mac = mac(key, email, &id);
    URL_SAFE_NO_PAD.encode([&id[..], &mac.as_bytes()[..MAC_BYTES]].concat())
}

fn read(key: &[u8; 32], email: &str, shown: &str) -> Option<Known> {
    let bytes = URL_SAFE_NO_PAD.decode(shown).ok()?;
    let id: [u8; ID_BYTES] = bytes.get(..ID_BYTES)?.try_into().ok()?;
    // Its own marks are compared, which takes as long for a near miss as for a far one.
    let right = blake3::hash(mark(key, email, id).as_bytes()) == blake3::hash(shown.as_bytes());
    right.then_some(Known(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_known_again_for_its_account_and_this_installation_only() {
        let (key, other) = ([1; 32], [2; 32]);
        let shown = mark(&key, "mo@example.org", [7; ID_BYTES]);
        assert_eq!(
            read(&key, "MO@example.org", &shown),
            Some(Known([7; ID_BYTES]))
        );
        assert_eq!(read(&key, "bo@example.org", &shown), None);
        assert_eq!(read(&other, "mo@example.org", &shown), None);
        for wrong in ["", "x", &shown[1..], &format!("{shown}AAAA")] {
            assert_eq!(read(&key, "mo@example.org", wrong), None, "{wrong}");
        }
    }
}
