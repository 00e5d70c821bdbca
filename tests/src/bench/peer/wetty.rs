//! wetty: socket.io 4 over a WebSocket; the viewer commits what it has read. Run as root it starts the shell itself,
//! otherwise through an sshd, which this machine may not have: the lean way is its best one.
use anyhow::Result;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use super::{Protocol, Told, Way};

/// Read characters after which they are committed, as its own page does.
const COMMIT: usize = 8 * 1024;

/// Its protocol.
#[derive(Default)]
pub(super) struct Wetty {
    uncommitted: usize,
}

pub(super) fn arguments(command: &mut Command, port: u16) {
    command
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--base", "/wetty", "--ssh-host", "localhost"])
        .args(["--command", "bash --norc"]);
}

pub(super) fn way(port: u16) -> Way {
    Way {
        url: format!("ws://127.0.0.1:{port}/wetty/socket.io/?EIO=4&transport=websocket"),
        headers: Vec::new(),
        first: vec![Message::text("40")],
        says_ready: true,
    }
}

fn event(words: &Value) -> Message {
    Message::text(format!("42{words}"))
}

impl Protocol for Wetty {
    fn typed(&mut self, bytes: &[u8]) -> Message {
        event(&json!(["input", String::from_utf8_lossy(bytes)]))
    }

    fn told(&mut self, message: Message) -> Result<Told> {
        let Message::Text(text) = message else {
            return Ok(Told::default());
        };
        if text.as_str() == "2" {
            return Ok(Told {
                answer: Some(Message::text("3")),
                ..Told::default()
            });
        }
        let Some(words) = text.strip_prefix("42") else {
            return Ok(Told::default());
        };
        let told: Vec<Value> = serde_json::from_str(words)?;
        Ok(match (told.first().and_then(Value::as_str), told.get(1)) {
            (Some("data"), Some(Value::String(output))) => {
                self.uncommitted += output.len();
                let mut told = Told::output(output.clone());
                if self.uncommitted > COMMIT {
                    told.answer = Some(event(&json!(["commit", self.uncommitted])));
                    self.uncommitted = 0;
                }
                told
            }
            (Some("login"), _) => Told {
                ready: true,
                ..Told::default()
            },
            (Some("logout"), _) => Told {
                ended: true,
                ..Told::default()
            },
            _ => Told::default(),
        })
    }
}
