//! What the page is answered: JSON, bytes, or a problem with the same codes as a server's.
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use slipway_api::problem::{FieldProblem, Problem};
use slipway_core::code::Code;
use slipway_core::path::PathError;

use crate::error::CliError;
use crate::folder::FolderError;
use crate::local::LocalError;
use crate::token::TokenError;

/// An answer, or why there is none.
pub(super) type Answer = Result<Response<Bytes>, Fault>;

/// Why something was not done, as the page is told.
#[derive(Debug)]
pub(super) struct Fault {
    problem: Box<Problem>,
    etag: Option<String>,
}

impl Fault {
    /// What happened and what to do, in a sentence.
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// About one field of the request.
    pub(super) fn of_field(field: &str, code: Code, message: impl Into<String>) -> Self {
        let mut fault = Self::new(code, message);
        fault.problem.fields.push(FieldProblem {
            field: field.to_owned(),
            message: fault.problem.detail.clone(),
            code,
        });
        fault
    }

    /// No such thing.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// The same with what stands there now.
    pub(super) fn with_etag(mut self, etag: Option<String>) -> Self {
        self.etag = etag;
        self
    }

    pub(super) fn code(&self) -> Code {
        self.problem.code
    }

    pub(super) fn detail(&self) -> &str {
        &self.problem.detail
    }

    /// As a problem.
    pub(super) fn into_problem(self) -> Problem {
        *self.problem
    }

    /// As an answer.
    pub(super) fn into_response(self) -> Response<Bytes> {
        let mut response = json(self.problem.status, &*self.problem);
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, problem);
        if let Some(seconds) = self.problem.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(etag) = self.etag.and_then(|etag| etag.parse().ok()) {
            headers.insert(ETAG, etag);
        }
        response
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            etag: None,
        }
    }
}

impl From<PathError> for Fault {
    fn from(error: PathError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<FolderError> for Fault {
    fn from(error: FolderError) -> Self {
        CliError::from(error).into()
    }
}

impl From<LocalError> for Fault {
    fn from(error: LocalError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        CliError::from(error).into()
    }
}

impl From<CliError> for Fault {
    fn from(error: CliError) -> Self {
        match error {
            CliError::Refused(problem) => (*problem).into(),
            CliError::Ours(error) => (*error).into(),
            error @ CliError::AddressInvalid(_) => {
                Self::of_field("address", Code::InvalidRequest, error.to_string())
            }
            error => Self::new(code_of(&error), error.to_string()),
        }
    }
}

/// The code of what went wrong, for a page.
fn code_of(error: &CliError) -> Code {
    match error {
        CliError::Refused(problem) => problem.code,
        CliError::Ended { code, .. } => code.unwrap_or(Code::Internal),
        CliError::Ours(error) => code_of(error),
        CliError::Usage(_) | CliError::AddressInvalid(_) | CliError::Missing(..) => {
            Code::InvalidRequest
        }
        CliError::Folder(FolderError::OnlyHere(_)) => Code::OnlyHere,
        CliError::Folder(_) | CliError::Engine { .. } => Code::FolderUnusable,
        CliError::Token(_) => Code::KeychainUnavailable,
        CliError::Unreachable { .. } | CliError::OutOfDate(_) => Code::Unreachable,
        CliError::NotSlipway(_) | CliError::Protocol { .. } => Code::ProtocolMismatch,
        CliError::NotSignedIn | CliError::NotSignedInAt(_) => Code::SignInRequired,
        CliError::SignInEnded(_) => Code::SignInExpired,
        CliError::WrongCredentials => Code::WrongCredentials,
        CliError::WorkspaceUnknown(_)
        | CliError::WorkspaceAmbiguous { .. }
        | CliError::TerminalUnknown(_) => Code::NotFound,
        CliError::File { .. } | CliError::Exists(_) => Code::WriteFailed,
        CliError::NoHome
        | CliError::NoDisplay
        | CliError::ClosedDisplay
        | CliError::NoWindow
        | CliError::Window(_)
        | CliError::SessionEnded(_)
        | CliError::NoTerminal
        | CliError::NotRun(_)
        | CliError::StateDamaged(_)
        | CliError::Terminal(_)
        | CliError::NobodyListens
        | CliError::Interrupted(_) => Code::Internal,
    }
}

/// An answer in JSON.
pub(super) fn json(status: u16, body: &impl Serialize) -> Response<Bytes> {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = bytes(status, body.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// An answer in bytes.
pub(super) fn bytes(status: u16, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// Done, and nothing to say of it.
pub(super) fn done() -> Answer {
    Ok(bytes(204, Bytes::new()))
}

/// An answer in JSON to what was asked for.
pub(super) fn found(body: &impl Serialize) -> Answer {
    Ok(json(200, body))
}

/// A request's body as what the route takes.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        Fault::new(
            Code::InvalidRequest,
            format!("The request is not understood: {error}."),
        )
    })
}
