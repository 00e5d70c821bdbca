//! Files of a workspace of this machine: the routes, preconditions and codes of a server, answered from the disk. What
//! they call a revision is the count of this machine.
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use slipway_api::file::{
    Change, Changes, Commit, Committed, CreateFolder, Entry, Expectation, Kind, Move, Operation,
    Origin, OriginKind, Outcome, OutcomeResult, Restore, Tree, Written,
};
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::limits::{COMMIT_OPERATIONS_MAX, FILE_BYTES_MAX};
use slipway_core::path::{PathError, RelPath};
use slipway_mirror::local::{
    By, Expect, LocalAct, LocalChange, LocalCommit, LocalEntry, LocalError, LocalOperation,
    LocalOutcome, Source,
};
use slipway_sync::node::Node;

use super::answer::{self, Answer, Fault};
use super::asked::Asked;
use super::kept::Local;

impl From<LocalError> for Fault {
    fn from(error: LocalError) -> Self {
        let fault = Self::new(error.code(), error.to_string());
        match error {
            LocalError::Stale(Some(entry)) => fault.with_etag(entry.hash().map(|hash| etag(&hash))),
            _ => fault,
        }
    }
}

fn etag(hash: &impl std::fmt::Display) -> String {
    format!("\"{hash}\"")
}

/// An entry as the page sees it.
pub(super) fn entry(local: LocalEntry) -> Entry {
    let (hash, size) = (local.hash(), local.size());
    let (kind, executable, target) = match local.node {
        Node::File { executable, .. } => (Kind::File, executable, None),
        Node::Folder => (Kind::Folder, false, None),
        Node::Symlink { target } => (Kind::Symlink, false, Some(target)),
    };
    Entry {
        path: local.path,
        kind,
        size,
        hash,
        executable,
        target,
        revision: local.count,
    }
}

/// Everything in the folder.
pub(super) async fn tree(local: &Local) -> Result<Tree, Fault> {
    let tree = local.engine().tree().await?;
    Ok(Tree {
        revision: tree.count,
        entries: tree.entries.into_iter().map(entry).collect(),
    })
}

/// What changed after a count.
pub(super) async fn changes(local: &Local, asked: &Asked) -> Answer {
    let after = asked.number("after")?.unwrap_or(0);
    let changes = local.engine().changes(after).await?;
    let changes = changes.ok_or_else(|| {
        let message = "What changed since is not known any more. Read the whole tree.";
        Fault::new(Code::RevisionUnknown, message)
    })?;
    answer::found(&Changes {
        head: changes.count,
        changes: changes.changes.into_iter().map(change).collect(),
        more: false,
    })
}

/// Who changed something, as the page is told.
pub(super) const fn origin(by: By) -> Origin {
    let kind = match by {
        By::Person => OriginKind::Editor,
        By::Disk => OriginKind::Desktop,
        By::Hub => OriginKind::Session,
    };
    Origin { kind, user: None }
}

fn change(local: LocalChange) -> Change {
    Change {
        revision: local.count,
        path: local.path,
        entry: local.entry.map(entry),
        from: local.from,
        previous: None,
        origin: origin(local.by),
        at: local.at.into(),
    }
}

/// A file's content.
pub(super) async fn read(local: &Local, asked: &Asked, path: &RelPath) -> Answer {
    let content = local.engine().read(path).await?;
    Ok(content_of(asked, content.bytes, content.hash))
}

/// A content, unless the page has it already.
pub(super) fn content_of(asked: &Asked, bytes: Bytes, hash: ContentHash) -> Response<Bytes> {
    let etag = etag(&hash);
    let is_known = asked.header(header::IF_NONE_MATCH) == Some(etag.as_str());
    let mut answer = match is_known {
        true => answer::bytes(304, Bytes::new()),
        false => answer::bytes(200, bytes),
    };
    let binary = HeaderValue::from_static("application/octet-stream");
    answer.headers_mut().insert(header::CONTENT_TYPE, binary);
    with_etag(answer, &etag)
}

fn with_etag(mut answer: Response<Bytes>, etag: &str) -> Response<Bytes> {
    if let Ok(etag) = etag.parse() {
        answer.headers_mut().insert(header::ETAG, etag);
    }
    answer
}

/// What a request's preconditions say; one of them is asked for, so that nothing is overwritten unseen.
fn expected(asked: &Asked) -> Result<Expect, Fault> {
    let (if_match, if_none) = (header::IF_MATCH, header::IF_NONE_MATCH);
    let expected = Expectation::of_headers(asked.header(if_match), asked.header(if_none));
    let expected = expected.map_err(|(code, words)| Fault::new(code, words))?;
    Ok(expect(expected.as_ref()))
}

const fn expect(expected: Option<&Expectation>) -> Expect {
    match expected {
        None => Expect::Any,
        Some(Expectation::Absent) => Expect::Absent,
        Some(Expectation::Folder) => Expect::Folder,
        Some(Expectation::Content(hash)) => Expect::Content(*hash),
    }
}

/// Writes a file over the content named by `If-Match`, or makes it with `If-None-Match: *`.
pub(super) async fn write(local: &Local, asked: &Asked, path: RelPath) -> Answer {
    let expect = expected(asked)?;
    if asked.body.len() as u64 > FILE_BYTES_MAX {
        return Err(LocalError::TooLarge.into());
    }
    local.past().before(&path, expect).await;
    let written = local
        .engine()
        .write(path, asked.body.clone(), expect, None)
        .await?;
    let entry = entry(written.entry);
    let etag = entry.hash.as_ref().map(etag).unwrap_or_default();
    let written = Written {
        revision: written.count,
        entry: Some(entry),
    };
    Ok(with_etag(answer::json(200, &written), &etag))
}

/// Deletes a file, or a folder with all below it.
pub(super) async fn remove(local: &Local, asked: &Asked, path: RelPath) -> Answer {
    let expect = expected(asked)?;
    if local.engine().entry(path.clone()).await?.is_none() {
        return Err(Fault::not_found("file"));
    }
    local.past().before(&path, expect).await;
    one(local, path, expect, LocalAct::Delete).await
}

/// Moves a file or folder with all in it.
pub(super) async fn relocate(local: &Local, asked: &Asked) -> Answer {
    let wanted: Move = asked.json()?;
    let expect = match asked.header(header::IF_MATCH) {
        Some(_) => expected(asked)?,
        None => Expect::Any,
    };
    if local.engine().entry(wanted.from.clone()).await?.is_none() {
        return Err(Fault::not_found("file"));
    }
    // Of two moves in a row both are told.
    local.past().is_up_to_date().await;
    one(local, wanted.to, expect, LocalAct::MoveFrom(wanted.from)).await
}

/// Makes an empty folder.
pub(super) async fn create_folder(local: &Local, asked: &Asked) -> Answer {
    let CreateFolder { path } = asked.json()?;
    if local.engine().entry(path.clone()).await?.is_some() {
        return Err(LocalError::Exists(path).into());
    }
    one(local, path, Expect::Absent, LocalAct::Folder).await
}

/// One operation that must pass.
async fn one(local: &Local, path: RelPath, expect: Expect, act: LocalAct) -> Answer {
    let operation = LocalOperation {
        path: path.clone(),
        expect,
        act,
    };
    let mut done = local.engine().commit(vec![operation], false).await?;
    match done.outcomes.pop() {
        Some(LocalOutcome::Applied | LocalOutcome::Converged) => {}
        Some(LocalOutcome::Stale(current)) => {
            return Err(LocalError::Stale(current.map(Box::new)).into());
        }
        Some(LocalOutcome::Rejected(error)) => return Err(error.into()),
        None => return Err(LocalError::Ended.into()),
    }
    let now = local.engine().entry(path).await?;
    answer::found(&Written {
        revision: done.count,
        entry: now.map(entry),
    })
}

/// Several operations, each with its own outcome; all or nothing if that is asked for.
pub(super) async fn commit(local: &Local, asked: &Asked) -> Answer {
    let wanted: Commit = asked.json()?;
    if wanted.operations.len() > COMMIT_OPERATIONS_MAX {
        let message = format!("A commit takes at most {COMMIT_OPERATIONS_MAX} operations.");
        return Err(Fault::new(Code::InvalidRequest, message));
    }
    // What names no path of a workspace fails by itself; the others go on.
    let (mut outcomes, mut places, mut operations) = (Vec::new(), Vec::new(), Vec::new());
    for wanted in wanted.operations {
        match operation(wanted)? {
            Ok(operation) => {
                places.push(outcomes.len());
                operations.push(operation);
                outcomes.push(None);
            }
            Err(refused) => outcomes.push(Some(refusal(refused.code(), refused.to_string()))),
        }
    }
    let done = if wanted.atomic && places.len() < outcomes.len() {
        LocalCommit {
            count: local.engine().tree().await?.count,
            outcomes: vec![LocalOutcome::Rejected(LocalError::NothingDone); places.len()],
        }
    } else {
        local.past().before_all(&operations).await;
        local.engine().commit(operations, wanted.atomic).await?
    };
    for (place, ended) in places.into_iter().zip(done.outcomes) {
        outcomes[place] = Some(outcome(ended));
    }
    answer::found(&Committed {
        revision: done.count,
        outcomes: outcomes.into_iter().flatten().collect(),
    })
}

/// Brings back what was deleted here after a count.
pub(super) async fn restore(local: &Local, asked: &Asked) -> Answer {
    let Restore { revision, path, .. } = asked.json()?;
    let done = local.engine().restore(revision, path).await?;
    answer::found(&Committed {
        revision: done.count,
        outcomes: done.outcomes.into_iter().map(outcome).collect(),
    })
}

/// What the page asks for, as the engine takes it, or what is wrong with its path.
fn operation(wanted: Operation) -> Result<Result<LocalOperation, PathError>, Fault> {
    let from = wanted.from.as_deref().map(RelPath::parse).transpose();
    let (path, from) = match (RelPath::parse(&wanted.path), from) {
        (Ok(path), Ok(from)) => (path, from),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
    };
    let act = match (wanted.kind, from) {
        (_, Some(from)) => LocalAct::MoveFrom(from),
        (None, None) => LocalAct::Delete,
        (Some(Kind::Folder), None) => LocalAct::Folder,
        (Some(Kind::Symlink), None) => LocalAct::Link {
            target: wanted
                .target
                .ok_or_else(|| invalid("target", "A link needs its target."))?,
        },
        (Some(Kind::File), None) => LocalAct::Write {
            content: match (wanted.text, wanted.base64, wanted.hash) {
                (Some(text), None, None) => Source::Inline(text.into()),
                (None, Some(text), None) => Source::Inline(decoded(&text)?),
                (None, None, Some(hash)) => Source::Held(hash),
                _ => {
                    let message = "A file needs exactly one of text, base64 and hash.";
                    return Err(invalid("text", message));
                }
            },
            executable: Some(wanted.executable),
        },
    };
    Ok(Ok(LocalOperation {
        path,
        expect: expect(wanted.expect.as_ref()),
        act,
    }))
}

fn decoded(text: &str) -> Result<Bytes, Fault> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
    bytes
        .map(Bytes::from)
        .map_err(|_| invalid("base64", "The content is not base64."))
}

fn invalid(field: &str, message: &str) -> Fault {
    Fault::of_field(field, Code::InvalidRequest, message)
}

/// An outcome as the page sees it.
pub(super) fn outcome(local: LocalOutcome) -> Outcome {
    match local {
        LocalOutcome::Applied => plain(OutcomeResult::Applied),
        LocalOutcome::Converged => plain(OutcomeResult::Converged),
        LocalOutcome::Stale(current) => Outcome {
            current: current.map(entry),
            ..plain(OutcomeResult::Stale)
        },
        LocalOutcome::Rejected(error) => refusal(error.code(), error.to_string()),
    }
}

pub(super) fn refusal(code: Code, message: String) -> Outcome {
    Outcome {
        code: Some(code),
        message: Some(message),
        ..plain(OutcomeResult::Rejected)
    }
}

const fn plain(result: OutcomeResult) -> Outcome {
    Outcome {
        result,
        current: None,
        code: None,
        message: None,
    }
}
