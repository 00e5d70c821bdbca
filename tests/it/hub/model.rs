//! A workspace as one map, with the rules of a commit written down once more and as plainly as possible.
use std::collections::BTreeMap;

use slipway_api::file::Kind;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) hash: Option<ContentHash>,
    pub(super) size: u64,
    pub(super) executable: bool,
    pub(super) target: Option<String>,
    pub(super) revision: u64,
}

pub(super) type Tree = BTreeMap<String, Node>;

/// What an operation does.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { content: u8, executable: bool },
    Folder,
    Link { target: u8 },
    Delete,
    MoveFrom(String),
}

/// What an operation expects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expected {
    Absent,
    Folder,
    Content(ContentHash),
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) path: String,
    pub(super) expect: Option<Expected>,
    pub(super) change: Change,
}

/// How it ended; what is stale names the path of what stands there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Applied,
    Converged,
    Stale(Option<String>),
    Rejected(Code),
}

/// A content by its number.
pub(super) fn content(number: u8) -> Vec<u8> {
    // The second is stored compressed.
    match number {
        0 => Vec::new(),
        1 => b"the same line again\n".repeat(100),
        number => vec![number; usize::from(number)],
    }
}

/// A link's target by its number; both stay inside wherever the link stands.
pub(super) fn target(number: u8) -> String {
    format!("to{number}")
}

/// All revisions of a workspace.
#[derive(Debug)]
pub(super) struct Model(Vec<Tree>);

impl Default for Model {
    fn default() -> Self {
        Self(vec![Tree::new()])
    }
}

impl Model {
    pub(super) fn revision(&self) -> u64 {
        self.0.len() as u64 - 1
    }

    pub(super) fn tree(&self) -> &Tree {
        self.0.last().expect("the empty tree at least")
    }

    pub(super) fn past(&self, revision: u64) -> &Tree {
        &self.0[usize::try_from(revision).expect("few revisions")]
    }

    /// Number of entries and of bytes.
    pub(super) fn totals(&self) -> (u64, u64) {
        let tree = self.tree();
        (tree.len() as u64, tree.values().map(|node| node.size).sum())
    }

    /// Fills in what an operation expects: nothing in particular, what stands there, or something else.
    pub(super) fn operation(&self, path: &str, change: Change, wish: u8) -> Operation {
        let at = match &change {
            Change::MoveFrom(from) => from,
            Change::Write { .. } | Change::Folder | Change::Link { .. } | Change::Delete => path,
        };
        let right = match self.tree().get(at) {
            None => Expected::Absent,
            Some(Node {
                hash: Some(hash), ..
            }) => Expected::Content(*hash),
            Some(_) => Expected::Folder,
        };
        let expect = match wish {
            0 => None,
            1 => Some(Expected::Content(ContentHash::of(b"never written"))),
            2 => Some(Expected::Absent),
            _ => Some(right),
        };
        Operation {
            path: path.to_owned(),
            expect,
            change,
        }
    }

    /// Does a batch.
    pub(super) fn commit(&mut self, operations: &[Operation], atomic: bool) -> Vec<Outcome> {
        let revision = self.revision() + 1;
        let mut tree = self.tree().clone();
        let mut outcomes = Vec::new();
        for operation in operations {
            // On a copy: what is refused has done nothing.
            let mut tried = tree.clone();
            let outcome = apply(&mut tried, operation, revision);
            if outcome == Outcome::Applied {
                tree = tried;
            }
            outcomes.push(outcome);
        }
        let passed = |outcome: &Outcome| matches!(outcome, Outcome::Applied | Outcome::Converged);
        if atomic && !outcomes.iter().all(passed) {
            let refused = |outcome| match outcome {
                Outcome::Applied | Outcome::Converged => Outcome::Rejected(Code::Stale),
                refused @ (Outcome::Stale(_) | Outcome::Rejected(_)) => refused,
            };
            return outcomes.into_iter().map(refused).collect();
        }
        if outcomes.contains(&Outcome::Applied) {
            self.0.push(tree);
        }
        outcomes
    }
}

fn apply(tree: &mut Tree, operation: &Operation, revision: u64) -> Outcome {
    let path = &operation.path;
    match &operation.change {
        Change::Write {
            content: number,
            executable,
        } => {
            let bytes = content(*number);
            let node = Node {
                kind: Kind::File,
                hash: Some(ContentHash::of(&bytes)),
                size: bytes.len() as u64,
                executable: *executable,
                target: None,
                revision,
            };
            put(tree, operation, node)
        }
        Change::Folder => put(tree, operation, folder(revision)),
        Change::Link { target: number } => {
            let target = target(*number);
            let node = Node {
                kind: Kind::Symlink,
                hash: Some(ContentHash::of(target.as_bytes())),
                size: target.len() as u64,
                executable: false,
                target: Some(target),
                revision,
            };
            put(tree, operation, node)
        }
        Change::Delete => match tree.get(path) {
            None => Outcome::Converged,
            Some(node) if !meets(operation.expect, Some(node)) => {
                Outcome::Stale(Some(path.clone()))
            }
            Some(_) => {
                tree.retain(|other, _| !within(other, path));
                Outcome::Applied
            }
        },
        Change::MoveFrom(from) => relocate(tree, operation, from, revision),
    }
}

fn put(tree: &mut Tree, operation: &Operation, node: Node) -> Outcome {
    let path = &operation.path;
    let current = tree.get(path);
    let same = |current: &Node| {
        (current.kind, current.hash, current.executable) == (node.kind, node.hash, node.executable)
    };
    if current.is_some_and(same) {
        return Outcome::Converged;
    }
    if !meets(operation.expect, current) {
        return Outcome::Stale(current.map(|_| path.clone()));
    }
    if current.is_some_and(|current| (current.kind == Kind::Folder) != (node.kind == Kind::Folder))
    {
        return Outcome::Rejected(Code::PathExists);
    }
    match insert(tree, path, node) {
        Ok(()) => Outcome::Applied,
        Err(code) => Outcome::Rejected(code),
    }
}

fn relocate(tree: &mut Tree, operation: &Operation, from: &str, revision: u64) -> Outcome {
    let to = &operation.path;
    let Some(source) = tree.get(from) else {
        return Outcome::Stale(None);
    };
    if !meets(operation.expect, Some(source)) {
        return Outcome::Stale(Some(from.to_owned()));
    }
    if to == from {
        return Outcome::Converged;
    }
    if within(to, from) {
        return Outcome::Rejected(Code::PathInvalid);
    }
    if tree.contains_key(to) {
        return Outcome::Rejected(Code::PathExists);
    }
    let moved: Vec<(String, Node)> = tree
        .iter()
        .filter(|(path, _)| within(path, from))
        .map(|(path, node)| (path.clone(), node.clone()))
        .collect();
    tree.retain(|path, _| !within(path, from));
    for (path, node) in moved {
        let path = format!("{to}{}", &path[from.len()..]);
        if let Err(code) = insert(tree, &path, Node { revision, ..node }) {
            return Outcome::Rejected(code);
        }
    }
    Outcome::Applied
}

/// Puts a node at a path, with the folders above it.
fn insert(tree: &mut Tree, path: &str, node: Node) -> Result<(), Code> {
    let ends = path.match_indices('/').map(|(at, _)| &path[..at]);
    for above in ends {
        match tree.get(above) {
            Some(node) if node.kind == Kind::Folder => {}
            Some(_) => return Err(Code::PathNotFolder),
            None => fresh(tree, above, folder(node.revision))?,
        }
    }
    if tree.contains_key(path) {
        tree.insert(path.to_owned(), node);
        Ok(())
    } else {
        fresh(tree, path, node)
    }
}

fn fresh(tree: &mut Tree, path: &str, node: Node) -> Result<(), Code> {
    if tree.keys().any(|other| other.eq_ignore_ascii_case(path)) {
        return Err(Code::PathCaseClash);
    }
    tree.insert(path.to_owned(), node);
    Ok(())
}

fn folder(revision: u64) -> Node {
    Node {
        kind: Kind::Folder,
        hash: None,
        size: 0,
        executable: false,
        target: None,
        revision,
    }
}

/// Whether a path is this one or below it.
fn within(path: &str, folder: &str) -> bool {
    path == folder
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn meets(expect: Option<Expected>, current: Option<&Node>) -> bool {
    match (expect, current) {
        (None, _) | (Some(Expected::Absent), None) => true,
        (Some(Expected::Folder), Some(node)) => node.kind == Kind::Folder,
        (Some(Expected::Content(hash)), Some(node)) => node.hash == Some(hash),
        (Some(_), _) => false,
    }
}
