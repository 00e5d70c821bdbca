//! A folder outside of a session in step with its workspace: real server, real Postgres, real folders.
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use bytes::Bytes;
use slipway_api::file::OriginKind;
use slipway_core::code::Code;
use slipway_mirror::engine::Input;
use slipway_mirror::follow::Standing;
use slipway_mirror::notice::Notice;

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};
use folder::Folder;

mod age;
mod compared;
mod deaf;
pub(crate) mod folder;
mod gathered;
mod lanes;
mod refused;
mod renamed;
mod resumed;
mod set_back;
mod version;

#[tokio::test]
async fn a_file_made_in_one_folder_is_in_the_other_and_at_the_hub_with_its_author() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let before = ana.write_file(workspace, "here/before.txt", None, Bytes::from("before\n"));
    let before = before.await.unwrap().revision;
    let (here, there) = (Folder::open(&ana, workspace), Folder::open(&ana, workspace));
    here.shows(before).await;
    assert_eq!(here.read("here/before.txt"), "before\n");
    here.write("notes/today.txt", "tide at six\n");
    // Nobody asks for it: the folder is watched.
    there
        .until(|tree| tree.contains_key("notes/today.txt"))
        .await;
    let at_hub = ana.read_file(workspace, "notes/today.txt").await.unwrap();
    assert_eq!(at_hub, "tide at six\n");
    there.write("notes/today.txt", "tide at seven\n");
    here.shows(there.flush().await).await;
    assert_eq!(here.read("notes/today.txt"), "tide at seven\n");
    let history = ana.history(workspace, "notes/today.txt").await.unwrap();
    let me = ana.account().await.unwrap().id;
    assert_eq!(history.versions.len(), 2);
    for version in history.versions {
        let origin = version.change.origin;
        assert_eq!((origin.kind, origin.user), (OriginKind::Desktop, Some(me)));
    }
}

#[tokio::test]
async fn links_empty_folders_and_the_right_to_execute_come_to_the_other_folder() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let (here, there) = (Folder::open(&ana, workspace), Folder::open(&ana, workspace));
    let allow = |folder: &Folder, mode| {
        std::fs::set_permissions(folder.path("run.sh"), Permissions::from_mode(mode)).unwrap();
    };
    let may_run = |folder: &Folder| {
        let meta = std::fs::metadata(folder.path("run.sh")).unwrap();
        meta.permissions().mode() & 0o111 != 0
    };
    let leads_to = |folder: &Folder| std::fs::read_link(folder.path("link")).unwrap();
    here.write("run.sh", "#!/bin/sh\n");
    allow(&here, 0o755);
    symlink("run.sh", here.path("link")).unwrap();
    std::fs::create_dir_all(here.path("empty/inner")).unwrap();
    there.shows(here.flush().await).await;
    assert!(may_run(&there));
    assert_eq!(leads_to(&there).to_str(), Some("run.sh"));
    assert!(there.path("empty/inner").is_dir());
    allow(&there, 0o644);
    std::fs::remove_file(there.path("link")).unwrap();
    symlink("empty/inner", there.path("link")).unwrap();
    here.shows(there.flush().await).await;
    assert!(!may_run(&here));
    assert_eq!(leads_to(&here).to_str(), Some("empty/inner"));
}

#[tokio::test]
async fn edits_of_both_sides_without_a_server_meet_when_it_is_back() {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let (here, there) = (Folder::open(&ana, workspace), Folder::open(&ana, workspace));
    here.write("lines.txt", "one\ntwo\nthree\nfour\nfive\n");
    here.write("same.txt", "begin\n");
    here.write("gone.txt", "going\n");
    there.shows(here.flush().await).await;
    lab.stop().await;
    for folder in [&here, &there] {
        folder
            .stands(|standing| matches!(standing, Standing::Offline { .. }))
            .await;
    }
    here.write("lines.txt", "ONE\ntwo\nthree\nfour\nfive\n");
    there.write("lines.txt", "one\ntwo\nthree\nfour\nFIVE\n");
    here.write("same.txt", "here\n");
    there.write("same.txt", "there\n");
    here.write("only-here.txt", "h\n");
    there.write("only-there/t.txt", "t\n");
    there.remove("gone.txt");
    lab.restart(true).await;
    for folder in [&here, &there] {
        folder.dials(&lab.again(&ana));
        folder
            .stands(|standing| *standing == Standing::Online)
            .await;
    }
    here.flush().await;
    let revision = there.flush().await.max(here.flush().await);
    here.shows(revision).await;
    there.shows(revision).await;
    let tree = here.tree();
    assert_eq!(tree, there.tree());
    assert_eq!(tree["lines.txt"], "ONE\ntwo\nthree\nfour\nFIVE\n");
    let (copies, plain): (Vec<_>, Vec<_>) =
        tree.keys().partition(|name| name.contains("(conflict"));
    assert_eq!(
        plain,
        ["lines.txt", "only-here.txt", "only-there/t.txt", "same.txt"]
    );
    let mut both: Vec<_> = copies.iter().map(|name| tree[*name].as_str()).collect();
    both.push(&tree["same.txt"]);
    both.sort_unstable();
    assert_eq!(both, ["here\n", "there\n"], "{tree:?}");
}

#[tokio::test]
async fn a_small_change_inside_a_large_file_sends_little_of_it() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let (here, there) = (Folder::open(&ana, workspace), Folder::open(&ana, workspace));
    let mut large: Vec<u8> = (0..12_u32 << 18)
        .flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes())
        .collect();
    std::fs::write(here.path("large.bin"), &large).unwrap();
    there.shows(here.flush().await).await;
    let (before, before_there) = (here.sent(), there.got());
    assert!(before.min(before_there) >= large.len() as u64);
    large[6 << 20..][..4_096].fill(7);
    std::fs::write(here.path("large.bin"), &large).unwrap();
    there.shows(here.flush().await).await;
    let sent = here.sent() - before;
    assert!((4_096..=1 << 20).contains(&sent), "{sent}");
    let got = there.got() - before_there;
    assert!((4_096..=1 << 20).contains(&got), "{got}");
    assert!(std::fs::read(there.path("large.bin")).unwrap() == large);
}

#[tokio::test]
async fn a_mass_deletion_waits_for_a_word() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let mut here = Folder::open(&ana, workspace);
    for n in 0..40 {
        here.write(&format!("f{n}.txt"), "kept\n");
    }
    let before = here.flush().await;
    for n in 0..40 {
        here.remove(&format!("f{n}.txt"));
    }
    let told = tokio::time::timeout(PATIENCE, here.notices.recv()).await;
    let told = told.expect("in time").unwrap();
    assert!(
        matches!(told, Notice::Deleted { held: 1.., .. }),
        "{told:?}"
    );
    here.flush().await;
    let tree = ana.tree(workspace).await.unwrap();
    assert!(tree.entries.len() >= 20, "most of it is kept");
    here.engine.tell(Input::Confirm).await.unwrap();
    assert!(here.flush().await > before);
    assert!(ana.tree(workspace).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn a_revoked_device_stops_with_its_code_and_its_folder_stays_as_it_is() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let laptop = folder::signed_in_again(&lab, "ana").await;
    let here = Folder::open(&laptop, workspace);
    here.write("a.txt", "one\n");
    let revision = here.flush().await;
    laptop.sign_out().await.unwrap();
    assert_eq!(here.is_refused().await, Code::SignInExpired);
    here.write("a.txt", "two\n");
    here.write("b.txt", "new\n");
    let head = ana.tree(workspace).await.unwrap().revision;
    assert_eq!(head, revision);
    assert_eq!(
        (here.read("a.txt"), here.read("b.txt")),
        ("two\n".into(), "new\n".into())
    );
    // Signed in again, it goes on where it was.
    here.dials(&folder::signed_in_again(&lab, "ana").await);
    here.flush().await;
    assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), "two\n");
    assert_eq!(ana.read_file(workspace, "b.txt").await.unwrap(), "new\n");
}
