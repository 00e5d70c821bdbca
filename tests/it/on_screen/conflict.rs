//! Both sides changed the same line: both are kept, and a person decides by keys alone.
use super::{Scene, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_resolved_by_keyboard() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    scene.away();
    window.edit("tides.txt", "low water").await;
    window.keys("my ").await;
    window.part_says(".statusbar", "1 edit waits").await;
    scene.write("tides.txt", "their low water\n").await;
    scene.back();
    window.part_says(".statusbar", "1 conflict").await;
    // Neither is lost meanwhile.
    let copies = || {
        let entries = std::fs::read_dir(scene.desk.path("tides")).expect("a folder");
        let texts = entries
            .flatten()
            .map(|one| std::fs::read_to_string(one.path()));
        texts.map(Result::unwrap_or_default).collect::<Vec<_>>()
    };
    assert!(
        copies().contains(&"my low water\n".to_owned()),
        "{:?}",
        copies()
    );

    window.press("Alt+F7").await;
    window.says("1 left to decide").await;
    window.picture("three-versions").await;
    window.press("Alt+3").await;
    window.says("all decided").await;
    window.press("Control+Enter").await;
    window.part_says(".statusbar", "Synced").await;
    scene.stored("tides.txt", "my low water").await;
    scene.stored("tides.txt", "their low water").await;
    eventually("the copy is gone", async || copies().len() == 1).await;
    window.picture("resolved").await;
}
