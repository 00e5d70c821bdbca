//! ttyd, the leanest peer: one hop less than we have, and no sandbox. Binary frames, the first byte says what it is.
use anyhow::Result;
use bytes::Bytes;
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use super::{Protocol, Told, Way};

/// Its protocol.
pub(super) struct Ttyd;

pub(super) fn arguments(command: &mut Command, port: u16) {
    command
        .args(["-W", "-i", "127.0.0.1", "-p", &port.to_string()])
        // Its own pings would end a connection that stalls on purpose.
        .args(["-P", "300", "bash", "--norc"]);
}

pub(super) fn way(port: u16) -> Way {
    let hello = Bytes::from_static(br#"{"AuthToken":"","columns":80,"rows":24}"#);
    Way {
        url: format!("ws://127.0.0.1:{port}/ws"),
        headers: vec![("sec-websocket-protocol", "tty".to_owned())],
        first: vec![Message::Binary(hello)],
        says_ready: false,
    }
}

impl Protocol for Ttyd {
    fn typed(&mut self, bytes: &[u8]) -> Message {
        Message::Binary(Bytes::from([b"0", bytes].concat()))
    }

    fn told(&mut self, message: Message) -> Result<Told> {
        Ok(match message {
            Message::Binary(bytes) if bytes.first() == Some(&b'0') => {
                Told::output(bytes.slice(1..))
            }
            _ => Told::default(),
        })
    }
}
