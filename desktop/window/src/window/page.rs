//! What the page may ask for: one exchange, one socket, and the few things that only a program can do. Each name stands
//! in `permissions/page.toml` as well, without which Tauri refuses it.
//!
//! Nothing here waits on the main thread. `send` is the one that runs there, because only so frames keep their order; it
//! never waits.
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method};
use serde::Serialize;
use serde_json::{Map, Value};
use slipway_api::desktop::Told;
use tauri::ipc::{Channel, InvokeBody, InvokeResponseBody, Request, Response};
use tauri::{AppHandle, Runtime, State, WebviewWindow};

use super::Shell;
use super::wires::WireError;

pub(super) mod native;

/// Which request: its method, its path below `/api/v1`, and the rest of its headers as a JSON object.
const METHOD: &str = "slipway-method";
const PATH: &str = "slipway-path";
const HEADERS: &str = "slipway-headers";
/// Which wire a frame is for.
const WIRE: &str = "slipway-wire";

/// Why the page does not get what it asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The page's mistake.
    #[error("The page's request is not understood: {0}.")]
    Malformed(&'static str),
    /// A wire took no frame.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// An address that no other program is given.
    #[error("Only addresses of the web are opened elsewhere.")]
    NotOfTheWeb,
    /// The system would not.
    #[error("{0}")]
    System(String),
}

impl Fault {
    fn system(error: impl std::fmt::Display) -> Self {
        Self::System(error.to_string())
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Wire(WireError::Gone) => "wire_gone",
            Self::Wire(WireError::Full) => "wire_full",
            Self::NotOfTheWeb => "not_of_the_web",
            Self::System(_) => "system",
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object = serde_json::json!({ "code": self.code(), "message": self.to_string() });
        object.serialize(serializer)
    }
}

type Shared<'a> = State<'a, Arc<Shell>>;

/// One HTTP exchange. The body is the request's; the answer is its head as JSON, led by that head's length, and its body.
#[tauri::command]
pub(crate) async fn exchange(request: Request<'_>, shell: Shared<'_>) -> Result<Response, Fault> {
    let answer = shell.gateway.exchange(read(&request)?).await;
    Ok(Response::new(written(answer)))
}

/// The request that the page means.
fn read(request: &Request<'_>) -> Result<http::Request<Bytes>, Fault> {
    let method = header(request, METHOD)?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Fault::Malformed(METHOD))?;
    let mut read = http::Request::builder()
        .method(method)
        .uri(header(request, PATH)?);
    let headers = request.headers().get(HEADERS);
    if let Some(headers) = headers {
        let malformed = Fault::Malformed(HEADERS);
        let Ok(headers) = serde_json::from_slice::<Map<String, Value>>(headers.as_bytes()) else {
            return Err(malformed);
        };
        for (name, value) in headers {
            let name = HeaderName::try_from(name);
            let value = value.as_str().map(HeaderValue::from_str);
            let (Ok(name), Some(Ok(value))) = (name, value) else {
                return Err(malformed);
            };
            read = read.header(name, value);
        }
    }
    read.body(body(request)?)
        .map_err(|_| Fault::Malformed(PATH))
}

/// An answer as bytes.
fn written(answer: http::Response<Bytes>) -> Vec<u8> {
    let (parts, body) = answer.into_parts();
    let headers: Map<String, Value> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    let head = serde_json::json!({ "status": parts.status.as_u16(), "headers": headers });
    let head = head.to_string();
    let mut written = BytesMut::with_capacity(4 + head.len() + body.len());
    // Headers have a bound far below.
    written.put_u32_le(u32::try_from(head.len()).unwrap_or(u32::MAX));
    written.put_slice(head.as_bytes());
    written.put_slice(&body);
    written.into()
}

/// Opens a socket: its number. What comes from the other side comes on the channel.
#[tauri::command]
pub(crate) async fn dial(
    frames: Channel<InvokeResponseBody>,
    shell: Shared<'_>,
) -> Result<u32, Fault> {
    let deliver = move |batch| frames.send(InvokeResponseBody::Raw(batch)).is_ok();
    Ok(shell.wires.dial(shell.gateway.wire(), deliver))
}

/// Sends one frame: the body.
#[tauri::command]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a command is given what it asks for by value"
)]
pub(crate) fn send(request: Request<'_>, shell: Shared<'_>) -> Result<(), Fault> {
    let wire = header(&request, WIRE)?
        .parse()
        .map_err(|_| Fault::Malformed(WIRE))?;
    Ok(shell.wires.send(wire, body(&request)?)?)
}

/// Ends a socket.
#[tauri::command]
pub(crate) async fn hang_up(wire: u32, shell: Shared<'_>) -> Result<(), Fault> {
    shell.wires.hang_up(wire);
    Ok(())
}

/// From now on the page is told what moves, and first how it stands with the server.
#[tauri::command]
pub(crate) async fn listen(told: Channel<Told>, shell: Shared<'_>) -> Result<(), Fault> {
    shell.voice.listen(told, shell.gateway.standing());
    Ok(())
}

/// Tries the server at once.
#[tauri::command]
pub(crate) async fn retry(shell: Shared<'_>) -> Result<(), Fault> {
    shell.gateway.retry();
    Ok(())
}

/// The page has shown its first frame.
#[tauri::command]
pub(crate) async fn painted(shell: Shared<'_>) -> Result<(), Fault> {
    shell.painted.send_replace(true);
    Ok(())
}

/// Names the window.
#[tauri::command]
pub(crate) async fn title<R: Runtime>(text: String, window: WebviewWindow<R>) -> Result<(), Fault> {
    window.set_title(&text).map_err(Fault::system)
}

/// Closes the window and the program.
#[tauri::command]
pub(crate) async fn leave<R: Runtime>(app: AppHandle<R>) -> Result<(), Fault> {
    app.exit(0);
    Ok(())
}

/// What a header says.
fn header<'a>(request: &'a Request<'_>, name: &'static str) -> Result<&'a str, Fault> {
    let value = request.headers().get(name).ok_or(Fault::Malformed(name))?;
    value.to_str().map_err(|_| Fault::Malformed(name))
}

/// The bytes of a request.
fn body(request: &Request<'_>) -> Result<Bytes, Fault> {
    match request.body() {
        InvokeBody::Raw(bytes) => Ok(Bytes::copy_from_slice(bytes)),
        // How nothing at all is sent.
        InvokeBody::Json(Value::Null) => Ok(Bytes::new()),
        InvokeBody::Json(Value::Object(fields)) if fields.is_empty() => Ok(Bytes::new()),
        InvokeBody::Json(_) => Err(Fault::Malformed("its body is not bytes")),
    }
}
