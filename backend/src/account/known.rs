//! A device that an account has signed in on before. It is known again by a mark that only this server can make; the
//! mark opens nothing, it only keeps the wrong passwords of others at the same address from counting against it. It is
//! worth as long as the password: a new one ends all marks, those in wrong hands with them.
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use slipway_core::id::Id as _;
use sqlx::PgExecutor;
use tokio::sync::OnceCell;

use super::store::User;
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
    async fn key(&self, db: impl PgExecutor<'_>) -> sqlx::Result<&[u8; 32]> {
        self.key
            .get_or_try_init(|| async move {
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
        db: impl PgExecutor<'_>,
        owner: &User,
        secure: bool,
    ) -> sqlx::Result<HeaderValue> {
        let mark = mark(self.key(db).await?, owner, random());
        Ok(token::set_cookie(COOKIE, &mark, PATH, DAYS, secure))
    }

    /// The device behind a request, if this account has signed in on it before.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(
        &self,
        db: impl PgExecutor<'_>,
        headers: &HeaderMap,
        owner: Option<&User>,
    ) -> sqlx::Result<Option<Known>> {
        match (token::cookie_of(headers, COOKIE), owner) {
            (Some(shown), Some(owner)) => Ok(read(self.key(db).await?, owner, shown)),
            (None, _) | (_, None) => Ok(None),
        }
    }
}

fn mac(key: &[u8; 32], owner: &User, id: &[u8; ID_BYTES]) -> blake3::Hash {
    blake3::Hasher::new_keyed(key)
        .update(id)
        .update(owner.account.id.uuid().as_bytes())
        .update(owner.password_hash.as_bytes())
        .finalize()
}

fn mark(key: &[u8; 32], owner: &User, id: [u8; ID_BYTES]) -> String {
    let mac = mac(key, owner, &id);
    URL_SAFE_NO_PAD.encode([&id[..], &mac.as_bytes()[..MAC_BYTES]].concat())
}

fn read(key: &[u8; 32], owner: &User, shown: &str) -> Option<Known> {
    let bytes = URL_SAFE_NO_PAD.decode(shown).ok()?;
    let id: [u8; ID_BYTES] = bytes.get(..ID_BYTES)?.try_into().ok()?;
    // Its own marks are compared, which takes as long for a near miss as for a far one.
    let right = blake3::hash(mark(key, owner, id).as_bytes()) == blake3::hash(shown.as_bytes());
    right.then_some(Known(id))
}

#[cfg(test)]
mod tests {
    use slipway_api::account::Account;
    use slipway_core::id::UserId;
    use time::OffsetDateTime;

    use super::*;

    fn user(number: u64, password_hash: &str) -> User {
        User {
            account: Account {
                id: UserId::from_parts(number, [0; 10]),
                name: "Mo".to_owned(),
                email: "mo@example.org".to_owned(),
                administrator: false,
                created_at: OffsetDateTime::UNIX_EPOCH,
            },
            password_hash: password_hash.to_owned(),
            disabled: false,
        }
    }

    #[test]
    fn a_mark_is_known_again_for_its_account_its_password_and_this_installation_only() {
        let (key, other) = ([1; 32], [2; 32]);
        let mo = user(1, "$argon2id$one");
        let shown = mark(&key, &mo, [7; ID_BYTES]);
        assert_eq!(read(&key, &mo, &shown), Some(Known([7; ID_BYTES])));
        assert_eq!(read(&key, &user(2, "$argon2id$one"), &shown), None);
        assert_eq!(read(&key, &user(1, "$argon2id$two"), &shown), None);
        assert_eq!(read(&other, &mo, &shown), None);
        for wrong in ["", "x", &shown[1..], &format!("{shown}AAAA")] {
            assert_eq!(read(&key, &mo, wrong), None, "{wrong}");
        }
    }
}
