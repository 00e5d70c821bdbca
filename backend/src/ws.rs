//! The browser's one WebSocket at `/api/v1/ws`: terminals and events as numbered streams of one connection.
//! One task reads and writes; between a key and the agent stands no queue but the one that is the back-pressure.
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use slipway_api::problem::Problem;
use slipway_core::code::Code;
use slipway_core::limits::{WS_MESSAGE_BYTES_MAX, WS_WRITE_BUFFER_BYTES_MAX};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes as paths;

use crate::error::Error;
use crate::http::extract::SignedIn;
use crate::state::App;

mod connection;
mod flow;
mod stream;

/// Frames are handed to the system in pieces of at least this size while there are more, and at once when not.
const WRITE_PIECE_BYTES: usize = 128 * 1024;

/// The route of the socket.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(paths!(open))
}

/// Opens the socket: binary frames of `slipway.v1.WsClient` and `slipway.v1.WsServer`.
#[utoipa::path(get, path = "/api/v1/ws", tag = "streams",
    responses((status = 101, description = "Switched to WebSocket"), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("signed-in"))))]
async fn open(
    State(app): State<App>,
    user: SignedIn,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Error> {
    let upgrade = upgrade.map_err(|error| {
        Error::new(
            Code::InvalidRequest,
            format!("Open this address as a WebSocket: {}.", error.body_text()),
        )
    })?;
    if app.stopping.is_cancelled() {
        return Err(Error::new(
            Code::GoingAway,
            "The server is shutting down. Connect again.",
        )
        .retry_after(1));
    }
    Ok(upgrade
        .max_message_size(WS_MESSAGE_BYTES_MAX)
        .max_frame_size(WS_MESSAGE_BYTES_MAX)
        .write_buffer_size(WRITE_PIECE_BYTES)
        .max_write_buffer_size(WS_WRITE_BUFFER_BYTES_MAX)
        .on_upgrade(move |socket: WebSocket| {
            let tasks = app.tasks.clone();
            tasks.track_future(connection::serve(app, user, socket))
        }))
}
