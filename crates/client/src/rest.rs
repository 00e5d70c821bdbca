//! The door: one HTTP client with a base address and a token; problems become errors.
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use slipway_api::problem::Problem;
use slipway_core::secret::Secret;

use crate::error::ClientError;
use crate::line::Lines;

/// A server, and who we are there. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    token: Option<Secret>,
    lines: Lines,
}

impl Client {
    /// A client that is not signed in. `base` is the server's address, such as `http://127.0.0.1:8002`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: impl Into<String>) -> Result<Self, ClientError> {
        // A second installation in one process is refused and harmless.
        drop(rustls::crypto::ring::default_provider().install_default());
        let base = base.into();
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            token: None,
            lines: Lines::new()?,
        })
    }

    /// The same server with this token.
    #[must_use]
    pub fn with_token(&self, token: Secret) -> Self {
        Self {
            token: Some(token),
            ..self.clone()
        }
    }

    /// The token, if signed in.
    #[must_use]
    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// Its connections, which its clones share.
    pub(crate) const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The server's address without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to a path below `/api/v1`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http()
            .request(method, format!("{}/api/v1{path}", self.base))
            .header("x-slipway-client", "native");
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// Sends a request and turns an error status into the problem it carries.
    ///
    /// # Errors
    /// The problem, or that the server was not reached.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        Self::checked(request.send().await?).await
    }

    /// Turns an error status into the problem it carries.
    pub(crate) async fn checked(response: Response) -> Result<Response, ClientError> {
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let status = response.status();
        let body = response.bytes().await?;
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(ClientError::Problem(Box::new(problem))),
            Err(_) => Err(ClientError::Protocol(format!(
                "status {status} without a problem"
            ))),
        }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        Ok(self
            .send(self.request(Method::GET, path))
            .await?
            .json()
            .await?)
    }

    /// Sends a body and reads an answer.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn call<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        Ok(self
            .send(self.request(method, path).json(body))
            .await?
            .json()
            .await?)
    }

    /// Sends a body and expects no answer.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn tell<B: Serialize + Sync>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<(), ClientError> {
        self.send(self.request(method, path).json(body))
            .await
            .map(drop)
    }

    /// Reads a body as bytes.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn bytes(&self, path: &str) -> Result<Bytes, ClientError> {
        Ok(self
            .send(self.request(Method::GET, path))
            .await?
            .bytes()
            .await?)
    }
}

/// A path of a workspace as part of an address: slashes stay, everything else that needs it is escaped.
#[must_use]
pub fn escape_path(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
