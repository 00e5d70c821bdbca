//! Engines on real folders, as processes that are killed, beside programs that write as editors do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use slipway_mirror::engine::{Brake, Engine, Settings};
use slipway_mirror::follow::{Follow, Incoming, Outgoing, Reason};
use tempfile::TempDir;
use tokio::sync::mpsc;

use hub::{Ends, Hub};

mod checkout;
mod editors;
mod full;
mod hub;
mod killed;
mod large;
mod line;

/// A folder whose engine runs in this process and follows a hub.
struct Seat {
    folder: TempDir,
    hub: Hub,
    engine: Engine,
    _follow: Follow,
}

fn settings(folder: &Path) -> Settings {
    Settings {
        root: folder.join("work"),
        state: folder.join("state"),
        name: "laptop".into(),
        fresh_id: "root-1".into(),
        brake: Brake::Tell,
        undo: true,
    }
}

/// Frames that wait in either direction.
const FRAMES: usize = 16;

fn reason() -> Reason {
    Reason {
        code: None,
        message: "the hub ended it".to_owned(),
    }
}

/// Follows a hub of this process.
fn follow(engine: &Engine, hub: &Hub) -> Follow {
    let hub = hub.clone();
    Follow::start(engine.clone(), move |outgoing: Outgoing| {
        let hub = hub.clone();
        async move {
            let (to_control, control) = mpsc::channel(FRAMES);
            let (to_bulk, bulk) = mpsc::channel(FRAMES);
            let ends = Ends {
                from_control: outgoing.control,
                from_bulk: outgoing.bulk,
                to_control,
                to_bulk,
            };
            tokio::spawn(async move { hub.serve(ends).await });
            Ok(Incoming {
                control,
                bulk,
                ended: Box::pin(std::future::ready(reason())),
            })
        }
    })
}

impl Seat {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        Self::on(folder)
    }

    fn on(folder: TempDir) -> Self {
        let hub = Hub::default();
        let engine = Engine::start(settings(folder.path())).unwrap();
        let follow = follow(&engine, &hub);
        Self {
            folder,
            hub,
            engine,
            _follow: follow,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.file(name).parent().unwrap()).unwrap();
        std::fs::write(self.file(name), text).unwrap();
    }
}

/// Everything below a folder but what never syncs, with what it holds; folders without.
fn tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    fn walk(root: &Path, folder: &Path, all: &mut BTreeMap<String, Option<Vec<u8>>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            if name == ".git" {
                continue;
            }
            let is_folder = path.is_dir();
            let content = (!is_folder).then(|| std::fs::read(&path).unwrap());
            all.insert(name.to_owned(), content);
            if is_folder {
                walk(root, &path, all);
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(root, root, &mut all);
    all
}

/// The same of a hub.
fn tree_of(hub: &Hub) -> BTreeMap<String, Option<Vec<u8>>> {
    let inner = hub.inner();
    let content = |hash| inner.contents[&hash].to_vec();
    let nodes = inner.tree.iter();
    nodes
        .map(|(path, node)| (path.to_string(), node.hash().map(content)))
        .collect()
}
