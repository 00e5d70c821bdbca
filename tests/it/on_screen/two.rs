//! Two desktops on one workspace.
use super::window::Window;
use super::{Scene, holds};
use crate::command_line::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn what_one_writes_the_other_reads() {
    let scene = Scene::set().await;
    let other = Desk::new();
    scene.signed_in(&other).await;
    let one = scene.window().await;
    let two = Window::open(&other, &["open", "tides"]).await;
    one.edit("tides.txt", "low water").await;
    two.edit("tides.txt", "low water").await;
    one.keys("first\n").await;
    two.part_says(".monaco-editor .view-lines", "first").await;
    two.press("Control+End").await;
    two.keys("second\n").await;
    one.part_says(".monaco-editor .view-lines", "second").await;
    for desk in [&scene.desk, &other] {
        holds(&desk.path("tides/tides.txt"), "first\nlow water\nsecond").await;
    }
    scene.stored("tides.txt", "first\nlow water\nsecond").await;
    for window in [&one, &two] {
        window.part_says(".statusbar", "Synced").await;
    }
    two.picture("second").await;
}
