//! One window for each person: a second start, a file and a link are shown in the one that is open.
use super::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_shown_in_the_window_that_is_open() {
    let scene = Scene::set().await;
    scene.write("pegel.txt", "the gauge\n").await;
    let window = scene.window().await;
    window.see("treeitem", "~pegel.txt").await;
    let link = format!("slipway://w/{}?open=pegel.txt", scene.workspace);
    let file = scene.desk.path("tides/tides.txt").display().to_string();
    for (wish, holds) in [(link.as_str(), "the gauge"), (file.as_str(), "low water")] {
        let mut second = scene.desk.command(&["open", wish]);
        let second = second.env("DISPLAY", window.display()).status().await;
        assert!(
            second.expect("it starts").success(),
            "it leaves it to the first"
        );
        window.part_says(".monaco-editor .view-lines", holds).await;
    }
    window.picture("both").await;
}
