//! Contents have a connection of their own: while that one stands still, what a person waits for goes on over the other.
use std::time::Duration;

use slipway_client::rest::Client;
use slipway_core::id::WorkspaceId;
use slipway_mirror::follow::Standing;

use super::folder::Folder;
use crate::journey::Journey as _;
use crate::lab::Lab;
use crate::way::Way;

const LARGE_BYTES: usize = 60 << 20;
/// What a connection carries before it stands still: a part of a large file, and many times what saves take.
const CARRIED_BYTES: u64 = 2 << 20;
/// A connection that stands still is found dead after 25 seconds, and what waits goes by the next one.
const BEFORE_THE_NEXT: Duration = Duration::from_secs(20);

/// Two folders of a workspace, of which one has a way to the server on which connections can be held up.
struct Scene {
    _lab: Lab,
    ana: Client,
    workspace: WorkspaceId,
    way: Way,
    here: Folder,
    there: Folder,
}

impl Scene {
    async fn set() -> Self {
        let lab = Lab::start().await;
        let ana = lab.user("ana").await;
        let workspace = ana.empty_workspace().await;
        let way = Way::to(lab.base()).await;
        let near = Client::new(&way.base).expect("a client");
        let near = near.with_token(ana.token().expect("signed in").clone());
        let here = Folder::open(&near, workspace);
        here.stands(|standing| *standing == Standing::Online).await;
        way.holds_after(CARRIED_BYTES);
        Self {
            there: Folder::open(&ana, workspace),
            _lab: lab,
            ana,
            workspace,
            way,
            here,
        }
    }

    /// Saves go both ways, one after another.
    async fn saves_pass(&self) {
        let (here, there) = (&self.here, &self.there);
        let saves = async {
            for n in 0..3 {
                here.write("small.txt", &format!("here {n}\n"));
                there
                    .until(|tree| tree.get("small.txt") == Some(&format!("here {n}\n")))
                    .await;
                there.write("back.txt", &format!("there {n}\n"));
                here.until(|tree| tree.get("back.txt") == Some(&format!("there {n}\n")))
                    .await;
            }
        };
        let passed = tokio::time::timeout(BEFORE_THE_NEXT, saves).await;
        passed.expect("they wait for nothing");
    }

    async fn names(&self) -> Vec<String> {
        let tree = self.ana.tree(self.workspace).await.expect("a tree");
        let names = tree.entries.iter().map(|entry| entry.path.to_string());
        names.collect()
    }
}

/// No two pieces of it are alike.
fn large() -> Vec<u8> {
    let mut large = vec![7; LARGE_BYTES];
    for (n, piece) in large.chunks_mut(1_024).enumerate() {
        piece[..8].copy_from_slice(&n.to_le_bytes());
    }
    large
}

#[tokio::test]
async fn a_large_file_on_its_way_to_the_server_holds_up_no_save() {
    let scene = Scene::set().await;
    std::fs::write(scene.here.path("large.bin"), large()).unwrap();
    scene.way.is_held().await;
    scene.saves_pass().await;
    assert_eq!(scene.names().await, ["back.txt", "small.txt"]);
    scene.way.lets_go();
    scene.there.shows(scene.here.flush().await).await;
    assert_eq!(scene.names().await, ["back.txt", "large.bin", "small.txt"]);
    assert!(std::fs::read(scene.there.path("large.bin")).unwrap() == large());
}

#[tokio::test]
async fn a_large_file_on_its_way_from_the_server_holds_up_no_save() {
    let scene = Scene::set().await;
    let written = scene
        .ana
        .write_file(scene.workspace, "large.bin", None, large().into())
        .await;
    scene.way.is_held().await;
    scene.saves_pass().await;
    assert!(!scene.here.path("large.bin").exists());
    scene.way.lets_go();
    scene.here.shows(written.unwrap().revision).await;
    assert!(std::fs::read(scene.here.path("large.bin")).unwrap() == large());
}
