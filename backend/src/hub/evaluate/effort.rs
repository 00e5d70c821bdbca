//! What one batch may cost beyond the bytes that it came in.
use slipway_core::code::Code;
use slipway_core::limits::MIB;

use super::judge::rejected;
use crate::hub::types::ProposalOutcome;

/// Targets of links in answers that tell what stands there instead. Each operation may ask for a long one with few bytes,
/// and a replica takes 4 MiB.
const TOLD_BYTES_MAX: u64 = MIB;

/// What a batch has cost so far.
#[derive(Default)]
pub(super) struct Effort {
    told: u64,
}

impl Effort {
    /// A refusal as it is told. What stands there is left out when too much was told already.
    pub(super) fn told(&mut self, refused: ProposalOutcome) -> ProposalOutcome {
        if let ProposalOutcome::Stale(Some(row)) = &refused {
            self.told += row.target.as_ref().map_or(0, String::len) as u64;
            if self.told > TOLD_BYTES_MAX {
                let message = "More links stand in its way than one answer tells of. Split the commit.";
                return rejected(Code::InvalidRequest, message.to_owned());
            }
        }
        refused
    }
}
