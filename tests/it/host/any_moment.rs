//! A server that is killed at any moment, two hundred times, under a folder that follows it and a person who saves: what
//! it acknowledged stays, and both sides end up the same.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use std::collections::BTreeMap;
use std::time::Duration;

use slipway_api::file::Kind;
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use slipway_core::id::WorkspaceId;
use slipway_tests::bench::workload::Seeded;

use super::Home;
use crate::mirror::folder::Folder;

const KILLS: u64 = 200;
/// Kills from one comparison to the next.
const ROUNDS: u64 = 20;
/// The latest moment of a kill, in microseconds: to dial, a batch and several saves fit into it.
const LATEST_US: u64 = 120_000;

/// What a person saved: the last text of each file that was acknowledged, and the one that had no answer.
#[derive(Default)]
struct Saved {
    acknowledged: BTreeMap<String, String>,
    unanswered: BTreeMap<String, String>,
}

impl Saved {
    /// Saves one file after the other until nobody answers.
    async fn go_on(mut self, ana: Client, workspace: WorkspaceId, kill: u64) -> Self {
        for number in 0.. {
            let path = format!("person/{}.txt", number % 9);
            let text = format!("save {number} before kill {kill}\n");
            let saved = ana.write_file(workspace, &path, None, text.clone().into());
            if saved.await.is_err() {
                self.unanswered.insert(path, text);
                break;
            }
            self.unanswered.remove(&path);
            self.acknowledged.insert(path, text);
        }
        self
    }

    fn is_in(&self, tree: &BTreeMap<String, String>) -> bool {
        self.acknowledged.iter().all(|(path, text)| {
            let now = tree.get(path);
            now == Some(text) || now.is_some() && now == self.unanswered.get(path)
        })
    }
}

async fn texts(ana: &Client, workspace: WorkspaceId) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in ana.tree(workspace).await.unwrap().entries {
        if entry.kind == Kind::File {
            let path = entry.path.to_string();
            let bytes = ana.read_file(workspace, &path).await.unwrap();
            all.insert(path, String::from_utf8(bytes.to_vec()).unwrap());
        }
    }
    all
}

#[tokio::test]
async fn a_server_that_is_killed_two_hundred_times_keeps_what_it_acknowledged() {
    let mut home = Home::start().await;
    let mut ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let folder = Folder::open(&ana, workspace);
    let mut saved = Saved::default();
    let (mut made, mut moments) = (BTreeMap::new(), Seeded::new(1));
    for kill in 0..KILLS {
        let person = tokio::spawn(saved.go_on(ana.clone(), workspace, kill));
        // Now and then one that does not come along with its batch.
        let many = if kill % 4 == 0 { 20_000 } else { 1 };
        let text = format!("program before kill {kill}\n").repeat(many);
        let path = format!("program/{}.txt", kill % 7);
        folder.write(&path, &text);
        made.insert(path, text);
        let moment = Duration::from_micros(moments.below(LATEST_US));
        tokio::time::sleep(moment).await; // waits: chance says when the server is killed
        home.server.take().unwrap().kill().await.unwrap();
        saved = person.await.unwrap();
        home.again().await;
        ana = home.same(&ana);
        folder.dials(&ana);
        if (kill + 1) % ROUNDS == 0 {
            folder.shows(folder.flush().await).await;
            let tree = texts(&ana, workspace).await;
            assert_eq!(folder.tree(), tree, "after kill {kill}");
            assert!(saved.is_in(&tree), "after kill {kill}: {tree:?}");
            assert!(made.iter().all(|(path, text)| tree.get(path) == Some(text)));
        }
    }
}
