//! The list at the end of a zip file: how long it is, before anyone reads it by what it says of itself.
//!
//! The library looks for another end further up when the list at the last one does not make sense, so a list that was
//! checked need not be the one that it reads. Therefore it sees nothing before the checked list until it is open.
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use slipway_core::limits::{ZIP_ENTRIES_MAX, ZIP_LIST_BYTES_MAX};
use zip::read::{ArchiveOffset, Config};

use super::{bomb, invalid};
use crate::error::Error;

/// The record that ends a zip file, without its comment, which is at most 64 KiB.
const END_BYTES: usize = 22;
/// What leads from there to the record of a zip64.
const LOCATOR_BYTES: usize = 20;
/// That record, as far as it is read here.
const LARGE_END_BYTES: usize = 56;

/// Where the list stands and how many entries it promises.
pub(super) struct List {
    pub(super) entries: u64,
    /// Where it begins in the file.
    start: u64,
    /// Where it begins by the archive's own count, which is less when something stands before the archive.
    offset: u64,
}

impl List {
    /// Reads the record at the end. Nothing may stand behind it: what two programs read differently is refused.
    pub(super) fn find(file: &mut File) -> Result<Self, Error> {
        let length = file.metadata()?.len();
        let tail_bytes = length.min(u64::from(u16::MAX) + END_BYTES as u64);
        let tail_start = length - tail_bytes;
        let mut tail = vec![0; usize::try_from(tail_bytes).unwrap_or(0)];
        file.seek(SeekFrom::Start(tail_start))?;
        file.read_exact(&mut tail)?;
        let ends = |at: &usize| {
            tail[*at..].starts_with(b"PK\x05\x06")
                && at + END_BYTES + usize::from(u16_at(&tail, at + 20)) == tail.len()
        };
        let at = (0..(tail.len() + 1).saturating_sub(END_BYTES))
            .rev()
            .find(ends)
            .ok_or_else(|| invalid("has no end, or something stands behind its end"))?;
        let (entries, bytes) = (u16_at(&tail, at + 10), u32_at(&tail, at + 12));
        let offset = u32_at(&tail, at + 16);
        let end = tail_start + at as u64;
        // The library looks for a zip64 by the first and the last of these.
        if (entries == u16::MAX || offset == u32::MAX)
            && let Some(large) = Self::find_large(file, end)?
        {
            return Ok(large);
        }
        Self::ending(end, entries.into(), bytes.into(), offset.into())
    }

    /// Zip64: a larger record stands before the last one, and a locator between the two says where. Without the locator
    /// it is none.
    fn find_large(file: &mut File, end: u64) -> Result<Option<Self>, Error> {
        let Some(locator_at) = end.checked_sub(LOCATOR_BYTES as u64) else {
            return Ok(None);
        };
        let locator: [u8; LOCATOR_BYTES] = read_at(file, locator_at)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return Ok(None);
        }
        let unclear = || invalid("does not say where its list of files stands");
        let record_at = u64_at(&locator, 8);
        if record_at >= locator_at {
            return Err(unclear());
        }
        let record: [u8; LARGE_END_BYTES] = read_at(file, record_at)?;
        if !record.starts_with(b"PK\x06\x06") {
            return Err(unclear());
        }
        let (entries, bytes) = (u64_at(&record, 32), u64_at(&record, 40));
        Self::ending(record_at, entries, bytes, u64_at(&record, 48)).map(Some)
    }

    fn ending(end: u64, entries: u64, bytes: u64, offset: u64) -> Result<Self, Error> {
        if entries > ZIP_ENTRIES_MAX || bytes > ZIP_LIST_BYTES_MAX {
            return Err(bomb());
        }
        let start = end.checked_sub(bytes).filter(|start| *start >= offset);
        Ok(Self {
            entries,
            start: start.ok_or_else(|| invalid("has no list of files where it says"))?,
            offset,
        })
    }

    /// The archive, read by this list and no other.
    pub(super) fn open(&self, file: File) -> zip::result::ZipResult<zip::ZipArchive<Window>> {
        let from = Arc::new(AtomicU64::new(self.start));
        let config = Config {
            archive_offset: ArchiveOffset::Known(self.start - self.offset),
        };
        let window = Window {
            file,
            at: 0,
            from: Arc::clone(&from),
        };
        let archive = zip::ZipArchive::with_config(config, window)?;
        from.store(0, Ordering::Relaxed);
        Ok(archive)
    }
}

/// A file of which nothing can be seen before an offset.
pub(super) struct Window {
    file: File,
    at: u64,
    from: Arc<AtomicU64>,
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let hidden = self.from.load(Ordering::Relaxed).saturating_sub(self.at);
        let many = if hidden == 0 {
            self.file.read(buffer)?
        } else {
            let many = buffer
                .len()
                .min(usize::try_from(hidden).unwrap_or(usize::MAX));
            buffer[..many].fill(0);
            self.file.seek(SeekFrom::Current(many as i64))?;
            many
        };
        self.at += many as u64;
        Ok(many)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

fn read_at<const N: usize>(file: &mut File, at: u64) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..at + N)
        .and_then(|bytes| bytes.try_into().ok())
        .unwrap_or([0; N])
}
