//! A server of another version.
use slipway_proto::PROTOCOL;

use super::window::Window;
use super::{Scene, holds};
use crate::command_line::desk::Desk;

/// The whole way of a file there and back, through a server that says to be of this version.
async fn works_with(protocol: u32) {
    let scene = Scene::set().await;
    let ours = scene.ana.server().await.expect("an answer").version;
    // As long, and of no server that there is.
    let other = ours.replace(|one: char| one.is_ascii_digit(), "9");
    let says = |version: &str, protocol: u32| {
        format!("\"version\":\"{version}\",\"protocol\":{protocol},")
    };
    // In one word: where the version is heard that the program shows, the protocol is heard that goes with it.
    let words = (says(&ours, PROTOCOL), says(&other, protocol));
    scene.way.turns(&words.0, &words.1);
    scene.way.cut();
    // It is chosen, and signed in at, as the one that it says to be.
    let desk = Desk::new();
    scene.signed_in(&desk).await;
    let window = Window::open(&desk, &["open", "tides"]).await;
    window.edit("tides.txt", "low water").await;
    window.keys("high and ").await;
    scene.stored("tides.txt", "high and low water").await;
    scene.write("back.txt", "from the server\n").await;
    holds(&desk.path("tides/back.txt"), "from the server").await;
    window.part_says(".statusbar", "Synced").await;
    heard(&desk, &window, &other).await;
}

/// The number is shown where the product tells of the server: by the command line and in the window.
async fn heard(desk: &Desk, window: &Window, version: &str) {
    let doctor = desk.slipway(&["doctor", "--json"]).await;
    assert_eq!(doctor.code, 0, "{doctor:?}");
    let found = &doctor.objects()[0]["checks"];
    let mut checks = found.as_array().into_iter().flatten();
    let server = checks.find(|check| check["name"] == "server");
    let detail = server.and_then(|server| server["detail"].as_str());
    let words = format!("version {version}");
    assert!(
        detail.is_some_and(|detail| detail.contains(&words)),
        "{found}"
    );
    window.act("Workspaces of the server").await;
    window.part_says(".statusbar", version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_version_older_works() {
    works_with(PROTOCOL - 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_version_newer_works() {
    works_with(PROTOCOL + 1).await;
}
