//! What can go wrong between a client and its server.
use slipway_api::problem::Problem;
use slipway_core::code::Code;

/// Why a call or stream ended without its answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server said no; act on the problem's code.
    #[error("{} ({})", .0.detail, .0.code)]
    Problem(Box<Problem>),
    /// The server was not reached, or the connection broke.
    #[error("reach the server")]
    Network(#[source] reqwest::Error),
    /// The WebSocket broke.
    #[error("keep the connection")]
    Socket(#[source] Box<tokio_tungstenite::tungstenite::Error>),
    /// A stream's connection was not made.
    #[error("reach the server")]
    Connect(#[from] tonic::transport::Error),
    /// A stream broke.
    #[error("keep the stream: {}", .0.message())]
    Stream(#[source] Box<tonic::Status>),
    /// The stream was ended by the server, with its code.
    #[error("{message} ({code})")]
    Closed {
        /// One of the API's codes, as text.
        code: String,
        /// For people.
        message: String,
    },
    /// The answer is not what this version understands.
    #[error("understand the server: {0}")]
    Protocol(String),
}

impl ClientError {
    /// The server's code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            Self::Closed { code, .. } => Code::parse(code),
            Self::Network(_)
            | Self::Socket(_)
            | Self::Connect(_)
            | Self::Stream(_)
            | Self::Protocol(_) => None,
        }
    }
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        Self::Network(error)
    }
}
impl From<tokio_tungstenite::tungstenite::Error> for ClientError {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}
