//! Where a file stood before, as a proposer says: a word for the history, which the journal has only where it is true.
use std::collections::HashMap;

use slipway_api::file::Kind;
use slipway_core::hash::ContentHash;

use super::{Effect, Overlay};
use crate::hub::types::{NewNode, NodeRow, Proposal, ProposalOutcome};

impl Overlay {
    /// Notes with the effects of a batch where files stood before it: a file of that content did, and does so no more.
    pub(super) fn note_origins(
        &self,
        proposals: &[Proposal],
        outcomes: &[ProposalOutcome],
        effects: &mut [Effect],
    ) {
        let all = proposals.iter().zip(outcomes);
        let told = all.filter_map(|(proposal, outcome)| match &proposal.change {
            NewNode::File {
                from: Some(from), ..
            } if *outcome == ProposalOutcome::Applied => Some((&proposal.path, from)),
            _ => None,
        });
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            return;
        }
        let (mut before, mut last) = (HashMap::new(), HashMap::new());
        for (at, effect) in effects.iter().enumerate() {
            before.entry(&effect.path).or_insert(effect.before.as_ref());
            last.insert(&effect.path, at);
        }
        let so = told.into_iter().filter_map(|(path, from)| {
            let at = *last.get(path)?;
            let file = content(effects[at].after.as_ref())?;
            let stood = content(*before.get(from)?) == Some(file);
            let stands = content(self.get(from)) == Some(file);
            (stood && !stands).then_some((at, from))
        });
        for (at, from) in so.collect::<Vec<_>>() {
            effects[at].from = Some(from.clone());
        }
    }
}

/// What a file at a path holds.
fn content(row: Option<&NodeRow>) -> Option<ContentHash> {
    row.filter(|row| row.kind == Kind::File)?.hash
}
