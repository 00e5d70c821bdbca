//! gotty: text frames, the first character says what it is, output in base64.
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use super::{Protocol, Told, Way};

/// Its protocol.
pub(super) struct Gotty;

pub(super) fn arguments(command: &mut Command, port: u16) {
    command
        .args(["-a", "127.0.0.1", "-p", &port.to_string()])
        .args(["-w", "--quiet", "--ws-origin", ".*", "bash", "--norc"]);
}

pub(super) fn way(port: u16) -> Way {
    Way {
        url: format!("ws://127.0.0.1:{port}/ws"),
        headers: vec![("sec-websocket-protocol", "webtty".to_owned())],
        first: vec![
            Message::text(r#"{"Arguments":"","AuthToken":""}"#),
            Message::text(r#"3{"columns":80,"rows":24}"#),
        ],
        says_ready: false,
    }
}

impl Protocol for Gotty {
    fn typed(&mut self, bytes: &[u8]) -> Message {
        Message::text(format!("1{}", String::from_utf8_lossy(bytes)))
    }

    fn told(&mut self, message: Message) -> Result<Told> {
        Ok(match message {
            Message::Text(text) if text.starts_with('1') => {
                Told::output(STANDARD.decode(&text.as_bytes()[1..])?)
            }
            _ => Told::default(),
        })
    }
}
