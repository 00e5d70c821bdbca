//! A server of another version.
use slipway_proto::PROTOCOL;

use super::window::Window;
use super::{Scene, holds};
use crate::command_line::desk::Desk;

/// The whole way of a file there and back, through a server that says to be of this version.
async fn works_with(protocol: u32) {
    let scene = Scene::set().await;
    let says = |protocol: u32| format!("\"protocol\":{protocol},");
    scene.way.turns(&says(PROTOCOL), &says(protocol));
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
}

#[tokio::test(flavor = "multi_thread")]
async fn one_version_older_works() {
    works_with(PROTOCOL - 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_version_newer_works() {
    works_with(PROTOCOL + 1).await;
}
