//! Zip files, read safely: against traversal, bombs, links that lead out, names that cannot live everywhere.
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use bytes::Bytes;
use slipway_api::workspace::ARCHIVE_COMMENT;
use slipway_core::code::Code;
use slipway_core::limits::{
    BLOB_INLINE_BYTES_MAX, LINK_BYTES_MAX, MIB, WORKSPACE_BYTES_MAX, ZIP_RATIO_MAX,
};
use slipway_core::path::RelPath;
use tokio::sync::mpsc;
use zip::read::ZipFile;

use self::list::{List, Window};
use crate::error::Error;
use crate::hub::{Content, NewNode, Proposal};

mod list;

/// Contents and names of one commit of an import.
const BATCH_BYTES: u64 = 8 * MIB;
/// Files of one commit of an import.
const BATCH_FILES: usize = 4_000;
/// A small archive may unpack to this much whatever its ratio: a page of spaces is no bomb.
const RATIO_FROM: u64 = 10 * MIB;
/// One piece of a large file.
const PIECE_BYTES: u64 = MIB;
const UNIX_TYPE: u32 = 0o170_000;
const UNIX_LINK: u32 = 0o120_000;

/// What comes out of a zip file, in order.
#[derive(Debug)]
pub enum Item {
    /// Folders, links and small files, for one commit.
    Batch(Vec<Proposal>),
    /// The next piece of a large file.
    Piece(Bytes),
    /// The large file is whole.
    Large {
        /// Where it stands.
        path: RelPath,
        /// Whether it may be executed.
        executable: bool,
    },
}

/// Reads a zip file on a thread of its own; items come out, or why not.
pub fn read(file: File) -> mpsc::Receiver<Result<Item, Error>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let done =
            Reader::open(file, &sender).and_then(|(mut reader, archive)| reader.all(archive));
        match done {
            Ok(()) | Err(Ended::Cut) => {}
            Err(Ended::Refused(error)) => drop(sender.blocking_send(Err(error))),
        }
    });
    receiver
}

/// Why reading ended early.
enum Ended {
    /// Nobody listens any more: the request was cut.
    Cut,
    Refused(Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<zip::result::ZipError> for Ended {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Refused(match error {
            zip::result::ZipError::UnsupportedArchive(why) if why.contains("assword") => {
                Error::new(
                    Code::ZipInvalid,
                    "The zip file is encrypted. Export it without a password.",
                )
            }
            error => invalid(&format!("cannot be read: {error}")),
        })
    }
}

fn invalid(what: &str) -> Error {
    Error::new(
        Code::ZipInvalid,
        format!("The zip file {what}. Is it complete? Pack it again."),
    )
}

fn bomb() -> Error {
    Error::new(
        Code::ZipBomb,
        "The zip file unpacks to far more than it holds, or than a workspace takes (1 GiB, 200,000 files).",
    )
}

fn twice(path: &RelPath) -> Error {
    Error::new(
        Code::PathExists,
        format!("The zip file holds \"{path}\" twice. Pack it again with one of them."),
    )
}

struct Reader<'a> {
    sender: &'a mpsc::Sender<Result<Item, Error>>,
    packed: u64,
    /// The one folder in which everything lies, as most archives have it; it is not made again in the workspace.
    strip: String,
    /// Every path so far, and whether it is a folder.
    seen: HashMap<RelPath, bool>,
    batch: Vec<Proposal>,
    batch_bytes: u64,
    total: u64,
}

impl<'a> Reader<'a> {
    fn open(
        mut file: File,
        sender: &'a mpsc::Sender<Result<Item, Error>>,
    ) -> Result<(Self, zip::ZipArchive<Window>), Ended> {
        let list = List::find(&mut file)?;
        let packed = file.metadata().map_err(Error::from)?.len();
        let archive = list.open(file)?;
        // The library keeps one entry of each name.
        if (archive.len() as u64) < list.entries {
            let message = "The zip file holds a name twice. Pack it again with one of them.";
            return Err(Error::new(Code::PathExists, message).into());
        }
        let reader = Self {
            sender,
            packed,
            strip: common_folder(&archive),
            seen: HashMap::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            total: 0,
        };
        Ok((reader, archive))
    }

    fn all(&mut self, mut archive: zip::ZipArchive<Window>) -> Result<(), Ended> {
        for index in 0..archive.len() {
            self.entry(&mut archive.by_index(index)?)?;
            if self.batch_bytes >= BATCH_BYTES || self.batch.len() >= BATCH_FILES {
                self.send_batch()?;
            }
        }
        self.send_batch()
    }

    fn send(&self, item: Item) -> Result<(), Ended> {
        self.sender.blocking_send(Ok(item)).map_err(|_| Ended::Cut)
    }

    fn send_batch(&mut self) -> Result<(), Ended> {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        self.send(Item::Batch(batch))
    }

    fn entry(&mut self, entry: &mut ZipFile<'_, Window>) -> Result<(), Ended> {
        let Some(path) = self.path(entry)? else {
            return Ok(());
        };
        match self.seen.insert(path.clone(), entry.is_dir()) {
            Some(true) if entry.is_dir() => return Ok(()),
            Some(_) => return Err(twice(&path).into()),
            None => {}
        }
        let mode = entry.unix_mode().unwrap_or(0);
        let executable = mode & 0o100 != 0;
        let change = if entry.is_dir() {
            NewNode::Folder
        } else if mode & UNIX_TYPE == UNIX_LINK || entry.is_symlink() {
            let target = self.piece(entry, &path, LINK_BYTES_MAX as u64 + 1)?;
            let target = String::from_utf8(target).ok();
            // Whether it stays inside is the hub's to judge, as for every link.
            let target = target.filter(|target| target.len() <= LINK_BYTES_MAX);
            let target = target.ok_or_else(|| {
                Error::new(
                    Code::LinkEscapes,
                    format!("The link \"{path}\" leads nowhere. Leave it out and pack again."),
                )
            })?;
            NewNode::Symlink { target }
        } else {
            let start = self.piece(entry, &path, BLOB_INLINE_BYTES_MAX + 1)?;
            if start.len() as u64 > BLOB_INLINE_BYTES_MAX {
                return self.large(entry, path, start, executable);
            }
            self.batch_bytes += start.len() as u64;
            NewNode::File {
                content: Content::Inline(start.into()),
                executable,
                from: None,
            }
        };
        // Every folder above takes a row, too.
        self.batch_bytes += (path.as_str().len() * path.components().count()) as u64;
        self.batch.push(Proposal {
            path,
            expect: None,
            change,
        });
        Ok(())
    }

    /// A large file goes on piece by piece as it is unpacked.
    fn large(
        &mut self,
        entry: &mut ZipFile<'_, Window>,
        path: RelPath,
        start: Vec<u8>,
        executable: bool,
    ) -> Result<(), Ended> {
        self.send_batch()?;
        let mut piece = start;
        while !piece.is_empty() {
            self.send(Item::Piece(Bytes::from(piece)))?;
            piece = self.piece(entry, &path, PIECE_BYTES)?;
        }
        self.send(Item::Large { path, executable })
    }

    /// The next bytes of an entry. What the archive says of its sizes is not believed: they are counted as they come.
    fn piece(
        &mut self,
        entry: &mut ZipFile<'_, Window>,
        path: &RelPath,
        most: u64,
    ) -> Result<Vec<u8>, Ended> {
        let mut piece = Vec::new();
        entry.take(most).read_to_end(&mut piece).map_err(|error| {
            Error::new(
                Code::ZipInvalid,
                format!("\"{path}\" in the zip file is damaged: {error}. Pack it again."),
            )
        })?;
        self.total += piece.len() as u64;
        let ratio = self.total / self.packed.max(1);
        if self.total > WORKSPACE_BYTES_MAX || (self.total > RATIO_FROM && ratio > ZIP_RATIO_MAX) {
            return Err(bomb().into());
        }
        Ok(piece)
    }

    /// Where an entry goes; `None` for the folder that is stripped.
    fn path(&self, entry: &ZipFile<'_, Window>) -> Result<Option<RelPath>, Error> {
        let name = std::str::from_utf8(entry.name_raw()).map_err(|_| {
            Error::new(
                Code::PathInvalid,
                "The zip file holds a name that is not UTF-8. Rename it and pack again.",
            )
        })?;
        let name = name.strip_prefix(self.strip.as_str()).unwrap_or(name);
        let name = name.strip_suffix('/').unwrap_or(name);
        if name.is_empty() && !self.strip.is_empty() {
            return Ok(None);
        }
        Ok(Some(RelPath::parse(name)?))
    }
}

/// The one folder in which everything lies; nothing for an archive of ours.
fn common_folder(archive: &zip::ZipArchive<Window>) -> String {
    let mut names = archive.file_names();
    let first = names.next().and_then(|name| name.split_once('/'));
    let Some((folder, _)) = first.filter(|_| archive.comment() != ARCHIVE_COMMENT.as_bytes())
    else {
        return String::new();
    };
    let folder_slash = format!("{folder}/");
    // A name that is refused must be seen to be refused.
    if RelPath::parse(folder).is_ok() && names.all(|name| name.starts_with(&folder_slash)) {
        folder_slash
    } else {
        String::new()
    }
}
