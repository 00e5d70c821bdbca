//! The first commit of a new workspace.
use bytes::Bytes;
use slipway_api::template::files;
use slipway_api::workspace::Template;
use slipway_core::path::RelPath;

use crate::hub::{Content, Expect, NewNode, Proposal};

/// What makes a template's files.
#[must_use]
pub fn proposals(template: Template) -> Vec<Proposal> {
    files(template)
        .iter()
        .map(|(name, content)| Proposal {
            path: RelPath::parse(name).expect("invariant: templates have portable names"),
            expect: Some(Expect::Absent),
            change: NewNode::File {
                content: Content::Inline(Bytes::from_static(content).into()),
                executable: false,
                from: None,
            },
        })
        .collect()
}
