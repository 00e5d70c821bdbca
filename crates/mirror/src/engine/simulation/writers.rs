//! Who writes in a simulated world: a program on the disk, and a person at the hub.
use std::path::Path;

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::convert;
use slipway_sync::node::Node;

use super::{World, walk};

impl World {
    /// A version of a file that no other version equals, as text whose lines merge.
    pub(super) fn version(&mut self, of: Option<&str>) -> String {
        self.counter += 1;
        let mut lines: Vec<String> = of.map_or_else(
            || (0..8).map(|n| format!("line {n}")).collect(),
            |text| text.lines().map(str::to_owned).collect(),
        );
        let at = self.chance.next(lines.len().max(1));
        let line = format!("version {}", self.counter);
        self.made.insert(line.clone());
        if at < lines.len() {
            // Overwritten by somebody who saw it.
            self.made.remove(&lines[at]);
            lines[at] = line;
        } else {
            lines.push(line);
        }
        lines.join("\n") + "\n"
    }

    fn forget(&mut self, text: &str) {
        for line in text.lines() {
            self.made.remove(line);
        }
    }

    /// A program writes, deletes, or makes a folder; the event may be lost.
    pub(super) fn program(&mut self) {
        let path = self.chance.path();
        let whole = self.root().join(path.as_str());
        let old = std::fs::read_to_string(&whole).ok();
        match self.chance.next(5) {
            0 => {
                texts(&whole).iter().for_each(|text| self.forget(text));
                drop(std::fs::remove_file(&whole));
                drop(std::fs::remove_dir_all(&whole));
            }
            1 => drop(std::fs::create_dir_all(&whole)),
            2 => self.rename(&whole),
            _ if !whole.is_dir() => {
                if let Some(parent) = whole.parent()
                    && std::fs::create_dir_all(parent).is_ok()
                {
                    let text = self.version(old.as_deref());
                    self.put(&whole, &text);
                }
            }
            _ => {}
        }
        if !self.chance.one_in(3) {
            self.state().mark(&[whole]);
        }
    }

    /// Programs save in place, or beside and then over it.
    fn put(&mut self, whole: &Path, text: &str) {
        if self.chance.one_in(3) {
            return std::fs::write(whole, text).unwrap();
        }
        let side = whole.with_extension("swap~");
        std::fs::write(&side, text).unwrap();
        std::fs::rename(&side, whole).unwrap();
    }

    /// A program renames a file or a folder, maybe over another; the event of either name may be lost.
    fn rename(&mut self, from: &Path) {
        let to = self.root().join(self.chance.path().as_str());
        let (moved, over) = (texts(from), texts(&to));
        if to == from || std::fs::rename(from, &to).is_err() {
            return;
        }
        over.iter().for_each(|text| self.forget(text));
        // A flush waits for the names that it found: what takes another one meanwhile is another change.
        moved.iter().for_each(|text| self.not_asked(text));
        if !self.chance.one_in(3) {
            self.state().mark(&[to]);
        }
    }

    /// A person edits at the hub.
    pub(super) fn person(&mut self) {
        let mut changes: Vec<(RelPath, Option<Node>)> = Vec::new();
        for _ in 0..=self.chance.next(3) {
            let path = self.chance.path();
            let touches = |(other, _): &(RelPath, Option<Node>)| {
                path == *other || path.is_below(other) || other.is_below(&path)
            };
            if changes.iter().any(touches) {
                continue;
            }
            let current = self.hub.tree.get(&path).cloned();
            let old = current
                .as_ref()
                .and_then(Node::hash)
                .map(|hash| self.hub.contents[&convert::hash_bytes(&hash).to_vec()].clone());
            let node = match self.chance.next(4) {
                0 => {
                    let mut gone = self.hub.below(&path);
                    gone.push(path.clone());
                    for path in gone {
                        if let Some(hash) = self.hub.tree.get(&path).and_then(Node::hash) {
                            let text =
                                self.hub.contents[&convert::hash_bytes(&hash).to_vec()].clone();
                            self.forget(std::str::from_utf8(&text).unwrap());
                        }
                    }
                    None
                }
                1 if current.is_none() => Some(Node::Folder),
                _ if current.as_ref().is_none_or(|node| !node.is_folder()) => {
                    let blocked = path.ancestors().any(|folder| {
                        self.hub
                            .tree
                            .get(&folder)
                            .is_some_and(|node| !node.is_folder())
                    });
                    if blocked {
                        continue;
                    }
                    let old = old.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
                    let text = Bytes::from(self.version(old.as_deref()));
                    let hash = ContentHash::of(&text);
                    self.hub
                        .contents
                        .insert(convert::hash_bytes(&hash).to_vec(), text.clone());
                    Some(Node::File {
                        hash,
                        size: text.len() as u64,
                        executable: false,
                    })
                }
                _ => continue,
            };
            changes.push((path, node));
        }
        self.hub.edit(changes);
        let frames = self.hub.frames(&mut self.chance);
        self.to_spoke.extend(frames);
    }
}

/// The texts of a file, or of all files below a folder.
fn texts(root: &Path) -> Vec<String> {
    let all = walk(root).into_iter();
    all.filter_map(|path| std::fs::read_to_string(path).ok())
        .collect()
}
