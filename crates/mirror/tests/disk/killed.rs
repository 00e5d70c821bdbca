//! An engine that is killed at any moment, two hundred times, under a program that writes and a hub that ends its
//! connections at any frame. After each kill every file is whole; at rest both sides are the same, and every version
//! that nobody replaced knowingly is still somewhere.
use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use slipway_core::path::RelPath;
use slipway_mirror::engine::Engine;
use slipway_mirror::follow::{Follow, Incoming, Outgoing};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};

use super::{reason, settings, tree, tree_of};
use crate::hub::Hub;
use crate::line;

const KILLS: u64 = 200;
/// Rounds from one rest to the next.
const ROUNDS: u64 = 5;
const PATHS: [&str; 7] = [
    "a.bin",
    "b.bin",
    "d/x.bin",
    "d/y.bin",
    "d/e/z.bin",
    "f",
    "g/h",
];

/// Chance from a seed (splitmix).
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
    fn path(&mut self) -> &'static str {
        PATHS[usize::try_from(self.next(PATHS.len() as u64)).unwrap()]
    }
}

/// A version's bytes: told by its number alone, no text that could be merged, small or too large to come along.
fn version(number: u64) -> Bytes {
    let mut chance = Chance(number);
    let length = if chance.next(4) == 0 {
        200_000
    } else {
        chance.next(3_000)
    };
    let mut bytes = format!("version {number}\0").into_bytes();
    while (bytes.len() as u64) < length {
        bytes.extend_from_slice(&chance.next(u64::MAX).to_le_bytes());
    }
    bytes.into()
}

/// The number of a whole version; `None` for what is none, or not whole.
fn number(bytes: &[u8]) -> Option<u64> {
    let text = bytes.strip_prefix(b"version ")?;
    let end = text.iter().position(|byte| *byte == 0)?;
    let number = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    (version(number) == bytes).then_some(number)
}

struct World {
    folder: TempDir,
    hub: Hub,
    chance: Chance,
    made: u64,
    /// Versions that nobody replaced or deleted knowingly.
    alive: BTreeSet<u64>,
}

impl World {
    fn root(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn version(&mut self) -> Bytes {
        self.made += 1;
        self.alive.insert(self.made);
        version(self.made)
    }

    fn replaced(&mut self, bytes: &[u8]) {
        if let Some(number) = number(bytes) {
            self.alive.remove(&number);
        }
    }

    /// A program saves, writes in place, renames or deletes; it knows exactly what it took away.
    fn program(&mut self) {
        let path = self.root().join(self.chance.path());
        if std::fs::create_dir_all(path.parent().unwrap()).is_err() {
            return;
        }
        match self.chance.next(6) {
            0 => self.delete(&path),
            1 => self.in_place(&path),
            2 => {
                let to = self.root().join(self.chance.path());
                // Nothing may stand there, and its folder may be missing.
                renameat_with(CWD, &path, CWD, &to, RenameFlags::NOREPLACE).ok();
            }
            _ => self.save(&path),
        }
    }

    /// Writes beside, outside of the folder, and puts it in place at once.
    fn save(&mut self, path: &Path) {
        let side = self.folder.path().join("side");
        let made = self.version();
        std::fs::write(&side, &made).unwrap();
        if path.is_dir() {
            return self.replaced(&made);
        }
        if renameat_with(CWD, &side, CWD, path, RenameFlags::NOREPLACE).is_ok() {
            return;
        }
        match renameat_with(CWD, &side, CWD, path, RenameFlags::EXCHANGE) {
            Ok(()) => {
                let old = std::fs::read(&side).unwrap();
                self.replaced(&old);
            }
            // The engine took it away between the two.
            Err(_) => self.replaced(&made),
        }
    }

    fn delete(&mut self, path: &Path) {
        let side = self.folder.path().join("side");
        std::fs::remove_file(&side).ok();
        if path.is_file() && std::fs::rename(path, &side).is_ok() {
            let old = std::fs::read(&side).unwrap();
            self.replaced(&old);
        }
    }

    fn in_place(&mut self, path: &Path) {
        let opened = std::fs::File::options().read(true).write(true).open(path);
        let Ok(mut file) = opened else { return };
        let mut old = Vec::new();
        file.read_to_end(&mut old).unwrap();
        let made = self.version();
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(&made).unwrap();
        self.replaced(&old);
    }

    /// A person edits or deletes at the hub.
    fn person(&mut self) {
        let path = RelPath::parse(self.chance.path()).unwrap();
        let old = self.hub.content(&path);
        let text = (self.chance.next(4) > 0).then(|| self.version());
        let made = text.clone();
        self.hub.edit(&path, text);
        // What could not be is not there.
        if made.is_none() || self.hub.content(&path) == made {
            old.iter().for_each(|old| self.replaced(old));
        } else if let Some(made) = made {
            self.replaced(&made);
        }
    }

    fn engine(&self) -> Killed {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "killed::the_engine", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let folder = self.folder.path().to_str().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{folder}").unwrap();
        Killed(child)
    }

    fn files(&self) -> Vec<Vec<u8>> {
        let kept = self.folder.path().join("state/files/recovered");
        let mut files: Vec<_> = tree(&self.root()).into_values().flatten().collect();
        if kept.exists() {
            files.extend(tree(&kept).into_values().flatten());
        }
        files
    }

    fn check_whole(&self, round: u64) {
        for (name, content) in tree(&self.root()) {
            if let Some(content) = content {
                let begin = &content[..content.len().min(24)];
                assert!(
                    number(&content).is_some(),
                    "round {round}: {name} is not whole: {} bytes, {begin:?}",
                    content.len()
                );
            }
        }
    }

    fn check_rest(&self, round: u64) {
        let (disk, hub) = (tree(&self.root()), tree_of(&self.hub));
        let names = |tree: &std::collections::BTreeMap<String, Option<Vec<u8>>>| {
            let numbers = tree.iter().map(|(name, content)| {
                (
                    name.clone(),
                    content.as_ref().map(|content| number(content)),
                )
            });
            numbers.collect::<Vec<_>>()
        };
        assert_eq!(names(&disk), names(&hub), "round {round}: in step");
        let there: BTreeSet<_> = self
            .files()
            .iter()
            .filter_map(|file| number(file))
            .collect();
        let lost: Vec<_> = self.alive.difference(&there).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
    }
}

/// A process that ends as `kill -9` ends one.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_and_tear_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("work")).unwrap();
    let hub = Hub::default();
    let listener = UnixListener::bind(folder.path().join("hub")).unwrap();
    let served = hub.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let hub = served.clone();
            tokio::spawn(async move { hub.serve(line::hubs_ends(stream)).await });
        }
    });
    let (chance, made, alive) = (Chance(7), 0, BTreeSet::new());
    let mut world = World {
        folder,
        hub,
        chance,
        made,
        alive,
    };
    for round in 0..KILLS {
        let engine = world.engine();
        if world.chance.next(2) == 0 {
            world.hub.end_after(world.chance.next(12));
        }
        for _ in 0..world.chance.next(14) {
            match world.chance.next(3) {
                0 => world.person(),
                _ => world.program(),
            }
            let moment = Duration::from_millis(world.chance.next(6));
            tokio::time::sleep(moment).await; // waits: any moment may be the one before the kill
        }
        drop(engine);
        world.check_whole(round);
        if round % ROUNDS == ROUNDS - 1 {
            let _engine = world.engine();
            world.hub.rest().await;
            world.check_whole(round);
            world.check_rest(round);
        }
    }
}

/// Not a test: what the test above runs as a process of its own. It reads the folder from its input.
#[tokio::test]
#[ignore = "the process of another test"]
async fn the_engine() {
    let mut folder = String::new();
    std::io::stdin().read_line(&mut folder).unwrap();
    if folder.trim().is_empty() {
        return;
    }
    let folder = PathBuf::from(folder.trim());
    let engine = Engine::start(settings(&folder)).unwrap();
    let socket = folder.join("hub");
    let _follow = Follow::start(engine.clone(), move |outgoing: Outgoing| {
        let socket = socket.clone();
        async move {
            let stream = UnixStream::connect(&socket).await.map_err(|_| reason())?;
            let (control, bulk) = line::engines_ends(stream, outgoing.control, outgoing.bulk);
            Ok(Incoming {
                control,
                bulk,
                ended: Box::pin(std::future::ready(reason())),
            })
        }
    });
    std::future::pending::<()>().await;
}
