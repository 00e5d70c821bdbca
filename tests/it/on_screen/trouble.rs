//! What a person meets that is nobody's fault: each is a clear line where they look, and no byte is lost.
use std::path::Path;

use super::mount::Mount;
use super::window::Window;
use super::{Scene, eventually, files, holds, kept_in};
use crate::command_line::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_five_that_is_deleted_while_it_is_open_is_not_deleted_at_the_server() {
    deleted_while_open(5, Again::Button).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_forty_that_is_deleted_while_it_is_open_is_not_deleted_at_the_server() {
    deleted_while_open(40, Again::Clone).await;
}

/// How the copy of a workspace is had again.
enum Again {
    Button,
    Clone,
}

/// A folder of so many files is removed with all that is in it. Nobody said that its workspace shall go. Few enough that
/// it takes no longer than changes gather: of a folder that takes longer to go, the first part goes out as it is seen.
async fn deleted_while_open(many: usize, again: Again) {
    let scene = Scene::set().await;
    let folder = scene.desk.path("tides");
    for number in 1..many {
        let text = format!("the tide of day {number}\n");
        std::fs::write(folder.join(format!("day-{number:03}.txt")), text).expect("a file");
    }
    let written = kept_in(&folder);
    assert_eq!(written.len(), many);
    let window = scene.window().await;
    eventually("all are at the server", async || {
        scene.tree().await.entries.len() == many
    })
    .await;
    window.part_says(".statusbar", "Synced").await;
    let before = scene.tree().await.revision;

    std::fs::remove_dir_all(&folder).expect("removed");
    window.part_says(".statusbar", "The folder is gone").await;
    window.act("Show sync").await;
    window
        .says("Nothing is changed anywhere until the folder is back")
        .await;
    window.picture("gone").await;
    match again {
        Again::Button => {
            window.click("button", "Get it again").await;
            window.says("Get tides again?").await;
            window.picture("get-again").await;
            window.press("Enter").await;
            window.says("tides comes from the server again").await;
            window.act("Go to the explorer").await;
        }
        Again::Clone => {
            let clone = scene.desk.slipway(&["clone", "tides"]).await;
            assert_eq!(clone.code, 0, "{clone:?}");
            assert_eq!(kept_in(&folder), written);
            // The window that is open shows it.
            let mut second = scene.desk.command(&["open", "tides"]);
            let second = second.env("DISPLAY", window.display()).status().await;
            assert!(second.expect("it starts").success());
        }
    }
    window.see("treeitem", "~day-001.txt").await;
    window.part_says(".statusbar", "Synced").await;
    assert_eq!(kept_in(&folder), written);
    window.picture("again").await;
    assert_eq!(scene.kept_there().await, written);
    assert_eq!(
        scene.tree().await.revision,
        before,
        "nobody changed anything"
    );
    // And goes on from there.
    window.edit("day-001.txt", "the tide of day 1").await;
    window.keys("high at ").await;
    scene
        .stored("day-001.txt", "high at the tide of day 1")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_moved_while_it_is_open_is_told_and_comes_back() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    std::fs::rename(scene.desk.path("tides"), scene.desk.path("moved")).expect("moved");
    window.act("Show sync").await;
    window
        .says("Nothing is changed anywhere until the folder is back")
        .await;
    window.picture("gone").await;
    std::fs::rename(scene.desk.path("moved"), scene.desk.path("tides")).expect("moved");
    window.part_says(".statusbar", "Synced").await;
    scene.stored("tides.txt", "low water").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_became_a_link_is_not_followed() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    window.close().await;
    std::fs::rename(scene.desk.path("tides"), scene.desk.path("moved")).expect("moved");
    std::fs::create_dir(scene.desk.path("private")).expect("a folder");
    std::fs::write(scene.desk.path("private/secret.txt"), "secret\n").expect("a file");
    std::os::unix::fs::symlink(scene.desk.path("private"), scene.desk.path("tides"))
        .expect("a link");
    let window = Window::open(&scene.desk, &[]).await;
    window.says("is no longer the folder that was opened").await;
    window.picture("link").await;
    assert_eq!(files(&scene.desk.path("private")).len(), 1);
    std::fs::remove_file(scene.desk.path("tides")).expect("a link");
    std::fs::rename(scene.desk.path("moved"), scene.desk.path("tides")).expect("moved");
    window.part_says(".statusbar", "Synced").await;
    let tree = scene.ana.tree(scene.workspace).await.expect("a tree");
    let names: Vec<_> = tree
        .entries
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    assert_eq!(names, ["tides.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_inside_a_workspace_is_part_of_it_and_one_around_it_is_none() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("tides/inner")).expect("a folder");
    std::fs::write(desk.path("tides/a.txt"), "low\n").expect("a file");
    std::fs::write(desk.path("tides/inner/b.txt"), "high\n").expect("a file");
    let window = Window::open(&desk, &["open", "tides"]).await;
    window.see("treeitem", "~a.txt").await;
    let second = async |path: &str| {
        let path = desk.path(path).display().to_string();
        let mut second = desk.command(&["open", &path]);
        let second = second.env("DISPLAY", window.display()).status().await;
        assert!(second.expect("it starts").success());
    };
    // A file of it opens in the workspace that is open.
    second("tides/inner/b.txt").await;
    window.part_says(".monaco-editor .view-lines", "high").await;
    window.see("treeitem", "~a.txt").await;
    // And what is around it is no workspace.
    second("").await;
    window.opens_dialog("This cannot be opened").await;
    window.see("treeitem", "~a.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_the_server_refuses_are_told_and_the_rest_moves() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    let odd = scene.desk.path("tides/bad\nname.txt");
    std::fs::write(&odd, "odd\n").expect("a file");
    std::fs::write(scene.desk.path("tides/good.txt"), "good\n").expect("a file");
    scene.stored("good.txt", "good").await;
    window.part_says(".statusbar", "1 file cannot sync").await;
    window.act("Show sync").await;
    window.says("Rename it").await;
    window.picture("blocked").await;
    assert_eq!(std::fs::read_to_string(&odd).expect("a file"), "odd\n");
    std::fs::rename(&odd, scene.desk.path("tides/better.txt")).expect("renamed");
    window.part_says(".statusbar", "Synced").await;
    scene.stored("better.txt", "odd").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_on_another_volume_that_turns_read_only_keeps_what_is_typed() {
    let desk = Desk::new();
    let Some(volume) = Mount::small(desk.path("volume"), "8m") else {
        return;
    };
    std::fs::create_dir(desk.path("volume/tides")).expect("a folder");
    let file = desk.path("volume/tides/tides.txt");
    std::fs::write(&file, "low water\n").expect("a file");
    let window = Window::open(&desk, &["open", "volume/tides"]).await;
    window.edit("tides.txt", "low water").await;
    window.keys("high ").await;
    holds(&file, "high low water").await;
    volume.becomes("ro");
    window.keys("and dry ").await;
    window.part_says(".statusbar", "not saved").await;
    window.picture("read-only").await;
    volume.becomes("rw");
    window.press("Control+s").await;
    holds(&file, "high and dry low water").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_may_not_be_written_is_refused_in_words() {
    let desk = Desk::new();
    let Some(volume) = Mount::small(desk.path("volume"), "1m") else {
        return;
    };
    std::fs::create_dir(desk.path("volume/tides")).expect("a folder");
    volume.becomes("ro");
    let window = Window::open(&desk, &["open", "volume/tides"]).await;
    window.opens_dialog("This cannot be opened").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_told_and_the_rest_moves() {
    let scene = Scene::set().await;
    let secret = scene.desk.path("tides/secret.txt");
    std::fs::write(&secret, "").expect("a file");
    // Nobody reads the first byte of a process's memory, whoever they are.
    let Some(memory) = Mount::over(Path::new("/proc/self/mem"), secret) else {
        return;
    };
    let window = scene.window().await;
    std::fs::write(scene.desk.path("tides/good.txt"), "good\n").expect("a file");
    scene.stored("good.txt", "good").await;
    window.part_says(".statusbar", "1 file cannot sync").await;
    window.act("Show sync").await;
    window.says("Allow reading it").await;
    window.picture("unreadable").await;
    drop(memory);
    std::fs::write(scene.desk.path("tides/secret.txt"), "open\n").expect("a file");
    scene.stored("secret.txt", "open").await;
    window.part_says(".statusbar", "Synced").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_what_was_typed_is_kept_until_there_is_room() {
    let desk = Desk::new();
    let Some(_volume) = Mount::small(desk.path("volume"), "1m") else {
        return;
    };
    std::fs::create_dir(desk.path("volume/tides")).expect("a folder");
    let file = desk.path("volume/tides/tides.txt");
    std::fs::write(&file, "low water\n").expect("a file");
    let window = Window::open(&desk, &["open", "volume/tides"]).await;
    window.edit("tides.txt", "low water").await;
    let filler = desk.path("volume/filler");
    let mut left = std::fs::File::create(&filler).expect("a file");
    while std::io::Write::write_all(&mut left, &[0; 4096]).is_ok() {}
    drop(left);
    window.keys("high ").await;
    window.part_says(".statusbar", "not saved").await;
    window.picture("full").await;
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(
        text == "low water\n" || text == "high low water\n",
        "never half a file: {text:?}"
    );
    std::fs::remove_file(&filler).expect("room");
    window.press("Control+s").await;
    holds(&file, "high low water").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_changes_nothing() {
    let scene = Scene::set().await;
    // A file of the future and one of long ago.
    for (name, date) in [("later.txt", "2099-01-01"), ("before.txt", "1971-01-01")] {
        let path = scene.desk.path("tides").join(name);
        std::fs::write(&path, "some water\n").expect("a file");
        let mut touch = std::process::Command::new("touch");
        assert!(
            touch
                .args(["-d", date])
                .arg(&path)
                .status()
                .expect("touch")
                .success()
        );
    }
    let window = scene.window().await;
    scene.stored("later.txt", "some water").await;
    scene.stored("before.txt", "some water").await;
    window.edit("later.txt", "some water").await;
    window.keys("much of ").await;
    scene.stored("later.txt", "much of some water").await;
}
