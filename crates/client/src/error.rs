//! What can go wrong between a client and its server.
use std::error::Error;
use std::io;

use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
use slipway_api::problem::Problem;
use slipway_core::code::Code;
use tokio_tungstenite::tungstenite;

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
    Socket(#[source] Box<tungstenite::Error>),
    /// A stream's connection was not made.
    #[error("reach the server")]
    Connect(#[from] tonic::transport::Error),
    /// The server is there and says nothing.
    #[error("it does not answer in time")]
    Silent,
    /// The connection ended, and nobody said why.
    #[error("the connection ended")]
    Gone,
    /// A connection for one stream alone was not made.
    #[error("reach the server")]
    Dial(#[source] Box<dyn std::error::Error + Send + Sync>),
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
            | Self::Dial(_)
            | Self::Silent
            | Self::Gone
            | Self::Stream(_)
            | Self::Protocol(_) => None,
        }
    }

    /// Whether the server was not trusted since its certificate is not valid at the time that the clock here shows: that, or
    /// the clock, is wrong.
    #[must_use]
    pub fn is_out_of_date(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(rustls::Error::InvalidCertificate(reason)) = error.downcast_ref() {
                return matches!(
                    reason,
                    Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }
                );
            }
            // An error of I/O tells the cause of what it holds, and not that itself.
            let held = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            cause = match held {
                Some(held) => Some(held),
                None => error.source(),
            };
        }
        false
    }

    /// Whether it may pass by itself, so that trying again is of use: the way to the server, and what its codes say.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Network(_)
            | Self::Socket(_)
            | Self::Connect(_)
            | Self::Dial(_)
            | Self::Silent
            | Self::Gone
            | Self::Stream(_)
            | Self::Protocol(_) => true,
            Self::Problem(_) | Self::Closed { .. } => matches!(
                self.code(),
                Some(
                    Code::GoingAway
                        | Code::DatabaseUnavailable
                        | Code::SessionUnreachable
                        | Code::TooManyRequests
                        | Code::InProgress
                )
            ),
        }
    }
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        // An answer that breaks off on its way is called the same, and says nothing of who answers.
        let cause = error.source();
        if error.is_decode() && cause.is_some_and(|cause| cause.is::<serde_json::Error>()) {
            return Self::Protocol("its answer is not what was asked for".to_owned());
        }
        Self::Network(error)
    }
}
impl From<tungstenite::Error> for ClientError {
    fn from(error: tungstenite::Error) -> Self {
        // A refusal before the stream begins carries its problem like every other answer.
        if let tungstenite::Error::Http(answer) = &error
            && let Some(body) = answer.body()
            && let Ok(problem) = serde_json::from_slice(body)
        {
            return Self::Problem(Box::new(problem));
        }
        Self::Socket(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;
    use crate::rest::Client;

    /// What a client says of an answer that has so many bytes, by its own word.
    async fn told(length: usize, body: &'static str) -> ClientError {
        said("200 OK", length, body).await
    }

    /// The same of another status.
    async fn said(status: &'static str, length: usize, body: &'static str) -> ClientError {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = BufReader::new(&mut stream).lines();
            while !head.next_line().await.unwrap().unwrap().is_empty() {}
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let client = Client::new(&address).unwrap();
        client.server().await.unwrap_err()
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_a_broken_connection_and_not_that_of_something_else() {
        let broken = told(1_000, "{").await;
        assert!(matches!(broken, ClientError::Network(_)), "{broken:?}");
        assert!(broken.is_passing());
        let other = told(6, "<html>").await;
        assert!(matches!(other, ClientError::Protocol(_)), "{other:?}");
    }

    #[tokio::test]
    async fn a_code_of_tomorrow_is_a_refusal_with_its_words_and_not_something_else() {
        let body = r#"{"type": "/docs#code-of_tomorrow", "title": "of tomorrow", "status": 409,
            "detail": "Not today.", "code": "of_tomorrow"}"#;
        let refused = said("409 Conflict", body.len(), body).await;
        let ClientError::Problem(problem) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((problem.code, problem.status), (Code::Internal, 409));
        assert_eq!(problem.detail, "Not today.");
        assert_eq!(problem.title, "of tomorrow");
    }
}
