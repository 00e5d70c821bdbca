//! The one shape of an error answer: RFC 9457 problem details with a stable code.

use serde::{Deserialize, Serialize};
use slipway_core::{code::Code, id::RequestId};
use ts_rs::TS;
use utoipa::ToSchema;

/// An error answer, `application/problem+json`. Act on `code`, show `detail`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Problem {
    /// Address of the documentation of this code.
    pub r#type: String,
    /// The code in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened, what is safe, what to do.
    pub detail: String,
    /// What clients act on.
    pub code: Code,
    /// Finds this request in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub request_id: Option<RequestId>,
    /// Which fields of the request are wrong, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldProblem>,
    /// Seconds to wait before another try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[ts(type = "number")]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem with what happened and what to do, in a sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("/docs#code-{code}"),
            title: code.as_str().replace('_', " "),
            status: status(code),
            detail: detail.into(),
            code,
            request_id: None,
            fields: Vec::new(),
            retry_after_s: None,
        }
    }
}

/// The HTTP status of each code, for the server and for the desktop program, which answers the same requests.
#[must_use]
pub const fn status(code: Code) -> u16 {
    match code {
        Code::SignInRequired | Code::WrongCredentials | Code::SignInExpired => 401,
        Code::AccountDisabled
        | Code::Forbidden
        | Code::ForeignOrigin
        | Code::RegistrationClosed => 403,
        Code::NotFound | Code::RevisionUnknown => 404,
        Code::MethodNotAllowed => 405,
        Code::BodyStalled => 408,
        Code::Stale => 412,
        Code::BodyTooLarge | Code::FileTooLarge => 413,
        Code::UnsupportedMediaType => 415,
        Code::RangeUnsatisfiable => 416,
        Code::InvalidRequest
        | Code::WeakPassword
        | Code::PathInvalid
        | Code::PathReserved
        | Code::LinkEscapes
        | Code::ZipInvalid
        | Code::ZipBomb
        | Code::ProtocolMismatch
        | Code::ContentMissing => 422,
        Code::PreconditionRequired => 428,
        Code::TooManyRequests => 429,
        Code::Internal => 500,
        Code::DatabaseUnavailable
        | Code::GoingAway
        | Code::SandboxUnavailable
        | Code::ImageMissing
        | Code::SessionUnreachable
        | Code::Unreachable => 503,
        Code::ServerDiskFull => 507,
        _ => 409,
    }
}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct FieldProblem {
    /// The field's name.
    pub field: String,
    /// What is wrong with it, for people.
    pub message: String,
    /// What is wrong with it, for programs.
    pub code: Code,
}
