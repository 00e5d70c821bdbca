//! A folder and a server of different versions: the one knows less, or says more, than the other.
use bytes::Bytes;
use slipway_client::rest::Client;
use slipway_core::id::WorkspaceId;

use super::age::Age;
use super::folder::Folder;
use crate::journey::Journey as _;
use crate::lab::Lab;

/// Of a file that goes along with its batch; twelve of them take more frames than one.
const SMALL_BYTES: usize = 100 << 10;
const LARGE_BYTES: usize = 12 << 20;

struct Scene {
    _lab: Lab,
    ana: Client,
    workspace: WorkspaceId,
    here: Folder,
    there: Folder,
}

impl Scene {
    async fn of(age: Age) -> Self {
        let lab = Lab::start().await;
        let ana = lab.user("ana").await;
        let workspace = ana.empty_workspace().await;
        Self {
            here: Folder::of(age, &ana, workspace),
            there: Folder::of(age, &ana, workspace),
            _lab: lab,
            ana,
            workspace,
        }
    }

    /// Many small files go there and come back changed.
    async fn small_files(&self) {
        let (here, there) = (&self.here, &self.there);
        for n in 0..12 {
            let text = format!("{n}\n").repeat(SMALL_BYTES / 3);
            here.write(&format!("small/{n}.txt"), &text);
        }
        there.shows(here.flush().await).await;
        assert_eq!(there.tree().len(), 12);
        std::fs::rename(there.path("small"), there.path("renamed")).expect("renamed");
        there.write("renamed/0.txt", "changed\n");
        there.remove("renamed/1.txt");
        here.shows(there.flush().await).await;
        assert_eq!(here.tree(), there.tree());
        assert_eq!(here.tree().len(), 11);
        assert_eq!(here.read("renamed/0.txt"), "changed\n");
    }

    /// A large file goes there; what a change inside of it then costs on its way up, and on its way down.
    async fn large_file(&self) -> (u64, u64) {
        let (here, there) = (&self.here, &self.there);
        let mut large = noise();
        std::fs::write(here.path("large.bin"), &large).expect("written");
        there.shows(here.flush().await).await;
        let before = (here.sent(), there.got());
        large[LARGE_BYTES / 2..][..4_096].fill(7);
        std::fs::write(here.path("large.bin"), &large).expect("written");
        there.shows(here.flush().await).await;
        for folder in [here, there] {
            assert!(std::fs::read(folder.path("large.bin")).expect("a file") == large);
        }
        (here.sent() - before.0, there.got() - before.1)
    }

    /// A download breaks off and is whole all the same; how much came for it.
    async fn broken_download(&self) -> u64 {
        let before = self.here.got();
        // Of 48 pieces.
        self.here.breaks_after(30);
        let down = Bytes::from(noise().split_off(4));
        let written = self
            .ana
            .write_file(self.workspace, "down.bin", None, down.clone())
            .await;
        self.here.shows(written.expect("written").revision).await;
        assert!(!self.here.is_to_break());
        assert!(std::fs::read(self.here.path("down.bin")).expect("a file") == down);
        self.here.got() - before
    }

    /// Nothing was said that would not have been understood, and nothing happened that a person would have to look at.
    async fn is_well(&self) {
        for folder in [&self.here, &self.there] {
            assert_eq!(folder.odd(), 0);
            assert!(folder.engine.conflicts().await.expect("it runs").is_empty());
        }
    }
}

/// Bytes that no two pieces have in common.
fn noise() -> Vec<u8> {
    let words = 0..(LARGE_BYTES / 4) as u32;
    let words = words.flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes());
    words.collect()
}

#[tokio::test]
async fn with_one_of_the_first_version_all_arrives_and_costs_what_it_did_then() {
    let scene = Scene::of(Age::First).await;
    scene.small_files().await;
    let whole = LARGE_BYTES as u64;
    assert_eq!(scene.large_file().await, (whole, whole));
    // From the beginning again.
    assert!(scene.broken_download().await > whole + whole / 2);
    scene.is_well().await;
}

#[tokio::test]
async fn with_one_of_the_next_version_all_arrives_and_what_is_not_known_is_passed_over() {
    let scene = Scene::of(Age::Next).await;
    scene.small_files().await;
    let (up, down) = scene.large_file().await;
    assert!(up.max(down) <= 1 << 20, "{up} {down}");
    assert!(scene.broken_download().await <= LARGE_BYTES as u64 + (1 << 20));
    scene.is_well().await;
}
