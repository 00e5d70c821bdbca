//! Ids: UUIDv7 newtypes, so that two of different kinds cannot be swapped. Time and chance come from the caller.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An id of one kind of thing.
pub trait Id: Copy + Send + Sync + 'static {
    /// Wraps a UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The UUID inside.
    fn uuid(self) -> Uuid;
    /// A UUIDv7 from a Unix time in milliseconds and 10 random bytes.
    #[must_use]
    fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid())
    }
}

macro_rules! id {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(
            Clone,
            Copy,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            Serialize,
            Deserialize,
            ts_rs::TS,
            utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[ts(type = "string")]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(Uuid);

        impl Id for $name {
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(UserId, "An account.");
id!(
    DeviceId,
    "One signed-in device of an account; holds one token."
);
id!(WorkspaceId, "A durable tree of files with an owner.");
id!(ReplicaId, "One copy of a workspace that syncs.");
id!(
    SessionId,
    "One run of an isolated place in which a workspace executes."
);
id!(TerminalId, "A PTY owned by an agent.");
id!(RunId, "One execution of a command on a known revision.");
id!(
    RequestId,
    "One request, as it appears in logs and error answers."
);
