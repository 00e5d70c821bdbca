//! Single questions that an operation is judged by.
use slipway_api::file::Kind;
use slipway_core::code::Code;
use slipway_core::limits::{LINK_BYTES_MAX, WORKSPACE_BYTES_MAX, WORKSPACE_ENTRIES_MAX};
use slipway_core::path::RelPath;

use super::Refused;
use crate::hub::types::{Expect, NodeRow, ProposalOutcome};

/// Whether a row is what was proposed already.
pub(super) fn same(current: &NodeRow, node: &NodeRow) -> bool {
    current.kind == node.kind && current.hash == node.hash && current.executable == node.executable
}

pub(super) fn expected(expect: Option<Expect>, current: Option<&NodeRow>) -> Result<(), Refused> {
    let holds = match (expect, current) {
        (None, _) | (Some(Expect::Absent), None) => true,
        (Some(Expect::Folder | Expect::EmptyFolder), Some(row)) => row.kind == Kind::Folder,
        (Some(Expect::Content(hash)), Some(row)) => row.hash == Some(hash),
        (Some(Expect::Absent), Some(_))
        | (Some(Expect::Folder | Expect::EmptyFolder | Expect::Content(_)), None) => false,
    };
    if holds {
        Ok(())
    } else {
        Err(ProposalOutcome::Stale(current.cloned()))
    }
}

pub(super) fn rejected(code: Code, message: String) -> Refused {
    ProposalOutcome::Rejected(code, message)
}

/// In an atomic batch nothing that passed was done, either.
pub(super) fn unless_refused(outcome: ProposalOutcome) -> ProposalOutcome {
    match outcome {
        ProposalOutcome::Applied | ProposalOutcome::Converged => ProposalOutcome::nothing_done(),
        refused @ (ProposalOutcome::Stale(_)
        | ProposalOutcome::Rejected(..)
        | ProposalOutcome::NeedsContent) => refused,
    }
}

pub(super) fn link_escapes(path: &RelPath) -> Refused {
    rejected(
        Code::LinkEscapes,
        format!(
            "The link \"{path}\" would lead out of the workspace, climbs with \"..\" behind a name, or is longer than {LINK_BYTES_MAX} bytes."
        ),
    )
}

pub(super) fn case_clash(path: &RelPath, other: &RelPath) -> Refused {
    rejected(
        Code::PathCaseClash,
        format!(
            "\"{path}\" differs from \"{other}\" only in letter case or accents, which many computers take for one name."
        ),
    )
}

/// Whether a workspace may have so many bytes.
pub(super) fn has_bytes(bytes: u64) -> Result<(), Refused> {
    if bytes <= WORKSPACE_BYTES_MAX {
        return Ok(());
    }
    let message = "The workspace would exceed 1 GiB. Delete something first.";
    Err(rejected(Code::WorkspaceFull, message.to_owned()))
}

/// Whether a workspace may have so many entries.
pub(super) fn has_entries(entries: u64) -> Result<(), Refused> {
    if entries <= WORKSPACE_ENTRIES_MAX {
        return Ok(());
    }
    let message = "The workspace would exceed 200,000 files and folders. Delete something first.";
    Err(rejected(Code::TooManyEntries, message.to_owned()))
}
