//! Ourselves, spoken to as the peers are: one stream on one WebSocket, without the product client's queues.
use anyhow::{Result, ensure};
use bytes::Bytes;
use prost::Message as _;
use slipway_api::session::Session;
use slipway_client::rest::Client;
use slipway_core::id::TerminalId;
use slipway_core::limits::TERMINAL_WINDOW_BYTES;
use slipway_proto::v1;
use slipway_proto::v1::{terminal_client, terminal_server, ws_client, ws_server};
use tokio_tungstenite::tungstenite::Message;

use super::{Connection, Protocol, Told, Way};

const STREAM: u32 = 1;
/// Parsed bytes after which the window is moved on, as the page does.
const ACK_BYTES: u64 = 32 * 1024;

struct Slipway {
    typed: u64,
    parsed: u64,
    acknowledged: u64,
}

/// Attaches to a terminal from its first byte.
///
/// # Errors
/// When the server refuses.
pub(in crate::bench) async fn attach(
    client: &Client,
    session: &Session,
    terminal: TerminalId,
    client_id: String,
) -> Result<Connection> {
    let token = client.token().map_or("", |token| token.expose());
    let hello = v1::Hello {
        terminal_id: terminal.to_string(),
        client_id,
        cols: 80,
        rows: 24,
        window: TERMINAL_WINDOW_BYTES,
        visible: true,
        ..v1::Hello::default()
    };
    let way = Way {
        url: format!("{}/api/v1/ws", client.base().replacen("http", "ws", 1)),
        headers: vec![("authorization", format!("Bearer {token}"))],
        first: vec![frame(ws_client::Body::Attach(v1::AttachTerminal {
            session_id: session.id.to_string(),
            hello: Some(hello),
        }))],
        says_ready: true,
    };
    let protocol = Slipway {
        typed: 0,
        parsed: 0,
        acknowledged: 0,
    };
    let mut connection = Connection::open(way, Box::new(protocol)).await?;
    super::answers(&mut connection).await?;
    Ok(connection)
}

fn frame(body: ws_client::Body) -> Message {
    let frame = v1::WsClient {
        stream: STREAM,
        body: Some(body),
    };
    Message::Binary(frame.encode_to_vec().into())
}

fn terminal(frame_of: terminal_client::Frame) -> Message {
    frame(ws_client::Body::Terminal(v1::TerminalClient {
        frame: Some(frame_of),
    }))
}

impl Slipway {
    fn acknowledge(&mut self) -> Message {
        self.acknowledged = self.parsed;
        terminal(terminal_client::Frame::Ack(v1::Ack {
            parsed_offset: self.parsed,
            window: TERMINAL_WINDOW_BYTES,
        }))
    }
}

impl Protocol for Slipway {
    fn typed(&mut self, bytes: &[u8]) -> Message {
        let offset = self.typed;
        self.typed += bytes.len() as u64;
        terminal(terminal_client::Frame::Input(v1::Input {
            offset,
            data: Bytes::copy_from_slice(bytes),
        }))
    }

    fn told(&mut self, message: Message) -> Result<Told> {
        let Message::Binary(bytes) = message else {
            return Ok(Told::default());
        };
        let frame = match v1::WsServer::decode(bytes)?.body {
            Some(ws_server::Body::Terminal(frame)) => frame.frame,
            Some(ws_server::Body::Closed(closed)) => {
                ensure!(closed.code.is_empty(), "{}", closed.message);
                return Ok(Told {
                    ended: true,
                    ..Told::default()
                });
            }
            _ => None,
        };
        Ok(match frame {
            Some(terminal_server::Frame::Attached(_)) => Told {
                ready: true,
                ..Told::default()
            },
            Some(terminal_server::Frame::Output(output)) => {
                ensure!(output.offset == self.parsed, "output out of its place");
                self.parsed += output.data.len() as u64;
                let mut told = Told::output(output.data);
                if self.parsed - self.acknowledged >= ACK_BYTES {
                    told.answer = Some(self.acknowledge());
                }
                told
            }
            Some(terminal_server::Frame::Exited(_)) => Told {
                ended: true,
                ..Told::default()
            },
            // Somebody who did not read for long goes on behind what is no longer kept; who counts bytes misses them.
            Some(terminal_server::Frame::Gap(gap)) => {
                self.parsed = gap.to;
                Told {
                    answer: Some(self.acknowledge()),
                    ..Told::default()
                }
            }
            _ => Told::default(),
        })
    }
}
