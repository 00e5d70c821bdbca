//! Applies the hub: frames in, files on the disk. What is on the disk is checked before it is touched.
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use slipway_core::hash::{ContentHash, ContentHasher};
use slipway_core::path::RelPath;
use slipway_proto::convert;
use slipway_proto::v1;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_proto::v1::{hub_bulk, hub_frame};
use slipway_sync::conflict::copy_path;
use slipway_sync::node::Node;

use super::{FlushAnswer, Incoming, State};
use crate::disk::{DiskError, Seen};
use crate::wire;

impl State {
    pub(super) async fn hub_frame(&mut self, frame: v1::HubFrame) {
        match frame.frame {
            Some(hub_frame::Frame::Hello(hello)) => self.hub_hello(hello),
            Some(hub_frame::Frame::Changes(changes)) => self.changes(changes).await,
            Some(hub_frame::Frame::Result(result)) => self.proposed(result).await,
            Some(hub_frame::Frame::Need(need)) => self.send_contents(&need.hashes),
            Some(hub_frame::Frame::Flush(flush)) => self.flush(FlushAnswer::Hub(flush.token)),
            Some(hub_frame::Frame::GoAway(_)) | None => {}
        }
    }

    fn hub_hello(&mut self, hello: v1::HubHello) {
        if hello.full {
            // Another epoch: the base no longer says what the hub once had, so it may delete nothing.
            if hello.epoch != self.epoch {
                self.unstored
                    .extend(std::mem::take(&mut self.base).into_keys());
            }
            self.listing = Some(BTreeMap::new());
        } else {
            self.in_step = true;
            self.everything = true;
            self.look();
        }
        self.epoch = hello.epoch;
        self.applied.send_replace(0);
    }

    async fn changes(&mut self, changes: v1::Changes) {
        let mut touched = BTreeSet::new();
        for change in changes.changes {
            let Ok(path) = RelPath::parse(&change.path) else {
                continue;
            };
            let Ok(node) = change.node.as_ref().map(wire::from_wire).transpose() else {
                continue;
            };
            if let (Some(bytes), Some(hash)) = (change.inline, node.as_ref().and_then(Node::hash))
                && ContentHash::of(&bytes) == hash
            {
                self.contents.insert(hash, bytes);
            }
            if let Some(listing) = &mut self.listing
                && let Some(node) = &node
            {
                listing.insert(path.clone(), node.clone());
            }
            match node {
                Some(node) => drop(self.remote.insert(path.clone(), node)),
                None => drop(self.remote.remove(&path)),
            }
            touched.insert(path);
            if self.listing.is_none() {
                self.revision = self.revision.max(change.revision);
            }
        }
        if changes.listing_done
            && let Some(listing) = self.listing.take()
        {
            touched.extend(
                self.remote
                    .keys()
                    .filter(|path| !listing.contains_key(*path))
                    .cloned(),
            );
            self.remote = listing;
            self.revision = changes.head;
            self.in_step = true;
            self.everything = true;
            self.settle_all(touched);
            self.look();
        } else {
            self.settle_all(touched);
        }
        self.contents.clear();
        self.ask_for_contents().await;
    }

    /// Brings the hub's state of a path to the disk.
    pub(super) fn apply(&mut self, path: &RelPath) {
        let node = self.remote.get(path).cloned();
        if self
            .rules
            .ignores(path, node.as_ref().is_some_and(Node::is_folder))
        {
            return;
        }
        let done = match &node {
            None => self.apply_removal(path),
            Some(Node::Folder) => self
                .clear_way(path, true)
                .and_then(|()| self.disk.make_folder(path))
                .map(|()| {
                    let whole = self.disk.root().join(path.as_str());
                    self.watch.add(&whole);
                    true
                }),
            Some(Node::Symlink { target }) => {
                let target = target.clone();
                self.clear_way(path, false)
                    .and_then(|()| self.disk.make_link(path, &target))
                    .map(|()| true)
            }
            Some(Node::File {
                hash, executable, ..
            }) => self.apply_file(path, *hash, *executable),
        };
        match done {
            Ok(true) => {
                self.no_longer_wanted(path);
                match &node {
                    Some(node) => drop(self.local.insert(path.clone(), node.clone())),
                    None => drop(self.local.remove(path)),
                }
                self.agree(path, node);
            }
            // Its content is on the way.
            Ok(false) => {}
            Err(DiskError::Unexpected) => {
                // Somebody wrote there just now: look again, then decide anew.
                self.dirty.insert(path.clone());
                self.look_at
                    .get_or_insert_with(|| tokio::time::Instant::now() + super::QUIET);
            }
            Err(DiskError::Io(error)) => {
                tracing::warn!(%error, "A change of the hub cannot be written to the disk");
            }
        }
    }

    /// Whatever was asked for at this path is settled, by this content or a later one.
    fn no_longer_wanted(&mut self, path: &RelPath) {
        self.wanted.retain(|_, paths| {
            paths.remove(path);
            !paths.is_empty()
        });
    }

    fn apply_removal(&mut self, path: &RelPath) -> Result<bool, DiskError> {
        let Some(expected) = self.expected(path) else {
            return Ok(true);
        };
        match self.disk.remove(path, &expected) {
            Err(DiskError::Unexpected) if expected == Seen::Folder => {
                // Something that does not sync lies inside, or is new: the folder stays and the base forgets it.
                self.agree(path, None);
                Err(DiskError::Unexpected)
            }
            done => {
                self.prints.remove(path);
                done.map(|()| true)
            }
        }
    }

    fn apply_file(
        &mut self,
        path: &RelPath,
        hash: ContentHash,
        executable: bool,
    ) -> Result<bool, DiskError> {
        let Some(content) = self.contents.get(&hash).cloned() else {
            self.wanted.entry(hash).or_default().insert(path.clone());
            return Ok(false);
        };
        let scratch = self.disk.write_scratch(&content)?;
        self.place(&scratch, path, executable)
    }

    fn place(
        &mut self,
        scratch: &str,
        path: &RelPath,
        executable: bool,
    ) -> Result<bool, DiskError> {
        let over = match self.expected(path) {
            Some(Seen::File(print)) => Some(print),
            Some(_) => {
                self.clear_way(path, false)?;
                None
            }
            None => None,
        };
        let print = self.disk.put(scratch, path, executable, over)?;
        self.prints.insert(path.clone(), print);
        Ok(true)
    }

    /// What the disk had at a path when it was last looked at.
    fn expected(&self, path: &RelPath) -> Option<Seen> {
        match self.local.get(path)? {
            Node::Folder => Some(Seen::Folder),
            Node::Symlink { target } => Some(Seen::Symlink(target.clone())),
            Node::File { .. } => Some(
                self.prints
                    .get(path)
                    .copied()
                    .map_or(Seen::Other, Seen::File),
            ),
        }
    }

    /// Removes an agreed entry of another kind.
    fn clear_way(&mut self, path: &RelPath, keep_folder: bool) -> Result<(), DiskError> {
        match self.expected(path) {
            None => Ok(()),
            Some(Seen::Folder) if keep_folder => Ok(()),
            Some(expected) => {
                self.prints.remove(path);
                self.disk.remove(path, &expected)
            }
        }
    }

    /// Both sides changed: what the disk has moves to a copy, which is proposed as new; the hub's state takes the name.
    pub(super) fn make_copy(&mut self, path: &RelPath) {
        let Some(local) = self.local.get(path).cloned() else {
            return;
        };
        let hash = local
            .hash()
            .unwrap_or_else(|| ContentHash::of(path.as_str().as_bytes()));
        let copy = copy_path(path, &self.name, &hash);
        if let Err(error) = self.disk.rename(path, &copy) {
            tracing::warn!(%error, "A conflict copy cannot be made; both versions stay where they are");
            return;
        }
        self.agree(path, None);
        if local.is_folder() {
            self.everything = true;
            self.look_at = Some(tokio::time::Instant::now());
            return;
        }
        self.local.remove(path);
        if let Some(print) = self.prints.remove(path) {
            self.prints.insert(copy.clone(), print);
        }
        self.local.insert(copy.clone(), local);
        self.to_propose.insert(copy);
        self.apply(path);
    }

    async fn ask_for_contents(&mut self) {
        let hashes: Vec<_> = self
            .wanted
            .keys()
            .filter(|hash| !self.incoming.contains_key(*hash))
            .copied()
            .collect();
        let mut asked = Vec::new();
        for hash in hashes {
            match self.disk.scratch() {
                Ok((scratch, file)) => {
                    self.incoming.insert(
                        hash,
                        Incoming {
                            scratch,
                            file,
                            hasher: ContentHasher::default(),
                        },
                    );
                    asked.push(convert::hash_bytes(&hash));
                }
                Err(error) => tracing::warn!(%error, "A content has no place on the disk"),
            }
        }
        if !asked.is_empty() {
            self.send(Frame::Need(v1::Need { hashes: asked })).await;
        }
    }

    pub(super) fn bulk_frame(&mut self, frame: v1::HubBulk) {
        let Some(hub_bulk::Frame::Blob(blob)) = frame.frame else {
            return;
        };
        let Ok(hash) = convert::hash(&blob.hash) else {
            return;
        };
        let Some(mut incoming) = self.incoming.remove(&hash) else {
            return;
        };
        incoming.hasher.update(&blob.data);
        let written = incoming.file.write_all(&blob.data);
        if written.is_ok() && !blob.last && !blob.missing {
            self.incoming.insert(hash, incoming);
            return;
        }
        let paths = self.wanted.remove(&hash).unwrap_or_default();
        if written.is_err() || blob.missing || incoming.hasher.finish() != hash {
            tracing::warn!(
                "A content did not arrive whole; it is asked for again with the next listing"
            );
            self.disk.discard(&incoming.scratch);
            return;
        }
        drop(incoming.file);
        self.contents_arrived(&incoming.scratch, paths);
    }

    fn contents_arrived(&mut self, scratch: &str, paths: BTreeSet<RelPath>) {
        let content = std::fs::read(
            self.disk
                .root()
                .join(crate::disk::PRIVATE)
                .join("tmp")
                .join(scratch),
        );
        self.disk.discard(scratch);
        let Ok(content) = content else { return };
        let bytes = bytes::Bytes::from(content);
        self.contents.insert(ContentHash::of(&bytes), bytes);
        self.settle_all(paths);
        self.contents.clear();
    }
}
