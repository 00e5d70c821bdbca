//! Somebody at a terminal of this machine, who checks every offset.
use prost::Message as _;
use slipway_api::session::Terminal;
use slipway_desktop::local::{LocalAgent, LocalError};
use slipway_proto::relay::{self, Input, Output};
use slipway_proto::v1;
use slipway_proto::v1::attached::Mode;
use slipway_proto::v1::terminal_client::Frame as In;
use slipway_proto::v1::terminal_server::Frame as Out;

use crate::lab::PATIENCE;

pub(super) struct Seat {
    pub(super) terminal: String,
    pub(super) epoch: String,
    pub(super) mode: Mode,
    pub(super) start: u64,
    pub(super) offset: u64,
    seen: Vec<u8>,
    typed: u64,
    input: Input,
    output: Output,
}

impl Seat {
    pub(super) async fn take(agent: &LocalAgent, terminal: &Terminal) -> Self {
        let terminal = terminal.id.to_string();
        let attached = Self::attach(agent, &terminal, "", 0).await;
        attached.expect("attached")
    }

    pub(super) async fn attach(
        agent: &LocalAgent,
        terminal: &str,
        epoch: &str,
        have_offset: u64,
    ) -> Result<Self, LocalError> {
        let hello = v1::Hello {
            terminal_id: terminal.to_owned(),
            epoch: epoch.to_owned(),
            have_offset,
            client_id: terminal.to_owned(),
            cols: 80,
            rows: 24,
            window: 256 * 1024,
            visible: true,
            ..v1::Hello::default()
        };
        let (input, attachment) = relay::attach(hello);
        let mut output = agent.attach(attachment).await?;
        let Some(Out::Attached(attached)) = next(&mut output).await else {
            panic!("the first frame tells where it begins");
        };
        Ok(Self {
            terminal: terminal.to_owned(),
            mode: attached.mode(),
            epoch: attached.epoch,
            start: attached.start_offset,
            offset: attached.start_offset,
            seen: Vec::new(),
            typed: attached.input_offset,
            input,
            output,
        })
    }

    pub(super) async fn key(&mut self, text: &str) {
        let data = bytes::Bytes::copy_from_slice(text.as_bytes());
        let offset = self.typed;
        self.typed += data.len() as u64;
        let frame = Some(In::Input(v1::Input { offset, data }));
        let sender = self.input.get_ref().expect("an open stream");
        let sent = sender.send(v1::TerminalClient { frame }).await;
        sent.expect("an open stream");
    }

    pub(super) async fn until(&mut self, text: &str) {
        while !self.text().contains(text) {
            match next(&mut self.output).await {
                Some(Out::Output(output)) => {
                    assert_eq!(output.offset, self.offset, "nothing lost, nothing doubled");
                    self.offset += output.data.len() as u64;
                    self.seen.extend_from_slice(&output.data);
                }
                Some(_) => {}
                None => panic!("ended without {text:?}: {}", self.text()),
            }
        }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}

async fn next(output: &mut Output) -> Option<Out> {
    let frame = tokio::time::timeout(PATIENCE, output.message()).await;
    let frame = frame.expect("in time").ok()??;
    v1::TerminalServer::decode(frame).expect("a frame").frame
}
