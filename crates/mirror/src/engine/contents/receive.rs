//! Contents on their way here. A few are asked for at a time, which bounds what is on its way; one that broke off before
//! is asked for from there.
use std::io;

use slipway_core::hash::ContentHash;
use slipway_core::limits::{BLOB_INLINE_BYTES_MAX, FILE_BYTES_MAX};
use slipway_proto::convert;
use slipway_proto::v1;
use slipway_proto::v1::hub_bulk;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_sync::node::Node;

use super::Contents;
use crate::engine::incoming::{Base, Incoming};
use crate::engine::state::State;

/// Contents that are asked for at a time.
const ASKED_MAX: usize = 8;

impl State {
    pub(in crate::engine) async fn ask_for_contents(&mut self) {
        let mut need = v1::Need::default();
        while self.contents.asked.len() < ASKED_MAX {
            let Some(hash) = self.contents.to_ask.pop_front() else {
                break;
            };
            let contents = &self.contents;
            if !contents.wanted.contains_key(&hash) || contents.asked.contains_key(&hash) {
                continue;
            }
            match self.incoming(hash) {
                Ok(incoming) => {
                    need.hashes.push(convert::hash_bytes(&hash));
                    need.bases.push(incoming.base());
                    need.offsets.push(incoming.bytes());
                    self.contents.asked.insert(hash, incoming);
                }
                Err(error) => self.give_up(hash, &error),
            }
        }
        if !need.hashes.is_empty() {
            self.send(Frame::Need(need)).await;
        }
        // Every path was settled since the connection began, and what they need is noted.
        if self.hub.in_step && !self.sight.everything {
            let Contents { begun, wanted, .. } = &mut self.contents;
            begun.retain(|hash| wanted.contains_key(hash), self.disk.private());
        }
    }

    /// What takes a content: with what came of it before, if there is such.
    fn incoming(&mut self, hash: ContentHash) -> io::Result<Incoming> {
        let base = self.base_of(hash);
        if let Some(begun) = self.contents.begun.take(hash) {
            if begun.bytes() <= self.announced(hash) {
                return Ok(begun.on(base));
            }
            self.disk.private().discard(&begun.scratch);
        }
        let (scratch, file) = self.disk.private().scratch()?;
        Ok(Incoming::new(scratch, file).on(base))
    }

    /// The large file in whose place a content is to come, and what it has.
    fn base_of(&self, hash: ContentHash) -> Option<Base> {
        if self.contents.whole.contains(&hash) {
            return None;
        }
        let mut paths = self.contents.wanted.get(&hash)?.iter();
        paths.find_map(|path| match self.trees.local.get(path) {
            Some(Node::File { hash, size, .. }) if *size > BLOB_INLINE_BYTES_MAX => Some(Base {
                hash: *hash,
                file: self.disk.root().read(path).ok()?,
            }),
            _ => None,
        })
    }

    /// A piece of a content that was asked for.
    pub(in crate::engine) fn bulk_frame(&mut self, frame: v1::HubBulk) {
        let Some(hub_bulk::Frame::Blob(blob)) = frame.frame else {
            return;
        };
        let Ok(hash) = convert::hash(&blob.hash) else {
            return;
        };
        // Else one that nobody asked for, or what is left of one that was given up.
        let goes_on = |incoming: &mut Incoming| blob.missing || incoming.is_next(blob.offset);
        if !self.contents.asked.get_mut(&hash).is_some_and(goes_on) {
            return;
        }
        let Some(mut incoming) = self.contents.asked.remove(&hash) else {
            return;
        };
        let more = (blob.data.len() as u64).max(blob.from_size);
        let with_it = incoming.bytes().saturating_add(more);
        if with_it > self.announced(hash) {
            // Nor would the rest come to it.
            self.not_it(hash, &incoming.scratch);
        } else if let Err(error) = incoming.take(&blob) {
            self.disk.private().discard(&incoming.scratch);
            self.give_up(hash, &error);
        } else if blob.last || blob.missing {
            self.came(hash, incoming, blob.missing);
        } else {
            self.contents.asked.insert(hash, incoming);
        }
    }

    /// A content that was asked for is over.
    fn came(&mut self, hash: ContentHash, incoming: Incoming, missing: bool) {
        let comes_to = match incoming.is_begun() {
            // It lay there for longer: not what passed counts, but what is there.
            true => self.disk.private().hash(&incoming.scratch),
            false => Some(incoming.hash()),
        };
        if !missing && comes_to == Some(hash) {
            self.contents.whole.remove(&hash);
            self.contents.arrived.insert(hash, incoming.scratch);
            self.settle_who_wants(hash);
        } else if incoming.is_begun() || !missing && incoming.has_base() {
            // From the beginning, and without a base.
            self.disk.private().discard(&incoming.scratch);
            self.contents.whole.insert(hash);
            self.contents.to_ask.push_front(hash);
        } else {
            self.not_it(hash, &incoming.scratch);
        }
    }

    /// The hub sent something else than a content, or said that it has none.
    fn not_it(&mut self, hash: ContentHash, scratch: &str) {
        self.disk.private().discard(scratch);
        self.contents.missing.insert(hash);
        self.settle_who_wants(hash);
    }

    fn settle_who_wants(&mut self, hash: ContentHash) {
        let paths = self.contents.wanted.get(&hash).cloned();
        self.settle_all(paths.unwrap_or_default());
    }

    /// The size of a content as the trees tell it where it is wanted; never more than a file may have.
    fn announced(&self, hash: ContentHash) -> u64 {
        let trees = [&self.trees.remote, &self.trees.local, &self.trees.base];
        let mut paths = self.contents.wanted.get(&hash).into_iter().flatten();
        let told = paths.find_map(|path| {
            trees.iter().find_map(|tree| match tree.get(path)? {
                Node::File { hash: of, size, .. } if *of == hash => Some(*size),
                _ => None,
            })
        });
        told.unwrap_or(FILE_BYTES_MAX).min(FILE_BYTES_MAX)
    }

    /// A content has no place on the disk: whoever wants it tries again later.
    fn give_up(&mut self, hash: ContentHash, error: &io::Error) {
        // What is kept for later takes some.
        self.contents.begun.retain(|_| false, self.disk.private());
        for path in self.contents.wanted.get(&hash).cloned().unwrap_or_default() {
            self.contents.unwant(&path);
            self.not_applied(&path, &io::Error::from(error.kind()).into());
        }
    }
}
