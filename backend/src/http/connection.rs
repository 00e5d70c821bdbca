//! Connections: accepted, served within their bounds, ended in order.
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use slipway_core::limits::{HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX, HTTP2_STREAMS_MAX};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::crowd::{Crowd, Seat};
use crate::state::App;

/// How long open requests may go on after the stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// Serves until the app stops, then lets open requests end within a bound.
pub async fn serve(app: App, router: Router, listener: TcpListener) {
    let crowd = Crowd::new(app.config.clone());
    let connections = tokio_util::task::TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = app.stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Without a seat it is closed at once: whoever comes in good faith tries again.
                let Some(seat) = crowd.admit(peer.ip()) else {
                    continue;
                };
                // A keystroke must not wait for a full packet.
                drop(stream.set_nodelay(true));
                connections.spawn(connection(router.clone(), app.clone(), stream, seat, peer));
            }
            Err(error) => {
                tracing::warn!(%error, "Cannot accept a connection");
                // Out of descriptors: others must end first.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN_WITHIN, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            connections = connections.len(),
            "Connections did not end in time and are cut"
        );
    }
}

async fn connection(router: Router, app: App, stream: TcpStream, seat: Seat, peer: SocketAddr) {
    let config = &app.config;
    let head_within = Duration::from_millis(config.http_head_ms);
    let heard = CancellationToken::new();
    let first = heard.clone();
    let service =
        hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            first.cancel();
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(Body::new))
        });
    let mut builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_within)
        .max_headers(HTTP_HEADERS_MAX)
        .max_buf_size(HTTP_HEAD_BYTES_MAX)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .keep_alive_interval(Duration::from_secs(15))
        .keep_alive_timeout(Duration::from_secs(10));
    let stream = Taken::new(stream, seat, Duration::from_millis(config.http_write_ms));
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        // Before the version of HTTP is known nothing else watches over a connection that says nothing.
        () = silent(&heard, head_within) => return,
        () = app.stopping.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = error.to_string(), "A connection ended early");
    }
}

/// Ends when a connection had no request at all within the time; never once it had one.
async fn silent(heard: &CancellationToken, within: Duration) {
    if tokio::time::timeout(within, heard.cancelled())
        .await
        .is_ok()
    {
        std::future::pending::<()>().await;
    }
}

/// A connection whose other side must take what is written: one that takes nothing for `within` is at its end, and with
/// it the answer and whatever works on it. It holds its seat for as long as its socket is open, also as a WebSocket.
struct Taken {
    stream: TcpStream,
    _seat: Seat,
    within: Duration,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Taken {
    const fn new(stream: TcpStream, seat: Seat, within: Duration) -> Self {
        Self {
            stream,
            _seat: seat,
            within,
            alarm: None,
        }
    }

    /// Looks at how a write went: the alarm runs from the first that did not pass until one does.
    fn watched<T>(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.alarm = None;
            return wrote;
        }
        let within = self.within;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(within)));
        match alarm.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Taken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Taken {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watched(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watched(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
