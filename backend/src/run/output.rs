//! The output of a run as its agent keeps it: the replay of its terminal's log, up to now.
use std::time::Duration;

use slipway_core::id::RunId;
use slipway_core::limits::{
    RUN_OUTPUT_BYTES_MAX, TERMINAL_FRAME_BYTES_MAX, TERMINAL_WINDOW_BYTES_MAX,
};
use slipway_proto::v1;
use slipway_proto::v1::terminal_client::Frame as Say;
use slipway_proto::v1::terminal_server::Frame as Heard;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use slipway_proto::agent::AgentHandle;

/// The replay of two megabytes takes milliseconds; an agent that stalls it is not waited for.
const FETCH_S: Duration = Duration::from_secs(20);

/// What a run printed.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// The kept end.
    pub(super) bytes: Vec<u8>,
    /// All bytes that were printed.
    pub(super) total_bytes: u64,
    /// Whether the beginning is no longer kept.
    pub(super) truncated: bool,
}

/// Reads the log of a run's terminal up to its present end.
pub(super) async fn fetch(agent: &AgentHandle, run: RunId) -> Result<Output, Status> {
    tokio::time::timeout(FETCH_S, replay(agent, run))
        .await
        .unwrap_or_else(|_| {
            Err(Status::deadline_exceeded(
                "the output did not arrive in time",
            ))
        })
}

async fn replay(agent: &AgentHandle, run: RunId) -> Result<Output, Status> {
    let (sender, receiver) = mpsc::channel(8);
    let say = async |frame| {
        let frame = v1::TerminalClient { frame: Some(frame) };
        // A closed stream shows at its receiving end.
        drop(sender.send(frame).await);
    };
    say(Say::Hello(v1::Hello {
        terminal_id: run.to_string(),
        // The run's own id is no viewer's: reading the output supersedes nobody.
        client_id: run.to_string(),
        window: TERMINAL_WINDOW_BYTES_MAX,
        ..v1::Hello::default()
    }))
    .await;
    let mut frames = agent
        .terminals()
        .attach(ReceiverStream::new(receiver))
        .await?
        .into_inner();
    let mut output = Output::default();
    let (mut at, mut end) = (0, None);
    while end != Some(at) {
        let Some(frame) = frames.message().await? else {
            break;
        };
        match frame.frame {
            Some(Heard::Attached(attached)) => {
                at = attached.start_offset;
                output.truncated = at > 0;
                end = Some(attached.end_offset.max(at));
            }
            Some(Heard::Output(piece)) => {
                at = piece.offset + piece.data.len() as u64;
                append(&mut output, &piece.data);
                say(Say::Ack(v1::Ack {
                    parsed_offset: at,
                    window: TERMINAL_WINDOW_BYTES_MAX,
                }))
                .await;
                // A running program may have printed past the end that was asked for.
                end = end.map(|end| end.max(at));
            }
            Some(Heard::Gap(gap)) => {
                at = gap.to;
                output.bytes.clear();
                output.truncated = true;
                end = end.map(|end| end.max(at));
            }
            Some(Heard::Refused(refused)) => return Err(Status::not_found(refused.message)),
            Some(Heard::Exited(_)) => break,
            Some(Heard::Resized(_) | Heard::InputAck(_) | Heard::Restored(_)) | None => {}
        }
    }
    say(Say::Detach(v1::Detach {})).await;
    output.total_bytes = at;
    begin_at_a_line(&mut output);
    Ok(output)
}

/// What is left of a long output begins with a whole line, if one begins soon.
fn begin_at_a_line(output: &mut Output) {
    let head = &output.bytes[..output.bytes.len().min(TERMINAL_FRAME_BYTES_MAX)];
    let line = head.iter().position(|byte| *byte == b'\n');
    if let Some(end) = line.filter(|_| output.truncated) {
        output.bytes.drain(..=end);
    }
}

/// Keeps the end within the bound; the agent is not trusted to keep it.
fn append(output: &mut Output, piece: &[u8]) {
    debug_assert!(piece.len() <= 4 * TERMINAL_FRAME_BYTES_MAX);
    output.bytes.extend_from_slice(piece);
    if output.bytes.len() > RUN_OUTPUT_BYTES_MAX {
        let excess = output.bytes.len() - RUN_OUTPUT_BYTES_MAX;
        output.bytes.drain(..excess);
        output.truncated = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept_within_the_bound() {
        let mut output = Output::default();
        for n in 0..40_u8 {
            append(&mut output, &[n; TERMINAL_FRAME_BYTES_MAX]);
        }
        assert_eq!(output.bytes.len(), RUN_OUTPUT_BYTES_MAX);
        assert_eq!(output.bytes.last(), Some(&39));
        assert!(output.truncated);
    }

    #[test]
    fn what_is_left_begins_with_a_whole_line() {
        let mut output = Output::default();
        append(&mut output, b"31mred\x1b[0m\nnext\n");
        begin_at_a_line(&mut output);
        assert!(output.bytes.starts_with(b"31m"), "nothing is missing");
        output.truncated = true;
        begin_at_a_line(&mut output);
        assert_eq!(output.bytes, b"next\n");
    }
}
