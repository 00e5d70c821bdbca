//! Between the hub's rows and what REST shows.
use base64::Engine as _;
use slipway_api::file::{
    self as api, Change, Entry, Expectation, Kind, Operation, Origin, Outcome, OutcomeResult,
};
use slipway_core::code::Code;
use slipway_core::path::{PathError, RelPath};

use crate::error::Error;
use crate::hub::{
    Content, Expect, JournalRow, NewNode, NodeRow, Proposal, ProposalOutcome, Version,
};

/// An entry as clients see it.
#[must_use]
pub fn entry(row: NodeRow) -> Entry {
    Entry {
        path: row.path,
        kind: row.kind,
        size: row.size,
        hash: row.hash,
        executable: row.executable,
        target: row.target,
        revision: row.revision,
    }
}

/// A change as clients see it.
#[must_use]
pub fn change(row: JournalRow) -> Change {
    Change {
        revision: row.revision,
        path: row.path,
        entry: row.node.map(entry),
        from: row.from,
        previous: row.previous,
        origin: Origin {
            kind: row.origin,
            user: row.user,
        },
        at: row.at,
    }
}

/// A version of a path as clients see it.
#[must_use]
pub fn version(row: Version) -> api::Version {
    api::Version {
        change: change(row.change),
        kept: row.kept,
    }
}

/// An outcome as clients see it.
#[must_use]
pub fn outcome(outcome: ProposalOutcome) -> Outcome {
    let plain = |result| Outcome {
        result,
        current: None,
        code: None,
        message: None,
    };
    match outcome {
        ProposalOutcome::Applied => plain(OutcomeResult::Applied),
        ProposalOutcome::Converged => plain(OutcomeResult::Converged),
        ProposalOutcome::Stale(current) => Outcome {
            current: current.map(entry),
            ..plain(OutcomeResult::Stale)
        },
        ProposalOutcome::Rejected(code, message) => Outcome {
            code: Some(code),
            message: Some(message),
            ..plain(OutcomeResult::Rejected)
        },
        ProposalOutcome::NeedsContent => Outcome {
            code: Some(Code::ContentMissing),
            message: Some(
                "The workspace does not hold this content. Send the content itself.".to_owned(),
            ),
            ..plain(OutcomeResult::Rejected)
        },
    }
}

/// How an operation ended whose path is none.
#[must_use]
pub fn refused(error: &PathError) -> Outcome {
    outcome(ProposalOutcome::Rejected(error.code(), error.to_string()))
}

/// What must stand at a path, as the hub compares it.
#[must_use]
pub const fn expect(expected: &Expectation) -> Expect {
    match expected {
        Expectation::Absent => Expect::Absent,
        Expectation::Folder => Expect::Folder,
        Expectation::Content(hash) => Expect::Content(*hash),
    }
}

/// What a client asks for, as the hub takes it, or what is wrong with its path.
///
/// # Errors
/// When the operation contradicts itself.
pub fn proposal(operation: Operation) -> Result<Result<Proposal, PathError>, Error> {
    let from = operation.from.as_deref().map(RelPath::parse).transpose();
    let (path, from) = match (RelPath::parse(&operation.path), from) {
        (Ok(path), Ok(from)) => (path, from),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
    };
    let expect = operation.expect.as_ref().map(expect);
    let change = match (operation.kind, from) {
        (_, Some(from)) => NewNode::MoveFrom(from),
        (None, None) => NewNode::Absent,
        (Some(Kind::Folder), None) => NewNode::Folder,
        (Some(Kind::Symlink), None) => NewNode::Symlink {
            target: operation
                .target
                .ok_or_else(|| invalid("target", "A link needs its target."))?,
        },
        (Some(Kind::File), None) => {
            let content = match (operation.text, operation.base64, operation.hash) {
                (Some(text), None, None) => Content::Inline(text.into()),
                (None, Some(text), None) => {
                    let bytes = base64::engine::general_purpose::STANDARD
                        .decode(text)
                        .map_err(|_| invalid("base64", "The content is not base64."))?;
                    Content::Inline(bytes.into())
                }
                (None, None, Some(hash)) => Content::Held(hash),
                _ => {
                    return Err(invalid(
                        "text",
                        "A file needs exactly one of text, base64 and hash.",
                    ));
                }
            };
            NewNode::File {
                content,
                executable: operation.executable,
                from: None,
            }
        }
    };
    Ok(Ok(Proposal {
        path,
        expect,
        change,
    }))
}

fn invalid(field: &str, message: &str) -> Error {
    Error::of_field(field, Code::InvalidRequest, message)
}
