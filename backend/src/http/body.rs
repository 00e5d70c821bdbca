//! Bodies that must keep arriving: a stalled or trickling one is ended with a problem, a refused one is read over.
use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use hyper::body::{Frame, SizeHint};
use slipway_core::code::Code;
use slipway_core::limits::{BODY_BYTES_PER_S_MIN, BODY_DRAIN_BYTES_MAX};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use crate::error::Error;
use crate::state::App;

/// How long a refused body is read over.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// A body stopped arriving, or trickles.
#[derive(Debug, thiserror::Error)]
#[error("the body stopped arriving")]
struct Stalled;

/// A request's body under watch; dropped before its end it goes to [`Rest`].
struct Watched {
    inner: Option<Body>,
    back: Option<oneshot::Sender<Body>>,
    within: Duration,
    received: u64,
    /// Spent waiting for the client, all in all. What the handler takes to work on a piece is not the client's.
    waited: Duration,
    waiting: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

/// Where an unread rest of a body arrives.
struct Rest(oneshot::Receiver<Body>);

/// The unread rest of a body.
struct Unread(Body);

/// Puts a request's body under watch: it must arrive in pieces not further apart than `within`, and after its first
/// such time at no less than a least rate.
fn watched(request: Request, within: Duration) -> (Request, Rest) {
    let (back, rest) = oneshot::channel();
    let request = request.map(|inner| {
        if inner.is_end_stream() {
            return inner;
        }
        Body::new(Watched {
            inner: Some(inner),
            back: Some(back),
            within,
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
            alarm: Box::pin(tokio::time::sleep(within)),
        })
    });
    (request, Rest(rest))
}

/// Watches the body of a request, and reads over what its handler left of it.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let within = Duration::from_millis(app.config.http_body_ms);
    let (request, rest) = watched(request, within);
    let response = next.run(request).await;
    if let Some(unread) = rest.taken() {
        let drained = app
            .stopping
            .clone()
            .run_until_cancelled_owned(unread.drain());
        app.tasks.spawn(drained);
    }
    response
}

impl Rest {
    /// The rest, when whoever read the body stopped before its end.
    fn taken(mut self) -> Option<Unread> {
        self.0.try_recv().ok().map(Unread)
    }
}

impl Unread {
    /// Reads over what the client still sends. Closing at once would reset the connection, and the answer with it.
    async fn drain(self) {
        let mut pieces = self.0.into_data_stream();
        let drained = async {
            let mut bytes = 0;
            while let Some(Ok(piece)) = pieces.next().await {
                bytes += piece.len() as u64;
                if bytes > BODY_DRAIN_BYTES_MAX {
                    break;
                }
            }
        };
        // One that is not over by then is cut.
        drop(tokio::time::timeout(DRAIN_WITHIN, drained).await);
    }
}

impl Watched {
    /// Waits: the next piece must be there within the usual time, or earlier when the whole is too slow.
    fn wait(&mut self) {
        if self.waiting.is_some() {
            return;
        }
        let now = Instant::now();
        self.waiting = Some(now);
        let earned =
            Duration::from_millis(self.received.saturating_mul(1000) / BODY_BYTES_PER_S_MIN);
        let left = (self.within + earned).saturating_sub(self.waited);
        self.alarm.as_mut().reset(now + left.min(self.within));
    }

    fn arrived(&mut self, bytes: usize) {
        self.received += bytes as u64;
        if let Some(since) = self.waiting.take() {
            self.waited += since.elapsed();
        }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        match Pin::new(inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.arrived(frame.data_ref().map_or(0, Bytes::len));
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(over) => {
                self.inner = None;
                Poll::Ready(over)
            }
            Poll::Pending => {
                self.wait();
                if self.alarm.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                // Nobody waits for the rest of it.
                self.inner = None;
                Poll::Ready(Some(Err(axum::Error::new(Stalled))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let (Some(inner), Some(back)) = (self.inner.take(), self.back.take())
            && !inner.is_end_stream()
        {
            // The answer may be on its way already; then the connection ends with it.
            drop(back.send(inner));
        }
    }
}

/// The next piece of a body.
///
/// # Errors
/// Stalled or broken off.
pub async fn next_piece(pieces: &mut BodyDataStream) -> Result<Option<Bytes>, Error> {
    pieces
        .next()
        .await
        .transpose()
        .map_err(|error| broken(&error))
}

/// Why a body could not be read.
#[must_use]
pub fn broken(error: &(dyn StdError + 'static)) -> Error {
    if is_stalled(error) {
        return Error::new(
            Code::BodyStalled,
            "The body stopped arriving, or arrives too slowly. Send it again.",
        );
    }
    Error::new(
        Code::InvalidRequest,
        "The body broke off. Send it again, whole.",
    )
}

/// Whether a failure goes back to a body that stalled.
#[must_use]
pub fn is_stalled(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<Stalled>() {
            return true;
        }
        cause = error.source();
    }
    false
}
