//! One viewer's connection: frames in are applied to the terminal, frames out are drawn from it as the carrier asks for
//! them.
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use slipway_proto::v1;
use slipway_proto::v1::terminal_server::Frame as Out;
use slipway_terminal::input;
use tokio::time::Sleep;
use tokio_stream::Stream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;

use super::Terminal;
use super::viewer::Due;
use crate::auth::PresenceGuard;
use crate::error::AgentError;

/// How long an input acknowledgement waits for output that it can travel with. A key is nearly always echoed, and
/// one frame fewer is one wake-up fewer on every hop. The timer is not stopped by an echo, so that fast typing finds
/// it running instead of starting it with every key; nobody waits for it.
const ACK_WAITS: Duration = Duration::from_millis(500);

/// The frames for one viewer.
pub(crate) struct Outbound {
    terminal: Arc<Terminal>,
    number: u64,
    ack_timer: Option<Pin<Box<Sleep>>>,
    _inbound: DropGuard,
    _presence: PresenceGuard,
}

/// Attaches a viewer: returns its frames; what it says is applied by the returned future until either side ends.
pub(crate) fn attach(
    terminal: Arc<Terminal>,
    hello: &v1::Hello,
    mut inbound: tonic::Streaming<v1::TerminalClient>,
    presence: PresenceGuard,
) -> Result<(Outbound, impl Future<Output = ()> + Send + 'static), AgentError> {
    let client = uuid::Uuid::parse_str(&hello.client_id)
        .ok()
        .map(|id| id.as_u128())
        .filter(|client| *client != input::TERMINAL)
        .ok_or_else(|| AgentError::invalid("client_id is not a UUID."))?;
    let number = terminal.admit(client, hello)?;
    let stop = CancellationToken::new();
    let outbound = Outbound {
        terminal: terminal.clone(),
        number,
        ack_timer: None,
        _inbound: stop.clone().drop_guard(),
        _presence: presence,
    };
    let listening = async move {
        let mut stopped = pin!(stop.cancelled());
        loop {
            let message = tokio::select! {
                message = inbound.message() => message,
                () = &mut stopped => break,
            };
            let Ok(Some(v1::TerminalClient { frame: Some(frame) })) = message else {
                break;
            };
            match terminal.hear(number, frame) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    // The refusal goes out, then the carrier drops the stream, which ends this.
                    terminal.refuse(number, &error);
                    stopped.await;
                    break;
                }
            }
        }
        terminal.release(number);
    };
    Ok((outbound, listening))
}

impl Stream for Outbound {
    type Item = Result<v1::TerminalServer, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let timer = self.ack_timer.as_mut();
            let ack_is_due = timer.is_some_and(|timer| timer.as_mut().poll(context).is_ready());
            if ack_is_due {
                self.ack_timer = None;
            }
            match self.terminal.due(self.number, context, ack_is_due) {
                Due::Frame(frame) => {
                    if matches!(frame, Out::Refused(_)) {
                        self.terminal.release(self.number);
                    }
                    return Poll::Ready(Some(Ok(v1::TerminalServer { frame: Some(frame) })));
                }
                Due::End => return Poll::Ready(None),
                Due::Acknowledgement => {
                    self.ack_timer = Some(Box::pin(tokio::time::sleep(ACK_WAITS)));
                }
                Due::Nothing => return Poll::Pending,
            }
        }
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.terminal.release(self.number);
    }
}
