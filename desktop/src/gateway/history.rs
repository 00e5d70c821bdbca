//! The history of files that is kept on this computer: changes are noted as the folder's engine sees them, and told as a
//! server tells its own. Sizes and bounds are those of `slipway_mirror::history`.
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use slipway_api::file::{
    Change as Shown, Entry, History as Answered, Kind, Version as ShownVersion,
};
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::limits::MIB;
use slipway_core::path::RelPath;
use slipway_mirror::engine::Engine;
use slipway_mirror::history::{Change, FILE_BYTES_MAX, History, Version};
use slipway_mirror::local::{By, Expect, LocalAct, LocalChange, LocalError, LocalOperation};
use slipway_mirror::store::StoreError;
use slipway_sync::node::Node;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::answer::{self, Answer, Fault};
use super::asked::Asked;
use super::files;
use super::kept::Local;
use crate::clock;
use crate::error::CliError;

/// When more than this changes at once it is a tool's work, as a checkout or an installation: only files that have
/// versions get another one.
const MANY: usize = 100;
/// From one look at what changed to the next, unless somebody waits.
const PAUSE: Duration = Duration::from_secs(1);
/// How long work waits for what is being noted: after a tool's work that may be much.
const PATIENCE: Duration = Duration::from_secs(1);
/// Read before it is noted.
const READ_MAX: usize = 4 * MIB as usize;

/// Notes what changes in a folder, and tells of it.
#[derive(Clone)]
pub(super) struct Past {
    state: Arc<Path>,
    history: Arc<History>,
    engine: Engine,
    /// The count up to which all is noted; its end, when nothing is noted any more.
    noted: watch::Receiver<u64>,
    /// Somebody waits for that.
    wanted: Arc<Notify>,
}

impl Past {
    /// Notes what changes in a folder, whose state lies here, until it is over.
    pub(super) fn start(state: &Path, engine: &Engine, over: CancellationToken) -> Self {
        let (sender, noted) = watch::channel(0);
        let past = Self {
            state: state.into(),
            history: Arc::new(History::new(state)),
            engine: engine.clone(),
            noted,
            wanted: Arc::default(),
        };
        tokio::spawn(over.run_until_cancelled_owned(past.clone().keep(sender)));
        past
    }

    async fn keep(self, noted: watch::Sender<u64>) {
        let mut moved = self.engine.moved();
        let mut seen = *moved.borrow_and_update();
        loop {
            noted.send_replace(seen);
            self.store().await;
            // A file that is written all the time has not all the versions that it could.
            tokio::time::timeout(PAUSE, self.wanted.notified())
                .await
                .ok();
            if moved.changed().await.is_err() {
                return;
            }
            match self.engine.changes(seen).await {
                Ok(Some(changes)) => {
                    seen = changes.count;
                    self.note(changes.changes).await;
                }
                // More than is remembered, so it is a tool's work, too.
                Ok(None) => seen = *moved.borrow_and_update(),
                Err(_) => return,
            }
        }
    }

    /// Stores what is left, and nothing after it.
    pub(super) async fn end(&self) {
        let closed = self.asked(History::close);
        tokio::time::timeout(PATIENCE, closed).await.ok();
    }

    /// Waits until all that was seen to change is noted, but no longer than a person would.
    pub(super) async fn is_up_to_date(&self) {
        let count = *self.engine.moved().borrow();
        let mut noted = self.noted.clone();
        self.wanted.notify_one();
        let caught_up = noted.wait_for(|noted| *noted >= count);
        tokio::time::timeout(PATIENCE, caught_up).await.ok();
    }

    /// Notes what stands at a path that is about to be written, if it is not the newest version: nobody may have seen it
    /// change.
    pub(super) async fn before(&self, path: &RelPath, expect: Expect) {
        self.is_up_to_date().await;
        self.stands(path, expect).await;
    }

    /// The same before operations.
    pub(super) async fn before_all(&self, operations: &[LocalOperation]) {
        self.is_up_to_date().await;
        for LocalOperation { path, expect, act } in operations {
            if matches!(act, LocalAct::Write { .. } | LocalAct::Delete) {
                self.stands(path, *expect).await;
            }
        }
    }

    async fn stands(&self, path: &RelPath, expect: Expect) {
        let wanted = match expect {
            Expect::Content(hash) => Some(hash),
            Expect::Any => None,
            Expect::Absent | Expect::Folder => return,
        };
        let at = path.clone();
        let newest = self.asked(move |history| history.newest(&at)).await;
        let newest = newest.ok().flatten();
        if newest.is_some() && newest == wanted {
            return;
        }
        // What the rules leave out is none of ours.
        let entry = self.engine.entry(path.clone()).await.ok().flatten();
        let Some(Node::File { hash, .. }) = entry.map(|entry| entry.node) else {
            return;
        };
        if newest == Some(hash) || wanted.is_some_and(|wanted| wanted != hash) {
            return;
        }
        let stood = Change {
            path: path.clone(),
            content: None,
            from: None,
            by: By::Disk,
            at: clock::wall(),
        };
        // It is stored with the version that follows: a save does not wait for a disk twice.
        let stood = self.with_content(stood, hash).await;
        self.take(stood.into_iter().collect()).await;
    }

    async fn note(&self, changes: Vec<LocalChange>) {
        let (mut read, mut bytes) = (Vec::new(), 0);
        for change in self.worth_it(changes).await {
            let change = self.read(change).await;
            let content = change.as_ref().and_then(|change| change.content.as_ref());
            bytes += content.map_or(0, |content| content.bytes.len());
            read.extend(change);
            if bytes > READ_MAX {
                bytes = 0;
                self.take(std::mem::take(&mut read)).await;
                self.store().await;
            }
        }
        self.take(read).await;
    }

    /// Work goes on without a version that finds no room; the log has it.
    async fn take(&self, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.asked(|history| history.note(changes)).await.ok();
        }
    }

    async fn store(&self) {
        self.asked(History::store).await.ok();
    }

    /// Of very many changes at once, those of files that have versions.
    async fn worth_it(&self, mut changes: Vec<LocalChange>) -> Vec<LocalChange> {
        if changes.len() <= MANY {
            return changes;
        }
        let from = changes.iter().filter_map(|change| change.from.as_ref());
        let paths = changes.iter().map(|change| &change.path).chain(from);
        let paths: Vec<_> = paths.cloned().collect();
        let known = self.asked(move |history| history.knows(&paths)).await;
        let known: BTreeSet<_> = known.unwrap_or_default();
        let is_known = |path: &RelPath| known.contains(path);
        changes
            .retain(|change| is_known(&change.path) || change.from.as_ref().is_some_and(is_known));
        changes
    }

    /// A change with what stands there; `None` when that is too large, or something else by now, of which another word
    /// comes.
    async fn read(&self, change: LocalChange) -> Option<Change> {
        let gone = Change {
            path: change.path,
            content: None,
            from: change.from,
            by: change.by,
            at: change.at,
        };
        match change.entry.map(|entry| entry.node) {
            Some(Node::File { hash, .. }) => self.with_content(gone, hash).await,
            Some(Node::Folder | Node::Symlink { .. }) | None => Some(gone),
        }
    }

    async fn with_content(&self, change: Change, hash: ContentHash) -> Option<Change> {
        let files = self.engine.files();
        let content = files.read_within(&change.path, FILE_BYTES_MAX).await.ok()?;
        (content.hash == hash).then(|| Change {
            content: Some(content),
            ..change
        })
    }

    /// Asks the history beside everything else: it waits for a disk.
    async fn asked<T: Send + 'static>(
        &self,
        question: impl FnOnce(&History) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let history = Arc::clone(&self.history);
        let answer = tokio::task::spawn_blocking(move || question(&history)).await;
        let answer = answer.map_err(|_| Fault::from(LocalError::Ended))?;
        answer.map_err(|source| {
            let path = self.state.to_path_buf();
            CliError::Engine { path, source }.into()
        })
    }
}

/// `GET history?of=here`: the versions of a file that this computer keeps, all of them.
pub(super) async fn versions(local: &Local, asked: &Asked) -> Answer {
    let wish = asked.wish("path").unwrap_or_default();
    let path = RelPath::parse(&wish)?;
    let past = local.past();
    past.is_up_to_date().await;
    let versions = past.asked(move |history| history.versions(&path)).await?;
    let before = versions.iter().skip(1).map(Some).chain([None]);
    let shown = versions
        .iter()
        .zip(before)
        .map(|(version, before)| shown(version, before));
    answer::found(&Answered {
        versions: shown.collect(),
        next: None,
    })
}

fn shown(version: &Version, before: Option<&Version>) -> ShownVersion {
    let entry = version.file.map(|file| Entry {
        path: version.path.clone(),
        kind: Kind::File,
        size: file.size,
        hash: Some(file.hash),
        executable: file.executable,
        target: None,
        revision: version.number,
    });
    ShownVersion {
        kept: true,
        change: Shown {
            revision: version.number,
            path: version.path.clone(),
            entry,
            from: version.from.clone(),
            previous: before.and_then(|before| before.file).map(|file| file.hash),
            origin: files::origin(version.by),
            at: version.at.into(),
        },
    }
}

/// `GET files/{path}?of=here&revision=N`: the content of such a version.
pub(super) async fn content(local: &Local, asked: &Asked) -> Answer {
    let number = asked.number("revision")?.unwrap_or_default();
    let content = local.past().asked(move |history| history.content(number));
    let content = content.await?.ok_or_else(|| {
        let words = "This computer does not keep that version any more.";
        Fault::new(Code::ContentMissing, words)
    })?;
    let hash = ContentHash::of(&content);
    Ok(files::content_of(asked, content, hash))
}
