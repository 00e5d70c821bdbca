//! The server is away, ends, or comes back: nothing waits for it, and nothing is lost.
use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{Scene, eventually, holds, kept_in};
use crate::command_line::desk::PASSWORD;

#[tokio::test(flavor = "multi_thread")]
async fn edits_without_a_server_are_there_when_it_is_back() {
    let mut scene = Scene::set().await;
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    scene.away();
    scene.lab.stop().await;
    window.edit("tides.txt", "low water").await;
    window.keys("written alone\n").await;
    holds(&scene.desk.path("tides/tides.txt"), "written alone").await;
    window.part_says(".statusbar", "1 edit waits").await;
    window.part_says(".statusbar", "Offline").await;
    window.act("Show sync").await;
    window.says("Everything is saved on this computer").await;
    window.picture("offline").await;

    scene.lab.restart(true).await;
    scene.back();
    scene.ana = scene.lab.again(&scene.ana);
    window.click("button", "Try now").await;
    window.part_says(".statusbar", "Synced").await;
    scene.stored("tides.txt", "written alone\nlow water").await;
    window.picture("back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_says_that_it_waits_until_it_is_in_step() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    window.edit("tides.txt", "low water").await;
    window.see("treeitem", "tides.txt").await;
    window.see("tab", "tides.txt").await;
    scene.away();
    window.keys("written alone\n").await;
    for kind in ["treeitem", "tab"] {
        window.see(kind, "tides.txt, Waits for the server").await;
    }
    window.says("1 edit waits here").await;
    window.picture("waits").await;
    scene.back();
    window.act("Try the server now").await;
    for kind in ["treeitem", "tab"] {
        window.see(kind, "tides.txt").await;
    }
    scene.stored("tides.txt", "written alone\nlow water").await;
    window.picture("in-step").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_the_server_starts_once_when_it_is_back() {
    let scene = Scene::set().await;
    scene.write("tide.py", "print('low' + ' water')\n").await;
    let window = scene.window().await;
    window.edit("tide.py", "low").await;
    scene.away();
    window.part_says(".statusbar", "Offline").await;
    // It shall run what was written without the server, too.
    window.keys("print('spring' + ' tide')\n").await;
    window.act("Queue this file until the server answers").await;
    window.part_says(".panel", "Waits for the server").await;
    window.see("button", "Remove from the queue").await;
    window.miss("dialog", "~").await;
    window.picture("queued").await;
    scene.back();
    window.act("Try the server now").await;
    window.part_says(".panel", "spring tide").await;
    window.part_says(".panel", "low water").await;
    window.part_says(".panel", "Done").await;
    window.picture("done").await;
    let runs = scene.ana.runs(scene.workspace).await.expect("a list").runs;
    assert_eq!(runs.len(), 1, "{runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_while_files_move_loses_none() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    // Several batches, of which the last does not get through.
    scene.way.narrows(WRITTEN * TEXT_BYTES * 3 / 4);
    let mut written = BTreeMap::from([("tides.txt".to_owned(), "low water\n".to_owned())]);
    for number in 0..WRITTEN {
        let (name, text) = (format!("file-{number:03}.txt"), text_of(number));
        std::fs::write(scene.desk.path("tides").join(&name), &text).expect("a file");
        written.insert(name, text);
    }
    let arrived = async || scene.tree().await.entries.len() - 1;
    eventually("some have arrived", async || arrived().await > 0).await;
    window.kill();
    assert!(arrived().await < WRITTEN, "all have arrived");
    scene.way.cut();
    scene.way.widens();
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    assert_eq!(kept_in(&scene.desk.path("tides")), written);
    assert_eq!(scene.kept_there().await, written);
    let conflicts = scene.desk.slipway(&["conflicts", "tides", "--json"]).await;
    assert_eq!(
        (conflicts.code, conflicts.stdout.as_str()),
        (0, ""),
        "{conflicts:?}"
    );
}

const WRITTEN: usize = 400;
const TEXT_BYTES: usize = 20_000;

/// As many bytes as make files worth several batches, no two alike.
fn text_of(number: usize) -> String {
    let line = format!("the tide of day {number}\n");
    line.repeat(TEXT_BYTES / line.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_and_is_no_server_is_told_and_the_rest_goes_on() {
    let scene = Scene::set().await;
    scene.lead_to(&garbage().await);
    let window = scene.window().await;
    window.edit("tides.txt", "low water").await;
    window.keys("still mine\n").await;
    holds(&scene.desk.path("tides/tides.txt"), "still mine").await;
    window.part_says(".statusbar", "1 edit waits").await;
    window
        .part_says(".statusbar", "No Slipway server answers")
        .await;
    window.picture("garbage").await;
    scene.back();
    window.act("Try the server now").await;
    scene.stored("tides.txt", "still mine").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_signed_out_elsewhere_is_told_and_keeps_its_files() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    let devices = scene.ana.devices().await.expect("a list");
    for device in devices.iter().filter(|device| !device.current) {
        let path = format!("/account/devices/{}", device.id);
        let request = scene.ana.request(reqwest::Method::DELETE, &path);
        scene.ana.send(request).await.expect("signed out");
    }
    window.edit("tides.txt", "low water").await;
    window.keys("written after\n").await;
    holds(&scene.desk.path("tides/tides.txt"), "written after").await;
    window.part_says(".statusbar", "Signed out").await;
    window.act("Show sync").await;
    window.see("button", "Sign in").await;
    window.picture("signed-out").await;
    // What was written waits for whoever signs in again.
    window.click("button", "Sign in").await;
    window.fill("E-mail", "ana@example.org").await;
    window.fill("Password", PASSWORD).await;
    window.press("Enter").await;
    scene.stored("tides.txt", "written after").await;
}

/// Something that answers and understands nothing; its address.
async fn garbage() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut question = [0; 4096];
                while near.read(&mut question).await.is_ok_and(|read| read > 0) {
                    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html>low</p>";
                    near.write_all(answer.as_bytes()).await.ok();
                }
            });
        }
    });
    address.to_string()
}
