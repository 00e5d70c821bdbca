//! Folders on this desk: cloned, kept in step, told of, and refused.
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal};
use slipway_client::rest::Client;
use slipway_core::id::WorkspaceId;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use super::desk::Desk;
use super::signed_in;
use crate::lab::PATIENCE;

/// A folder that is being kept in step, and what is told of it.
struct Mirror {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// How it stood when that was told last.
    stood: serde_json::Value,
}

impl Mirror {
    fn start(desk: &Desk, workspace: &str, dir: &str) -> Self {
        let mut child = desk
            .command(&["mirror", workspace, dir, "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
            stood: serde_json::Value::Null,
        }
    }

    /// Waits for something that is told; how it stands is told only when that changes, so what was told last counts.
    async fn until(&mut self, is: impl Fn(&serde_json::Value) -> bool) {
        let found = async {
            if is(&self.stood) {
                return;
            }
            while let Some(line) = self.lines.next_line().await.expect("lines") {
                let told: serde_json::Value = serde_json::from_str(&line).expect("an object");
                let found = is(&told);
                if told["event"] == "stand" {
                    self.stood = told;
                }
                if found {
                    return;
                }
            }
            panic!("it ended before");
        };
        tokio::time::timeout(PATIENCE, found)
            .await
            .expect("in time");
    }

    async fn stands(&mut self, state: &str) {
        self.until(|told| told["stand"]["state"] == state).await;
    }

    async fn shows(&mut self, revision: u64) {
        self.until(|told| told["stand"]["revision"].as_u64() >= Some(revision))
            .await;
    }

    /// Ctrl-C; the exit code.
    async fn interrupted(mut self) -> Option<i32> {
        let pid = Pid::from_raw(self.child.id().expect("it runs").cast_signed());
        rustix::process::kill_process(pid.expect("a process"), Signal::INT).expect("it runs");
        self.ended().await
    }

    async fn ended(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("in time").expect("an end").code()
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}: {}", path.display()))
}

#[tokio::test]
async fn a_clone_has_all_files_and_is_kept_in_step_from_there() {
    let (_lab, ana, workspace, desk) = signed_in().await;
    ana.write_file(workspace, "src/a.txt", None, "one\n".into())
        .await
        .unwrap();
    let cloned = desk.slipway(&["clone", "tides", "--json"]).await;
    assert_eq!(cloned.code, 0, "{cloned:?}");
    assert_eq!(read(&desk.path("tides/src/a.txt")), "one\n");

    // Changed while nobody looks, on both sides.
    std::fs::write(desk.path("tides/src/b.txt"), "mine\n").unwrap();
    let theirs = ana
        .write_file(workspace, "c.txt", None, "theirs\n".into())
        .await
        .unwrap();
    let mut mirror = Mirror::start(&desk, "tides", "tides");
    mirror.stands("connected").await;
    mirror.shows(theirs.revision + 1).await;
    assert_eq!(read(&desk.path("tides/c.txt")), "theirs\n");
    let told = desk.slipway(&["status", "tides", "--json"]).await;
    assert_eq!(told.objects()[0]["stand"]["state"], "connected", "{told:?}");
    let second = desk.slipway(&["mirror", "tides", "tides", "--json"]).await;
    assert_eq!(
        (second.code, second.error_code()),
        (7, "folder_in_use".to_owned())
    );
    assert_eq!(mirror.interrupted().await, Some(0));
    let told = desk.slipway(&["status", "--json"]).await;
    assert_eq!(told.objects()[0]["stand"]["state"], "stopped", "{told:?}");
    assert_eq!(
        ana.read_file(workspace, "src/b.txt").await.unwrap(),
        "mine\n"
    );
}

async fn rename(ana: &Client, workspace: WorkspaceId, name: &str) {
    let request = ana.request(reqwest::Method::PATCH, &format!("/workspaces/{workspace}"));
    let renamed = ana.send(request.json(&serde_json::json!({ "name": name })));
    renamed.await.expect("renamed");
}

#[tokio::test]
async fn a_workspace_that_is_renamed_is_called_so_by_every_command_and_its_folder_stays() {
    let (mut lab, ana, workspace, desk) = signed_in().await;
    assert_eq!(desk.slipway(&["clone", "tides", "d"]).await.code, 0);
    let path = desk.path("d").canonicalize().unwrap().display().to_string();
    rename(&ana, workspace, "moon").await;
    // Nobody keeps it in step, so nobody has heard of it before.
    let told = desk.slipway(&["status"]).await;
    assert_eq!(
        told.stdout,
        format!("{path}\n  moon: not kept in step now\n"),
        "{told:?}"
    );
    rename(&ana, workspace, "sun").await;
    let listed = desk.slipway(&["workspaces", "--json"]).await;
    let listed = &listed.objects()[0];
    assert_eq!(
        (&listed["name"], &listed["folders"][0]),
        (&"sun".into(), &path.clone().into())
    );
    // The name that it had when it was taken is nobody's any more.
    let old = desk.slipway(&["mirror", "tides", "d", "--json"]).await;
    assert_eq!(
        (old.code, old.error_code()),
        (5, "workspace_unknown".to_owned())
    );
    let mut mirror = Mirror::start(&desk, "sun", "d");
    mirror.stands("connected").await;
    rename(&ana, workspace, "sea").await;
    mirror.until(|told| told["name"] == "sea").await;
    lab.stop().await;
    mirror.stands("offline").await;
    let told = desk.slipway(&["status", "d", "--json"]).await;
    let folder = &told.objects()[0]["folder"];
    assert_eq!(
        (&folder["name"], &folder["path"]),
        (&"sea".into(), &path.into())
    );
    assert_eq!(mirror.interrupted().await, Some(0));
    let told = desk.slipway(&["status", "d"]).await;
    assert!(
        told.code == 0 && told.stdout.contains("sea: not kept"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_run_inside_a_folder_has_what_was_just_saved_there() {
    let (_lab, _ana, _workspace, desk) = signed_in().await;
    assert_eq!(desk.slipway(&["clone", "tides"]).await.code, 0);
    let run = |desk: &Desk| {
        let mut command = desk.command(&["run", "tides", "--", "cat", "a.txt"]);
        command.current_dir(desk.path("tides"));
        super::desk::said(command, "")
    };
    // Nobody keeps it in step: the run does it once.
    std::fs::write(desk.path("tides/a.txt"), "one\n").unwrap();
    let first = run(&desk).await;
    assert_eq!(
        (first.code, first.stdout.as_str()),
        (0, "one\n"),
        "{first:?}"
    );
    // Somebody does, and is asked.
    let mut mirror = Mirror::start(&desk, "tides", "tides");
    mirror.stands("connected").await;
    std::fs::write(desk.path("tides/a.txt"), "two\n").unwrap();
    let second = run(&desk).await;
    assert_eq!(
        (second.code, second.stdout.as_str()),
        (0, "two\n"),
        "{second:?}"
    );
    assert_eq!(mirror.interrupted().await, Some(0));
}

#[tokio::test]
async fn edits_without_a_server_wait_for_it_and_what_does_not_go_together_is_listed() {
    let (mut lab, ana, workspace, desk) = signed_in().await;
    let way = crate::way::Way::to(lab.base()).await;
    let login = desk
        .login(&way.base, "ana@example.org", super::desk::PASSWORD, &[])
        .await;
    assert_eq!(login.code, 0, "{login:?}");
    let base = ana
        .write_file(workspace, "a.txt", None, "begin\n".into())
        .await
        .unwrap();
    let mut mirror = Mirror::start(&desk, "tides", "d");
    mirror.shows(base.revision).await;
    lab.stop().await;
    way.cut();
    mirror.stands("offline").await;
    std::fs::write(desk.path("d/a.txt"), "mine\n").unwrap();
    lab.restart(true).await;
    let ana = lab.again(&ana);
    let hash = base.entry.unwrap().hash.unwrap();
    ana.write_file(workspace, "a.txt", Some(&hash), "theirs\n".into())
        .await
        .unwrap();
    way.lead_to(lab.base());
    // The notice comes as the copy is made; it is listed once the engine has looked at it.
    let noticed = std::cell::Cell::new(false);
    mirror
        .until(|told| {
            noticed.set(noticed.get() || told["code"] == "conflict_copy");
            noticed.get() && told["stand"]["conflicts"] == 1
        })
        .await;
    assert_eq!(read(&desk.path("d/a.txt")), "theirs\n");
    let listed = desk.slipway(&["conflicts", "d", "--json"]).await;
    let listed = listed.objects();
    assert_eq!(
        (listed.len(), &listed[0]["of"]),
        (1, &"a.txt".into()),
        "{listed:?}"
    );
    let copy = listed[0]["copy"].as_str().unwrap();
    assert_eq!(read(&desk.path("d").join(copy)), "mine\n");
}

#[tokio::test]
async fn a_folder_that_must_not_be_taken_is_told_and_left_alone() {
    let (_lab, ana, _workspace, desk) = signed_in().await;
    ana.create_workspace("moon", slipway_api::workspace::Template::Empty)
        .await
        .unwrap();
    assert_eq!(desk.slipway(&["clone", "tides", "d"]).await.code, 0);
    std::fs::create_dir(desk.path("full")).unwrap();
    std::fs::write(desk.path("full/mine.txt"), "mine").unwrap();
    std::os::unix::fs::symlink("full", desk.path("link")).unwrap();
    for (dir, code) in [
        ("d/inner", "folder_inside"),
        (".", "folder_around"),
        ("full", "folder_not_empty"),
        ("link", "folder_is_link"),
        ("d", "folder_taken"),
    ] {
        let refused = desk.slipway(&["clone", "moon", dir, "--json"]).await;
        assert_eq!(
            (refused.code, refused.error_code()),
            (7, code.to_owned()),
            "{dir}: {refused:?}"
        );
    }
    assert_eq!(read(&desk.path("full/mine.txt")), "mine");
    let unknown = desk.slipway(&["conflicts", "full", "--json"]).await;
    assert_eq!(
        (unknown.code, unknown.error_code()),
        (7, "folder_unknown".to_owned())
    );
}

#[tokio::test]
async fn a_device_that_is_signed_out_ends_the_mirror_and_leaves_the_folder() {
    let (_lab, ana, workspace, desk) = signed_in().await;
    let mut mirror = Mirror::start(&desk, "tides", "d");
    mirror.stands("connected").await;
    std::fs::write(desk.path("d/a.txt"), "mine\n").unwrap();
    let devices = ana.devices().await.unwrap();
    let device = devices.iter().find(|device| !device.current).unwrap();
    let path = format!("/account/devices/{}", device.id);
    ana.send(ana.request(reqwest::Method::DELETE, &path))
        .await
        .unwrap();
    assert_eq!(mirror.ended().await, Some(3));
    assert_eq!(read(&desk.path("d/a.txt")), "mine\n");
    drop((workspace, ana));
}

#[tokio::test]
async fn most_of_a_folder_is_deleted_in_the_workspace_only_after_a_word() {
    let (_lab, ana, workspace, desk) = signed_in().await;
    std::fs::create_dir(desk.path("d")).unwrap();
    let mut mirror = Mirror::start(&desk, "tides", "d");
    mirror.stands("connected").await;
    for n in 0..40 {
        std::fs::write(desk.path(&format!("d/{n}.txt")), "x\n").unwrap();
    }
    assert_eq!(desk.slipway(&["status", "d"]).await.code, 0);
    let mut inside = desk.command(&["run", "tides", "--", "ls | wc -l"]);
    inside.current_dir(desk.path("d"));
    assert_eq!(super::desk::said(inside, "").await.stdout.trim(), "40");
    for n in 0..40 {
        std::fs::remove_file(desk.path(&format!("d/{n}.txt"))).unwrap();
    }
    mirror.until(|told| told["code"] == "many_deleted").await;
    assert!(ana.tree(workspace).await.unwrap().entries.len() >= 20);
    let confirmed = desk.slipway(&["status", "d", "--confirm"]).await;
    assert_eq!(confirmed.code, 0, "{confirmed:?}");
    let socket = slipway_client::socket::Socket::connect(&ana).await.unwrap();
    let mut events = socket.events(Some(workspace)).await.unwrap();
    let emptied = async {
        while !ana.tree(workspace).await.unwrap().entries.is_empty() {
            events.recv().await.expect("events go on");
        }
    };
    tokio::time::timeout(PATIENCE, emptied)
        .await
        .expect("in time");
    assert_eq!(mirror.interrupted().await, Some(0));
    let alone = desk.slipway(&["status", "d", "--confirm"]).await;
    assert_eq!(alone.code, 7, "nobody is there to be told: {alone:?}");
}
