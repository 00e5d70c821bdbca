//! An engine that never hears of any hub, and what a person asks of it.
use super::person::path;
use super::*;
use crate::local::{Expect, LocalAct, LocalError, LocalOperation, LocalOutcome};

/// A folder that no hub was ever connected to.
pub(super) struct Alone {
    pub(super) folder: TempDir,
    pub(super) engine: Engine,
}

impl Alone {
    pub(super) fn open() -> Self {
        Self::on(tempfile::tempdir().unwrap())
    }

    pub(super) fn on(folder: TempDir) -> Self {
        std::fs::create_dir_all(folder.path().join("work")).unwrap();
        let settings = Settings {
            root: folder.path().join("work"),
            state: folder.path().join("state"),
            name: "laptop".into(),
            fresh_id: "root-1".into(),
            brake: Brake::Ask,
            undo: true,
        };
        let engine = Engine::start(settings).unwrap();
        Self { folder, engine }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.file(name)).ok()
    }

    pub(super) async fn write(
        &self,
        name: &str,
        text: &str,
        expect: Expect,
    ) -> Result<u64, LocalError> {
        let written = self.engine.write(
            path(name),
            Bytes::copy_from_slice(text.as_bytes()),
            expect,
            None,
        );
        written.await.map(|written| written.count)
    }

    pub(super) async fn one(&self, name: &str, expect: Expect, act: LocalAct) -> LocalOutcome {
        let path = path(name);
        let operation = LocalOperation { path, expect, act };
        let mut commit = self.engine.commit(vec![operation], false).await.unwrap();
        commit.outcomes.pop().unwrap()
    }

    pub(super) async fn names(&self) -> Vec<String> {
        let tree = self.engine.tree().await.unwrap();
        tree.entries
            .iter()
            .map(|entry| entry.path.to_string())
            .collect()
    }
}
