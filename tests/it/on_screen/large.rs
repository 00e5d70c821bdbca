//! A workspace of twenty thousand files.
use super::{Scene, holds};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_files_are_found_edited_and_synced() {
    let scene = Scene::set().await;
    let desk = &scene.desk;
    for folder in 0..200 {
        let path = desk.path(&format!("tides/year-{folder:03}"));
        std::fs::create_dir_all(&path).expect("a folder");
        for day in 0..100 {
            let text = format!("the tide of {folder}/{day}\n");
            std::fs::write(path.join(format!("day-{day:02}.txt")), text).expect("a file");
        }
    }
    let window = scene.window().await;
    window.see("treeitem", "~year-000").await;
    window.press("Control+p").await;
    window.see("combobox", "~Search").await;
    window.keys("year-173/day-42").await;
    window.see("option", "~day-42.txt").await;
    window.picture("found").await;
    window.press("Enter").await;
    window
        .part_says(".monaco-editor .view-lines", "the tide of 173/42")
        .await;
    window.click_on(".monaco-editor .view-lines").await;
    window.press("Control+Home").await;
    window.keys("high ").await;
    holds(&desk.path("tides/year-173/day-42.txt"), "high the tide").await;
    scene
        .stored("year-199/day-99.txt", "the tide of 199/99")
        .await;
    scene.stored("year-173/day-42.txt", "high the tide").await;
    window.part_says(".statusbar", "Synced").await;
    let tree = scene.ana.tree(scene.workspace).await.expect("a tree");
    assert_eq!(tree.entries.len(), 20_000 + 200 + 1);
}
