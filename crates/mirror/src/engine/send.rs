//! Sends one content of ours, piece by piece. Of a large one, chunks that the hub has are named, not sent.
use std::io::Read as _;

use bytes::Bytes;
use slipway_core::hash::{ContentHash, ContentHasher};
use slipway_core::limits::{BLOB_INLINE_BYTES_MAX, BULK_FRAME_BYTES_MAX, RANGE_BYTES_MAX};
use slipway_proto::convert;
use slipway_proto::v1::{self, spoke_bulk};

use super::parts::{self, Part, Parts, Range};
use super::state::State;
use crate::chunk::Chunks;
use crate::volume::Opened;

/// Where pieces go; false when the connection is gone.
type Way<'a> = dyn FnMut(v1::SpokeBulk) -> bool + 'a;

/// A piece that waits for what comes after it: only then is it known whether it is the last.
enum Piece {
    Data(Bytes),
    Range(Range),
}

struct Sender<'a> {
    send: &'a mut Way<'a>,
    hash: &'a Bytes,
    offset: u64,
    waits: Option<Piece>,
}

/// Sends one content; false when the connection is gone.
pub(super) fn send_content<'a>(
    send: &'a mut Way<'a>,
    hash: &'a Bytes,
    file: Option<Opened>,
    parts: &Parts,
) -> bool {
    let mut sender = Sender {
        send,
        hash,
        offset: 0,
        waits: None,
    };
    let size = file.as_ref().and_then(|file| file.meta().ok());
    let done = match (file, convert::hash(hash)) {
        (Some(file), Ok(content)) if size.is_some_and(|meta| meta.size > BLOB_INLINE_BYTES_MAX) => {
            sender.in_parts(file, content, parts)
        }
        (Some(file), _) => sender.plain(file),
        (None, _) => None,
    };
    match done {
        Some(true) => sender.flush(true),
        Some(false) => false,
        // It is not here, or cannot be read.
        None => sender.missing(),
    }
}

impl Sender<'_> {
    fn blob(&mut self, piece: Piece, last: bool) -> bool {
        let mut blob = v1::Blob {
            hash: self.hash.clone(),
            offset: self.offset,
            last,
            ..v1::Blob::default()
        };
        match piece {
            Piece::Data(data) => {
                self.offset += data.len() as u64;
                blob.data = data;
            }
            Piece::Range(range) => {
                self.offset += range.size;
                blob.from = convert::hash_bytes(&range.content);
                (blob.from_offset, blob.from_size) = (range.offset, range.size);
            }
        }
        let frame = Some(spoke_bulk::Frame::Blob(blob));
        (self.send)(v1::SpokeBulk { frame })
    }

    fn missing(&mut self) -> bool {
        let blob = v1::Blob {
            hash: self.hash.clone(),
            offset: self.offset,
            last: true,
            missing: true,
            ..v1::Blob::default()
        };
        let frame = Some(spoke_bulk::Frame::Blob(blob));
        (self.send)(v1::SpokeBulk { frame })
    }

    /// Sends what waits, or at the end of an empty content nothing.
    fn flush(&mut self, last: bool) -> bool {
        let empty = || last.then(|| Piece::Data(Bytes::new()));
        match self.waits.take().or_else(empty) {
            Some(piece) => self.blob(piece, last),
            None => true,
        }
    }

    fn then(&mut self, piece: Piece) -> bool {
        if let (Some(Piece::Range(before)), Piece::Range(next)) = (&mut self.waits, &piece)
            && before.content == next.content
            && before.offset + before.size == next.offset
            && before.size + next.size <= RANGE_BYTES_MAX
        {
            before.size += next.size;
            return true;
        }
        let done = self.flush(false);
        self.waits = Some(piece);
        done
    }

    fn plain(&mut self, mut file: Opened) -> Option<bool> {
        loop {
            let mut data = Vec::with_capacity(BULK_FRAME_BYTES_MAX);
            let mut piece = (&mut file).take(BULK_FRAME_BYTES_MAX as u64);
            piece.read_to_end(&mut data).ok()?;
            if data.is_empty() {
                return Some(true);
            }
            if !self.then(Piece::Data(data.into())) {
                return Some(false);
            }
        }
    }

    fn in_parts(&mut self, mut file: Opened, content: ContentHash, parts: &Parts) -> Option<bool> {
        let begun = parts.take_begun(content);
        let begun = begun.filter(|(begin, size)| begins_with(&mut file, *begin, *size));
        file.go_to(0);
        let mut chunks = Chunks::new(file);
        let (mut list, mut offset) = (Vec::new(), 0);
        while let Some(chunk) = chunks.next().ok()? {
            let part = Part {
                hash: ContentHash::of(chunk),
                size: u32::try_from(chunk.len()).ok()?,
            };
            list.push(part);
            let (from, size) = (offset, u64::from(part.size));
            offset += size;
            let of_begun = begun.filter(|(_, came)| offset <= *came);
            let of_begun = of_begun.map(|(content, _)| Range {
                content,
                offset: from,
                size,
            });
            let done = match of_begun.or_else(|| parts.find(content, part)) {
                Some(range) => self.then(Piece::Range(range)),
                None => chunk
                    .chunks(BULK_FRAME_BYTES_MAX)
                    .all(|piece| self.then(Piece::Data(Bytes::copy_from_slice(piece)))),
            };
            if !done {
                return Some(false);
            }
            parts.sends(content, self.offset);
        }
        parts.sent(content, list);
        Some(true)
    }
}

/// Whether a file's first bytes are these.
fn begins_with(file: &mut Opened, hash: ContentHash, size: u64) -> bool {
    let (mut hasher, mut left) = (ContentHasher::default(), size);
    let mut buffer = vec![0; BULK_FRAME_BYTES_MAX];
    while left > 0 {
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        match file.read(&mut buffer[..most]) {
            Ok(many) if many > 0 => {
                hasher.update(&buffer[..many]);
                left -= many as u64;
            }
            _ => return false,
        }
    }
    hasher.finish() == hash
}

impl State {
    /// A content that was sent is at the hub, or is not.
    pub(super) fn remember_parts(&mut self, content: ContentHash, held: bool) {
        let gone = if held {
            let Some((record, gone)) = self.parts.arrived(content) else {
                return;
            };
            self.keep.record(parts::key(content), Some(record));
            gone
        } else {
            self.parts.failed(content)
        };
        for content in gone {
            self.keep.record(parts::key(content), None);
        }
    }
}
