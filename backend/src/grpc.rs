//! gRPC on the port of everything else, for programs: the frames of the socket, one call for each of its streams, and
//! those of a replica.
//! Who calls stands in the metadata, as `authorization: Bearer …`.
use std::time::Duration;

use axum::Router;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use slipway_core::code::Code;
use slipway_core::limits::WS_MESSAGE_BYTES_MAX;
use slipway_proto::v1::events_server::EventsServer;
use slipway_proto::v1::sync_server::SyncServer;
use slipway_proto::v1::terminals_server::TerminalsServer;
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;
use tonic::{Result, Status};

use crate::account::token;
use crate::error::Error;
use crate::http::extract::SignedIn;
use crate::replica;
use crate::state::App;

mod events;
mod sync;
mod terminals;

/// The routes of all services.
pub fn routes(app: &App) -> Router<App> {
    let terminals = TerminalsServer::new(terminals::Terminals(app.clone()))
        .max_decoding_message_size(WS_MESSAGE_BYTES_MAX);
    let events = EventsServer::new(events::Events(app.clone()))
        .max_decoding_message_size(WS_MESSAGE_BYTES_MAX);
    let sync = SyncServer::new(sync::Sync::new(app.clone()))
        .max_decoding_message_size(replica::FRAME_BYTES_MAX);
    Router::new()
        .route_service(&address(&terminals), terminals)
        .route_service(&address(&sync), sync)
        .route_service(&address(&events), events)
}

fn address<S: NamedService>(_service: &S) -> String {
    format!("/{}/{{*method}}", S::NAME)
}

/// Who calls. A cookie is not taken: a browser could be made to send it.
async fn signed_in(app: &App, metadata: &MetadataMap) -> Result<SignedIn> {
    let headers = metadata.clone().into_headers();
    let presented = token::presented(&headers).filter(|presented| !presented.by_cookie);
    let presented = presented.ok_or_else(|| Error::new(Code::SignInRequired, "Sign in first."))?;
    Ok(token::find(app, presented.token).await?)
}

/// When a call ends that did not end before, and what it is told: with its device's sign-in, or with the server.
fn over(app: &App, user: SignedIn) -> impl Future<Output = Error> + Send + use<> {
    let every = Duration::from_millis(app.config.ws_ping_ms.max(1));
    let signed_out = token::signed_out(app, user.device, every);
    let stopping = app.stopping.clone().cancelled_owned();
    async move {
        tokio::select! {
            () = signed_out => Error::new(Code::SignInExpired, "This device was signed out. Sign in again."),
            () = stopping => Error::new(Code::GoingAway, "The server is shutting down. Connect again."),
        }
    }
}

/// A stream that ends with its device's sign-in and with the server.
fn bounded<T: Send + 'static>(
    app: &App,
    user: SignedIn,
    frames: impl Stream<Item = Result<T>> + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    let end = over(app, user).map(|error| Err(Status::from(error)));
    // Whichever says that it is over is the last that is heard.
    let frames = frames.map(Some).chain(stream::iter([None]));
    stream::select(frames, end.map(Some).into_stream())
        .scan(false, |over, frame| {
            let next = if *over { None } else { frame };
            *over = !matches!(next, Some(Ok(_)));
            std::future::ready(next)
        })
        .boxed()
}
