//! What new workspaces start with: real files, each set runs at once.
use crate::workspace::Template;

macro_rules! files {
    ($folder:literal: $($name:literal),+) => {
        &[$(($name, include_bytes!(concat!("../templates/", $folder, "/", $name)))),+]
    };
}

/// Path and content of each file.
pub type Files = &'static [(&'static str, &'static [u8])];

const PYTHON: Files =
    files!("python": "main.py", "data/tides.csv", "requirements.txt", "README.md");
const NODE: Files = files!("node": "package.json", "main.js", "main.test.js");

/// The files of a template.
#[must_use]
pub const fn files(template: Template) -> Files {
    match template {
        Template::Python => PYTHON,
        Template::Node => NODE,
        Template::Empty | Template::Import => &[],
    }
}
