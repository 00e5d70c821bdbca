//! What new workspaces start with: real files, each set runs at once.
use bytes::Bytes;
use slipway_api::workspace::Template;
use slipway_core::path::RelPath;

use crate::hub::{Content, Expect, NewNode, Proposal};

macro_rules! files {
    ($folder:literal: $($name:literal),+) => {
        &[$(($name, include_bytes!(concat!("../../templates/", $folder, "/", $name)))),+]
    };
}

/// Path and content of each file.
type Files = &'static [(&'static str, &'static [u8])];

const PYTHON: Files =
    files!("python": "main.py", "data/tides.csv", "requirements.txt", "README.md");
const NODE: Files = files!("node": "package.json", "main.js", "main.test.js");

/// The first commit of a workspace.
#[must_use]
pub fn proposals(template: Template) -> Vec<Proposal> {
    let files = match template {
        Template::Python => PYTHON,
        Template::Node => NODE,
        Template::Empty | Template::Import => &[],
    };
    files
        .iter()
        .map(|(name, content)| Proposal {
            path: RelPath::parse(name).expect("invariant: templates have portable names"),
            expect: Some(Expect::Absent),
            change: NewNode::File {
                content: Content::Inline(Bytes::from_static(content)),
                executable: false,
            },
        })
        .collect()
}
