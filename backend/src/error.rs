//! The one error that handlers answer with, by HTTP and by gRPC. The status of each code is in `slipway_api::problem`.
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use slipway_api::problem::{self, FieldProblem, Problem};
use slipway_core::code::Code;
use slipway_core::path::PathError;

/// A failure as the client will see it: a stable code, a sentence, perhaps fields and a time to come back.
#[derive(Debug)]
pub struct Error {
    code: Code,
    detail: String,
    fields: Vec<FieldProblem>,
    retry_after_s: Option<u64>,
    etag: Option<String>,
    /// Bytes of a content of which a range was asked for.
    size: Option<u64>,
}

impl Error {
    /// An error with what happened and what to do, in a sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            fields: Vec::new(),
            retry_after_s: None,
            etag: None,
            size: None,
        }
    }

    /// An error about one field of the request.
    #[must_use]
    pub fn of_field(field: &str, code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new(code, &message).with_field(field, code, message)
    }

    /// The same error, saying which field of the request is wrong.
    #[must_use]
    pub fn with_field(mut self, field: &str, code: Code, message: impl Into<String>) -> Self {
        self.fields.push(FieldProblem {
            field: field.to_owned(),
            message: message.into(),
            code,
        });
        self
    }

    /// The same error, saying in how many seconds another try makes sense.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The same error with the `ETag` of what stands there now.
    #[must_use]
    pub fn with_etag(mut self, etag: impl Into<String>) -> Self {
        self.etag = Some(etag.into());
        self
    }

    /// The same error with the size of the content of which a range was asked for.
    #[must_use]
    pub const fn with_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields that are wrong.
    #[must_use]
    pub fn fields(&self) -> &[FieldProblem] {
        &self.fields
    }

    /// No such thing, or none that may be known of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("There is no such {what}, or it is not yours."),
        )
    }

    /// The same error, or `other` when it says that something does not exist.
    #[must_use]
    pub fn or_not_found(self, other: impl FnOnce() -> Self) -> Self {
        match self.code {
            Code::NotFound => other(),
            _ => self,
        }
    }

    fn away(error: &sqlx::Error) -> Self {
        tracing::warn!(%error, "The database does not answer");
        Self::new(
            Code::DatabaseUnavailable,
            "The database does not answer. Nothing is lost; try again in a moment.",
        )
        .retry_after(2)
    }

    fn internal() -> Self {
        Self::new(
            Code::Internal,
            "Something went wrong on the server. Nothing you wrote is lost; try again, and report the request id if it stays.",
        )
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

impl std::error::Error for Error {}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        if matches!(code.as_deref(), Some("22021" | "22P05")) {
            return Self::new(
                Code::InvalidRequest,
                "A text of the request holds a NUL character. Remove it.",
            );
        }
        if code.as_deref().is_some_and(is_away) {
            return Self::away(&error);
        }
        if code.is_some_and(|code| code == "53100") {
            tracing::error!(%error, "The database's disk is full");
            return Self::new(
                Code::ServerDiskFull,
                "The server's disk is full. What was stored is safe; tell the administrator.",
            );
        }
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::away(&error),
            error => {
                tracing::error!(%error, "A statement failed");
                Self::internal()
            }
        }
    }
}

/// Postgres' own words for a change that stood still for too long, going down, coming up, having no room for one more, or
/// a broken connection.
fn is_away(code: &str) -> bool {
    matches!(code, "25P03" | "57P01" | "57P02" | "57P03" | "53300") || code.starts_with("08")
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::new(
                Code::ServerDiskFull,
                "The server's disk is full. What was stored is safe; tell the administrator.",
            );
        }
        tracing::error!(%error, "The system refused");
        Self::internal()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = Problem {
            fields: self.fields,
            retry_after_s: self.retry_after_s,
            ..Problem::new(self.code, self.detail)
        };
        let mut response = (status(self.code), axum::Json(&problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = problem.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(etag) = self.etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
            headers.insert(header::ETAG, etag);
        }
        let range = self.size.map(|size| format!("bytes */{size}"));
        if let Some(range) = range.and_then(|range| HeaderValue::from_str(&range).ok()) {
            headers.insert(header::CONTENT_RANGE, range);
        }
        // The request-id layer finds it here and completes the body.
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        let code = match status(error.code) {
            StatusCode::UNAUTHORIZED => tonic::Code::Unauthenticated,
            StatusCode::FORBIDDEN => tonic::Code::PermissionDenied,
            StatusCode::NOT_FOUND => tonic::Code::NotFound,
            StatusCode::TOO_MANY_REQUESTS => tonic::Code::ResourceExhausted,
            StatusCode::SERVICE_UNAVAILABLE => tonic::Code::Unavailable,
            StatusCode::CONFLICT => tonic::Code::FailedPrecondition,
            status if status.is_client_error() => tonic::Code::InvalidArgument,
            _ => tonic::Code::Internal,
        };
        let mut answer = Self::new(code, error.detail);
        if let Ok(text) = error.code.as_str().parse() {
            answer.metadata_mut().insert("slipway-code", text);
        }
        answer
    }
}

fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(problem::status(code)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
