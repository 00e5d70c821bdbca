//! The session's copy of the files with a real agent in its sandbox: what programs write reaches the hub by itself,
//! what the hub has reaches the disk whole, and nothing is lost where both meet.
use bytes::Bytes;
use slipway_api::file::{Commit, Entry, Kind, Operation};
use slipway_api::run::{RunState, RunTarget, StartRun};
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::id::WorkspaceId;

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

async fn names(client: &Client, workspace: WorkspaceId) -> Vec<String> {
    let tree = client.tree(workspace).await.expect("a tree");
    let path = |entry: Entry| entry.path.to_string();
    tree.entries.into_iter().map(path).collect()
}

/// Waits until the workspace's files are as wanted; events say when to look again.
async fn until(
    client: &Client,
    socket: &Socket,
    workspace: WorkspaceId,
    wanted: impl Fn(&[String]) -> bool,
) -> Vec<String> {
    let mut events = socket.events(Some(workspace)).await.expect("events");
    let waited = async {
        loop {
            let names = names(client, workspace).await;
            if wanted(&names) {
                return names;
            }
            events.recv().await.expect("events go on");
        }
    };
    tokio::time::timeout(PATIENCE, waited)
        .await
        .expect("in time")
}

async fn run(client: &Client, socket: &Socket, workspace: WorkspaceId, line: &str) -> String {
    let run = client
        .command(workspace, line)
        .await
        .expect("the run goes on");
    let done = client.finished(socket, workspace, run.id).await;
    assert_eq!(done.state, RunState::Done, "{:?}", done.reason);
    let output = client.run_output(run.id).await.expect("the run goes on");
    String::from_utf8_lossy(&output).replace("\r\n", "\n")
}

#[tokio::test]
async fn what_a_program_writes_reaches_the_workspace_without_a_run_and_ignored_trees_stay_out() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let mut shell = ana.shell(&socket, session.id).await;
    // As a package manager and a version control system write: many fresh nested folders, some of them ignored.
    let line = "mkdir -p app/a/b/c node_modules/x/y .git/objects && echo 1 > node_modules/x/y/i.js && echo 2 > .git/HEAD \
                && echo deep > app/a/b/c/deep.txt && echo 'data/' > .slipwayignore && mkdir data && echo big > data/x.bin\r";
    shell.write(line.as_bytes()).await.unwrap();
    let found = until(&ana, &socket, workspace, |names| {
        names.iter().any(|name| name == "app/a/b/c/deep.txt")
            && names.iter().any(|name| name == ".slipwayignore")
    })
    .await;
    let out = |name: &String| {
        !["node_modules", ".git", "data"]
            .iter()
            .any(|root| name.starts_with(root))
    };
    assert!(found.iter().all(out), "{found:?}");
}

#[tokio::test]
async fn a_repository_is_cloned_into_the_workspace_and_cleaning_it_harms_nothing() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let line = "git init -q /tmp/origin && cd /tmp/origin && echo one > a.txt && git add . \
                && git -c user.name=a -c user.email=a@example.org commit -q -m one \
                && cd /workspace && git clone -q /tmp/origin . && git clean -fdxq && ls -A1";
    let output = run(&ana, &socket, workspace, line).await;
    assert_eq!(
        output, ".git\na.txt\n",
        "nothing of ours lies among the files"
    );
    assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), "one\n");
    ana.write_file(workspace, "b.txt", None, Bytes::from_static(b"two"))
        .await
        .unwrap();
    assert_eq!(run(&ana, &socket, workspace, "cat b.txt").await, "two");
}

#[tokio::test]
async fn a_run_starts_on_the_whole_of_a_revision_however_large_it_is() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    ana.started(&socket, workspace).await;
    let commit = many_files(1_800);
    let revision = ana.commit(workspace, &commit).await.unwrap().revision;
    let target = RunTarget::Command {
        line: "ls many | wc -l".to_owned(),
    };
    let start = StartRun {
        target,
        revision: Some(revision),
        cols: None,
        rows: None,
    };
    let run = ana.start_run(workspace, &start).await.unwrap();
    let done = ana.finished(&socket, workspace, run.id).await;
    assert_eq!(done.state, RunState::Done, "{:?}", done.reason);
    assert_eq!(ana.run_output(run.id).await.unwrap(), "1800\r\n");
}

/// A commit of many files, more than one frame of changes takes.
fn many_files(many: usize) -> Commit {
    let write = |n: usize| Operation {
        path: format!("many/f{n:04}.txt"),
        expect: None,
        kind: Some(Kind::File),
        hash: None,
        text: Some(format!("file {n}")),
        base64: None,
        executable: false,
        target: None,
        from: None,
    };
    Commit {
        batch: "many".to_owned(),
        operations: (0..many).map(write).collect(),
        atomic: true,
    }
}

#[tokio::test]
async fn a_killed_server_leaves_nothing_half_done() {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let mut shell = ana.shell(&socket, session.id).await;
    // Changes in both directions are under way when the server dies.
    let line = b"for i in $(seq 400); do echo $i > own$i.txt; done; echo all | tee own-done.txt\r";
    shell.write(line).await.unwrap();
    ana.commit(workspace, &many_files(1_800)).await.unwrap();
    lab.kill();
    drop((socket, shell));
    lab.restart(true).await;
    let ana = lab.again(&ana);
    let socket = Socket::connect(&ana).await.unwrap();
    let output = run(&ana, &socket, workspace, "ls many | wc -l; cat own400.txt").await;
    assert_eq!(output, "1800\n400\n");
    let found = until(&ana, &socket, workspace, |names| {
        names.iter().filter(|name| name.starts_with("own")).count() == 401
    })
    .await;
    assert_eq!(
        found
            .iter()
            .filter(|name| name.starts_with("many/"))
            .count(),
        1_800
    );
    assert!(
        found.iter().all(|name| !name.contains("conflict")),
        "{found:?}"
    );
}

#[tokio::test]
async fn deletions_in_the_workspace_take_caches_along_and_a_recreated_folder_is_followed() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    ana.write_file(workspace, "pkg/m.py", None, Bytes::from_static(b"x = 1\n"))
        .await
        .unwrap();
    run(
        &ana,
        &socket,
        workspace,
        "python3 -c 'import pkg.m' && ls pkg/__pycache__",
    )
    .await;
    let mut gone = many_files(1);
    gone.operations[0] = Operation {
        path: "pkg".to_owned(),
        kind: None,
        text: None,
        ..gone.operations[0].clone()
    };
    ana.commit(workspace, &gone).await.unwrap();
    assert_eq!(run(&ana, &socket, workspace, "ls").await, "");
    run(
        &ana,
        &socket,
        workspace,
        "mkdir out && echo 1 > out/one.txt",
    )
    .await;
    run(
        &ana,
        &socket,
        workspace,
        "rm -rf out && mkdir out && echo 2 > out/two.txt",
    )
    .await;
    assert_eq!(names(&ana, workspace).await, ["out", "out/two.txt"]);
    let session = ana.session(workspace).await.unwrap().unwrap();
    let mut shell = ana.shell(&socket, session.id).await;
    shell.write(b"echo 3 > out/three.txt\r").await.unwrap();
    until(&ana, &socket, workspace, |names| {
        names.iter().any(|name| name == "out/three.txt")
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_holds_up_no_run() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let line = "(umask 777; echo s > locked); echo ok > open.txt";
    run(&ana, &socket, workspace, line).await;
    assert_eq!(names(&ana, workspace).await, ["open.txt"]);
    run(&ana, &socket, workspace, "chmod 644 locked").await;
    assert_eq!(ana.read_file(workspace, "locked").await.unwrap(), "s\n");
}
