//! What a caller is answered when the agent cannot do what was asked: a gRPC status with a stable code.
use slipway_core::code::Code;
use tonic::Status;
use tonic::metadata::MetadataValue;

/// Metadata key under which a status carries its `slipway_core::code::Code`.
pub const CODE_KEY: &str = "slipway-code";

/// A refusal with a code and a sentence for people.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct AgentError {
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: String,
}

impl AgentError {
    /// A refusal.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }

    /// Something in the request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, message)
    }
}

impl From<AgentError> for Status {
    fn from(error: AgentError) -> Self {
        let grpc = match error.code {
            Code::NotFound => tonic::Code::NotFound,
            Code::ExecFailed => tonic::Code::Aborted,
            Code::TooManyTerminals | Code::TooManyProcesses | Code::TooManyRequests => {
                tonic::Code::ResourceExhausted
            }
            Code::SessionNotReady => tonic::Code::FailedPrecondition,
            Code::InvalidRequest | Code::PathInvalid | Code::PathReserved => {
                tonic::Code::InvalidArgument
            }
            _ => tonic::Code::Internal,
        };
        let mut status = Self::new(grpc, error.message);
        let code = MetadataValue::from_static(error.code.as_str());
        status.metadata_mut().insert(CODE_KEY, code);
        status
    }
}
