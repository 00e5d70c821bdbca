//! What one batch may cost beyond the bytes that it came in.
use slipway_core::code::Code;
use slipway_core::limits::{MIB, WORKSPACE_ENTRIES_MAX};

use super::judge::rejected;
use crate::hub::types::ProposalOutcome;

/// Targets of links in answers that tell what stands there instead. Each operation may ask for a long one with few bytes,
/// and a replica takes 4 MiB.
const TOLD_BYTES_MAX: u64 = MIB;

/// Rows that operations may have changed before another one begins: those of a full workspace that is moved. A batch that
/// moves a folder back and forth would take hours and all memory.
const STEPS_MAX: u64 = 2 * WORKSPACE_ENTRIES_MAX;

/// What a batch has cost so far.
#[derive(Default)]
pub(super) struct Effort {
    told: u64,
    steps: u64,
}

impl Effort {
    /// One more row is changed.
    pub(super) fn step(&mut self) {
        self.steps += 1;
    }

    /// Whether another operation may begin.
    pub(super) fn allows_more(&self) -> Result<(), ProposalOutcome> {
        if self.steps < STEPS_MAX {
            return Ok(());
        }
        let message = "The operations before this one changed more than one commit may. Split it.";
        Err(rejected(Code::InvalidRequest, message.to_owned()))
    }

    /// A refusal as it is told. What stands there is left out when too much was told already.
    pub(super) fn told(&mut self, refused: ProposalOutcome) -> ProposalOutcome {
        if let ProposalOutcome::Stale(Some(row)) = &refused {
            self.told += row.target.as_ref().map_or(0, String::len) as u64;
            if self.told > TOLD_BYTES_MAX {
                let message =
                    "More links stand in its way than one answer tells of. Split the commit.";
                return rejected(Code::InvalidRequest, message.to_owned());
            }
        }
        refused
    }
}
