//! Uploads of many files and folders at once to a workspace of this machine, each with its own outcome.
use std::collections::HashSet;

use bytes::Bytes;
use http::header;
use multer::Multipart;
use slipway_api::file::{OnConflict, OutcomeResult, Uploaded, UploadedFile};
use slipway_core::code::Code;
use slipway_core::limits::{COMMIT_OPERATIONS_MAX, FILE_BYTES_MAX};
use slipway_core::path::RelPath;
use slipway_mirror::local::{Expect, LocalAct, LocalError, LocalOperation, Source};

use super::answer::{self, Answer, Fault};
use super::asked::Asked;
use super::files::{entry, outcome};
use super::kept::Local;

/// Beside a path at which something stands.
const BESIDE_MAX: u32 = 1_000;

/// Stores every part that has a file name; the name is the path below `folder`.
pub(super) async fn upload(local: &Local, asked: &Asked) -> Answer {
    let boundary = asked
        .header(header::CONTENT_TYPE)
        .map(multer::parse_boundary);
    let Some(Ok(boundary)) = boundary else {
        let message = "Send the files as multipart/form-data with a boundary.";
        return Err(Fault::new(Code::UnsupportedMediaType, message));
    };
    let on_conflict = match asked.wish("on_conflict") {
        Some(word) => serde_json::from_value(word.into()).map_err(|_| {
            Fault::of_field(
                "on_conflict",
                Code::InvalidRequest,
                "There is no such choice.",
            )
        })?,
        None => OnConflict::Ask,
    };
    let mut upload = Upload {
        local,
        folder: asked
            .wish("folder")
            .unwrap_or_default()
            .trim_matches('/')
            .to_owned(),
        on_conflict,
        names: HashSet::new(),
        files: Vec::new(),
        places: Vec::new(),
        operations: Vec::new(),
    };
    let body = asked.body.clone();
    let body = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = Multipart::new(body, boundary);
    while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
        if let Some(name) = part.file_name().map(str::to_owned) {
            let content = part.bytes().await.map_err(|error| broken(&error))?;
            upload.take(name, content).await?;
        }
    }
    answer::found(&upload.commit().await?)
}

fn broken(error: &multer::Error) -> Fault {
    Fault::new(
        Code::InvalidRequest,
        format!("The upload is not understood: {error}."),
    )
}

/// An upload under way.
struct Upload<'a> {
    local: &'a Local,
    folder: String,
    on_conflict: OnConflict,
    /// Where files of this upload go.
    names: HashSet<RelPath>,
    files: Vec<UploadedFile>,
    /// For each operation its place among the files.
    places: Vec<usize>,
    operations: Vec<LocalOperation>,
}

impl Upload<'_> {
    /// Takes the next file. What is wrong with it is its own outcome; the others still go.
    async fn take(&mut self, name: String, content: Bytes) -> Result<(), Fault> {
        if self.files.len() >= COMMIT_OPERATIONS_MAX {
            let message = format!("An upload takes at most {COMMIT_OPERATIONS_MAX} files.");
            return Err(Fault::new(Code::InvalidRequest, message));
        }
        let path = match self.folder.as_str() {
            "" => RelPath::parse(&name),
            folder => RelPath::parse(&format!("{folder}/{name}")),
        };
        let mut file = UploadedFile {
            path: name,
            entry: None,
            result: OutcomeResult::Rejected,
            code: None,
            message: None,
        };
        match path {
            Ok(_) if content.len() as u64 > FILE_BYTES_MAX => {
                let error = LocalError::TooLarge;
                (file.code, file.message) = (Some(error.code()), Some(error.to_string()));
            }
            Ok(path) => match self.place(path).await? {
                Some((path, expect)) => {
                    self.names.insert(path.clone());
                    self.places.push(self.files.len());
                    let content = Source::Inline(content);
                    let act = LocalAct::Write {
                        content,
                        executable: None,
                    };
                    self.operations.push(LocalOperation { path, expect, act });
                }
                None => {
                    file.result = OutcomeResult::Converged;
                    file.message = Some("Skipped: something stands there already.".to_owned());
                }
            },
            Err(error) => {
                (file.code, file.message) = (Some(error.code()), Some(error.to_string()));
            }
        }
        self.files.push(file);
        Ok(())
    }

    /// Where a file goes, and over what; `None` when it is skipped.
    async fn place(&self, path: RelPath) -> Result<Option<(RelPath, Expect)>, Fault> {
        Ok(match self.on_conflict {
            OnConflict::Ask => Some((path, Expect::Absent)),
            OnConflict::Overwrite => Some((path, Expect::Any)),
            OnConflict::Skip if self.is_taken(&path).await? => None,
            OnConflict::Skip => Some((path, Expect::Absent)),
            OnConflict::KeepBoth => Some((self.free(path).await?, Expect::Absent)),
        })
    }

    async fn is_taken(&self, path: &RelPath) -> Result<bool, Fault> {
        let stands = self.local.engine().entry(path.clone()).await?.is_some();
        Ok(stands || self.names.contains(path))
    }

    /// The path itself, or the first one beside it at which nothing stands.
    async fn free(&self, path: RelPath) -> Result<RelPath, Fault> {
        if !self.is_taken(&path).await? {
            return Ok(path);
        }
        for number in 2..BESIDE_MAX {
            let free = path.beside(number)?;
            if !self.is_taken(&free).await? {
                return Ok(free);
            }
        }
        let message = format!("There are a thousand copies of \"{path}\" already.");
        Err(Fault::new(Code::PathExists, message))
    }

    async fn commit(mut self) -> Result<Uploaded, Fault> {
        let paths: Vec<_> = self.operations.iter().map(|one| one.path.clone()).collect();
        self.local.past().before_all(&self.operations).await;
        let engine = self.local.engine();
        let done = engine
            .commit(std::mem::take(&mut self.operations), false)
            .await?;
        for ((place, path), ended) in self.places.into_iter().zip(paths).zip(done.outcomes) {
            let ended = outcome(ended);
            let file = &mut self.files[place];
            (file.result, file.code, file.message) = (ended.result, ended.code, ended.message);
            file.entry = engine.entry(path).await?.map(entry);
        }
        Ok(Uploaded {
            revision: done.count,
            files: self.files,
        })
    }
}
