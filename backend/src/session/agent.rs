//! The agent of a session as this server speaks to it: one connection, one key, three services on it.
use std::str::FromStr as _;

use hkdf::Hkdf;
use sha2::Sha256;
use slipway_core::id::SessionId;
use slipway_core::secret::Secret;
use slipway_proto::v1::agent_client::AgentClient;
use slipway_proto::v1::terminals_client::TerminalsClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A connection to an agent whose calls carry its key. Cheap to clone; clones share the connection.
#[derive(Clone)]
pub struct AgentHandle {
    /// The connection.
    pub channel: Channel,
    /// What the agent asks for.
    pub key: Secret,
    bearer: Bearer,
}

/// Puts the key into every call.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", value.clone());
        }
        Ok(request)
    }
}

impl AgentHandle {
    /// Speaks on `channel` with `key`.
    #[must_use]
    pub fn new(channel: Channel, key: Secret) -> Self {
        // A key of hex digits is always a header value.
        let mut value = MetadataValue::from_str(&format!("Bearer {}", key.expose())).ok();
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        Self {
            channel,
            key,
            bearer: Bearer(value),
        }
    }

    /// The channel with the key in each call, for calls with a codec of their own.
    #[must_use]
    pub fn service(&self) -> InterceptedService<Channel, Bearer> {
        InterceptedService::new(self.channel.clone(), self.bearer.clone())
    }

    /// Binding, runs, watching.
    #[must_use]
    pub fn agent(&self) -> AgentClient<InterceptedService<Channel, Bearer>> {
        AgentClient::new(self.service())
    }

    /// Terminals.
    #[must_use]
    pub fn terminals(&self) -> TerminalsClient<InterceptedService<Channel, Bearer>> {
        TerminalsClient::new(self.service())
    }
}

/// The key of a session's agent. Any server can compute it, none stores it.
#[must_use]
pub fn agent_key(installation_secret: &[u8], session: SessionId) -> Secret {
    let mut key = [0_u8; 32];
    Hkdf::<Sha256>::new(None, installation_secret)
        .expand(format!("slipway-agent/{session}").as_bytes(), &mut key)
        .expect("invariant: 32 bytes are fewer than HKDF-SHA256 can give");
    Secret::new(hex::encode(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::id::Id;

    #[test]
    fn each_session_and_each_installation_has_its_own_key() {
        let (a, b) = (
            SessionId::from_parts(1, [1; 10]),
            SessionId::from_parts(1, [2; 10]),
        );
        let key = agent_key(&[7; 32], a);
        assert_eq!(key.expose().len(), 64);
        assert_eq!(key, agent_key(&[7; 32], a));
        assert_ne!(key, agent_key(&[7; 32], b));
        assert_ne!(key, agent_key(&[8; 32], a));
    }
}
