//! Proposals and outcomes, between the wire and the hub.
use slipway_api::file::Kind;
use slipway_core::code::Code;
use slipway_core::limits::FILE_BYTES_MAX;
use slipway_proto::v1;
use slipway_proto::{convert, v1::outcome::Result as Outcome};

use super::path;
use crate::hub::{Content, Expect, NewNode, NodeRow, Proposal, ProposalOutcome};

/// What the replica proposes, checked.
///
/// # Errors
/// The code of what is wrong with it.
pub(super) fn proposal(operation: v1::Operation) -> Result<Proposal, Code> {
    let path = path(&operation.path)?;
    let expect = match &operation.expect {
        None => Expect::Absent,
        Some(node) => match node.known_kind().map_err(|_| Code::InvalidRequest)? {
            // A replica deletes what it knows, leaves first: what came into the folder meanwhile is not among it.
            v1::Kind::Folder | v1::Kind::Unspecified if operation.node.is_none() => {
                Expect::EmptyFolder
            }
            v1::Kind::Folder | v1::Kind::Unspecified => Expect::Folder,
            v1::Kind::File | v1::Kind::Symlink => {
                Expect::Content(convert::hash(&node.hash).map_err(|_| Code::InvalidRequest)?)
            }
        },
    };
    let change = match operation.node {
        None => NewNode::Absent,
        Some(node) => match node.known_kind().map_err(|_| Code::InvalidRequest)? {
            v1::Kind::Folder | v1::Kind::Unspecified => NewNode::Folder,
            v1::Kind::Symlink => NewNode::Symlink {
                target: node.link_target,
            },
            v1::Kind::File if node.size > FILE_BYTES_MAX => return Err(Code::FileTooLarge),
            v1::Kind::File => {
                let content = match operation.inline {
                    Some(bytes) => Content::Inline(bytes.into()),
                    None => {
                        Content::Held(convert::hash(&node.hash).map_err(|_| Code::InvalidRequest)?)
                    }
                };
                // Of a name that is none nothing is said.
                let from = operation.from.and_then(|from| self::path(&from).ok());
                NewNode::File {
                    content,
                    executable: node.executable,
                    from,
                }
            }
        },
    };
    Ok(Proposal {
        path,
        expect: Some(expect),
        change,
    })
}

/// When a revision was made, as replicas are told: in microseconds, which is what the database keeps.
pub(super) fn made(at: time::OffsetDateTime) -> u64 {
    u64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(0)
}

/// An outcome for the replica.
pub(super) fn outcome(outcome: &ProposalOutcome) -> v1::Outcome {
    let mut wire = v1::Outcome::default();
    match outcome {
        ProposalOutcome::Applied => wire.set_result(Outcome::Applied),
        ProposalOutcome::Converged => wire.set_result(Outcome::Converged),
        ProposalOutcome::NeedsContent => wire.set_result(Outcome::NeedsContent),
        ProposalOutcome::Stale(current) => {
            wire.set_result(Outcome::Stale);
            wire.current = current.as_ref().map(node);
        }
        ProposalOutcome::Rejected(code, _) => return rejected(*code),
    }
    wire
}

/// A refusal for the replica.
pub(super) fn rejected(code: Code) -> v1::Outcome {
    let mut wire = v1::Outcome {
        code: code.to_string(),
        ..v1::Outcome::default()
    };
    wire.set_result(Outcome::Rejected);
    wire
}

/// A row of the tree for the replica.
pub(super) fn node(row: &NodeRow) -> v1::Node {
    let mut wire = v1::Node {
        hash: row
            .hash
            .as_ref()
            .map(convert::hash_bytes)
            .unwrap_or_default(),
        size: row.size,
        executable: row.executable,
        link_target: row.target.clone().unwrap_or_default(),
        ..v1::Node::default()
    };
    wire.set_kind(match row.kind {
        Kind::File => v1::Kind::File,
        Kind::Folder => v1::Kind::Folder,
        Kind::Symlink => v1::Kind::Symlink,
    });
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_name_that_is_none_is_not_the_operation_s_fault() {
        let from = |name: &str| {
            let mut node = v1::Node::default();
            node.set_kind(v1::Kind::File);
            let operation = v1::Operation {
                path: "b.txt".to_owned(),
                node: Some(node),
                inline: Some("b".into()),
                from: Some(name.to_owned()),
                ..v1::Operation::default()
            };
            match proposal(operation).unwrap().change {
                NewNode::File { from, .. } => from.map(|from| from.to_string()),
                _ => None,
            }
        };
        assert_eq!(from("a.txt").as_deref(), Some("a.txt"));
        assert_eq!(from("../a.txt"), None);
    }
}
