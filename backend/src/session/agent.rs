//! The key of a session's agent.
use hkdf::Hkdf;
use sha2::Sha256;
use slipway_core::id::SessionId;
use slipway_core::secret::Secret;

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
