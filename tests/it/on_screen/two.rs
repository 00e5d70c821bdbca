//! Two desktops on one workspace.
use super::window::Window;
use super::{Scene, eventually, holds, kept_in};
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

#[tokio::test(flavor = "multi_thread")]
async fn what_both_write_at_the_same_place_at_once_is_kept_of_both() {
    let scene = Scene::set().await;
    let other = Desk::new();
    scene.signed_in(&other).await;
    let one = scene.window().await;
    let two = Window::open(&other, &["open", "tides"]).await;
    for window in [&one, &two] {
        window.part_says(".statusbar", "Synced").await;
        window.edit("tides.txt", "low water").await;
    }
    // Neither hears of the other before both have written.
    scene.away();
    one.keys("first ").await;
    two.keys("second ").await;
    for window in [&one, &two] {
        window.part_says(".statusbar", "1 edit waits").await;
    }
    scene.back();
    let conflicts = async || {
        let mut many = 0;
        for window in [&one, &two] {
            many += usize::from(window.shows(".statusbar", "1 conflict").await);
        }
        many
    };
    eventually("a conflict is shown", async || conflicts().await > 0).await;
    // Both texts are at both, and at the server.
    let both = async || {
        let mut texts: Vec<String> = scene.kept_there().await.into_values().collect();
        texts.sort_unstable();
        texts == ["first low water\n", "second low water\n"]
    };
    eventually("both texts are at the server", both).await;
    let kept = scene.kept_there().await;
    for desk in [&scene.desk, &other] {
        let same = async || kept_in(&desk.path("tides")) == kept;
        eventually("both texts are on the disk", same).await;
    }
    one.picture("one").await;
    two.picture("two").await;
}
