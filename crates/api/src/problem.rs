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
