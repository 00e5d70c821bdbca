//! What a batch of a replica may tell the hub.
use std::collections::{BTreeMap, BTreeSet};

use slipway_core::hash::ContentHash;
use slipway_core::path::{RelPath, fold};
use slipway_proto::v1::outcome::Result as Outcome;
use slipway_proto::{convert, v1};
use slipway_sync::brake::is_mass_deletion;
use slipway_sync::conflict::original;
use slipway_sync::node::Node;

use super::check::{Wrong, syncs};
use super::hub::{Hub, Tree};
use super::oracle::{Oracle, Torn};
use crate::engine::Brake;
use crate::engine::state::State;

/// Deletions that have a person's word.
pub(super) type Words = BTreeSet<RelPath>;

/// The path of which one is a conflict copy.
fn original_path(path: &RelPath) -> Option<String> {
    let name = original(path.name())?;
    Some(match path.parent() {
        Some(folder) => format!("{folder}/{name}"),
        None => name,
    })
}

/// Whether the hub ever had at a path what an operation puts at another.
fn had(hub: &Hub, path: &str, operation: &v1::Operation) -> bool {
    let hash = operation
        .node
        .as_ref()
        .map(|node| convert::hash(&node.hash));
    let (Ok(path), Some(Ok(hash))) = (RelPath::parse(path), hash) else {
        return false;
    };
    let stood = hub.since(0, &path).into_iter().flatten();
    stood.into_iter().any(|node| node.hash() == Some(hash))
}

/// What a batch of a replica did to the hub.
pub(super) fn batch(
    oracle: &mut Oracle,
    replica: usize,
    propose: &v1::Propose,
    result: &v1::ProposeResult,
    before: &Tree,
    hub: &Hub,
) -> Option<Wrong> {
    for (operation, outcome) in propose.operations.iter().zip(&result.outcomes) {
        if let Some(from) = &operation.from
            && !had(hub, from, operation)
        {
            let path = &operation.path;
            let text =
                format!("replica {replica} tells that {path} stood at {from}, which never had it");
            return Some(Wrong::new("I8", text));
        }
        if outcome.result() != Outcome::Applied {
            continue;
        }
        let Ok(path) = RelPath::parse(&operation.path) else {
            continue;
        };
        let is_folder = operation
            .node
            .as_ref()
            .is_some_and(|node| node.kind() == v1::Kind::Folder);
        if !syncs(path.as_str(), is_folder) {
            return Some(Wrong::new(
                "I18",
                format!("{path} is ignored, and proposed"),
            ));
        }
        let Some(node) = &operation.node else {
            let was_removed = oracle.was_removed(replica, &fold(path.as_str()));
            if before.contains_key(&path) && !was_removed {
                let text = format!("replica {replica} deletes {path}, which nobody deleted there");
                return Some(Wrong::new("I5", text));
            }
            continue;
        };
        let Ok(hash) = convert::hash(&node.hash) else {
            continue;
        };
        // What the hub has forgotten can be compared with nothing.
        let is_torn = |torn: &Torn| {
            // Where the hub had it, or its copy: what a program moved there since nobody can know.
            let has_it = |(path, node): (&RelPath, &Node)| {
                let is_copy = || original_path(path).as_deref() == Some(&torn.place);
                node.hash() == Some(torn.was) && (path.as_str() == torn.place || is_copy())
            };
            // Halves of two files may be the same.
            let is_here = path.as_str() == torn.place
                || !torn.is_blank && original_path(&path).as_deref() == Some(&torn.place);
            is_here && before.iter().any(has_it)
        };
        let torn = oracle.torn[replica].get(&hash);
        if torn.is_some_and(|torn| torn.iter().any(is_torn)) {
            let text =
                format!("{path} was torn by a loss of power, and replica {replica} proposes it");
            return Some(Wrong::new("I7", text));
        }
        if let Some(bytes) = hub.contents.get(&hash) {
            oracle.hub_has(bytes);
        }
    }
    None
}

/// What is wrong with a batch that a replica has just put together.
pub(super) fn new_batch(state: &State, replica: usize, words: &Words) -> Option<Wrong> {
    let wrong = |invariant, text| Wrong::new(invariant, format!("replica {replica}: {text}"));
    let unasked = goes_unasked(state, words).map(|text| wrong("I5", text));
    unasked.or_else(|| goes_without(state).map(|text| wrong("I8", text)))
}

/// Most of a folder goes with a batch, and nobody gave their word: I5.
fn goes_unasked(state: &State, words: &Words) -> Option<String> {
    let batch = state.proposals.outstanding.as_ref()?;
    let base = &state.trees.base;
    let comes = |path: &RelPath| {
        let mut operations = batch.operations.iter();
        operations.any(|(other, node)| other == path && node.is_some())
    };
    let goes = batch.operations.iter().filter(|(path, node)| {
        node.is_none() && base.contains_key(path) && !comes(path) && !words.contains(path)
    });
    let (many, of) = (goes.count(), base.len());
    (state.brake == Brake::Ask && is_mass_deletion(many, of, state.tracked_min))
        .then(|| format!("{many} of {of} go, and nobody was asked"))
}

/// A file that a batch deletes though it is known to be elsewhere, which a later batch tells: I8.
fn goes_without(state: &State) -> Option<String> {
    let batch = state.proposals.outstanding.as_ref()?;
    let goes = batch.operations.iter().filter(|(_, node)| node.is_none());
    let brings = |hash| {
        let mut brought = batch
            .operations
            .iter()
            .filter_map(|(_, node)| node.as_ref());
        brought.any(|node| node.hash() == Some(hash))
    };
    let gone: BTreeMap<ContentHash, &RelPath> = goes
        .filter_map(|(path, _)| Some((state.trees.base.get(path)?.hash()?, path)))
        .collect();
    let is_kept = |hash| {
        let stays = |(path, node): (&RelPath, &Node)| {
            node.hash() == Some(hash) && !batch.operations.iter().any(|(other, _)| other == path)
        };
        brings(hash) || state.trees.remote.iter().any(stays)
    };
    let place = |hash| {
        let mut waits = state.proposals.waiting.iter();
        let holds =
            |path: &&RelPath| state.trees.local.get(*path).and_then(Node::hash) == Some(hash);
        waits.find(|path| holds(path) && !state.sight.dirty.contains(*path))
    };
    gone.into_iter()
        .filter(|(hash, _)| !is_kept(*hash))
        .find_map(|(hash, path)| Some(format!("{path} goes before {} comes", place(hash)?)))
}
