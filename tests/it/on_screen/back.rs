//! What a person takes back: a text of before, what came in from somebody else, deletions that wait for a word.
use super::{Scene, eventually, is, kept_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_version_of_a_file_is_found_in_its_history_and_restored() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    window.edit("tides.txt", "low water").await;
    window.keys("high and ").await;
    scene.stored("tides.txt", "high and low water").await;
    window.part_says(".statusbar", "Synced").await;
    window.press("Control+Alt+h").await;
    window.says("Restore writes the old text").await;
    window.see("button", "~From a computer").await;
    window.click("button", "~Created").await;
    window.part_says(".history-diff", "high and").await;
    window.picture("versions").await;
    window.click("button", "~Restore").await;
    window.says("tides.txt is as it was at").await;
    is(&scene.desk.path("tides/tides.txt"), "low water\n").await;
    assert_eq!(scene.kept_there().await["tides.txt"], "low water\n");
    // As one more: what was between is still there.
    window.see("button", "~Restored").await;
    window.see("button", "~From a computer").await;
    window.picture("restored").await;
    window.press("Escape").await;
    window
        .until(
            "the editor with the text of before",
            "!document.querySelector('.history-diff') && \
             document.querySelector('.monaco-editor .view-lines').textContent.startsWith('low')",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_is_undone() {
    let scene = Scene::set().await;
    let window = scene.window().await;
    window.part_says(".statusbar", "Synced").await;
    let file = scene.desk.path("tides/tides.txt");
    scene.write("tides.txt", "spring tide\n").await;
    is(&file, "spring tide\n").await;
    window.act("Show sync").await;
    window.see("heading", "Came in").await;
    window.picture("came-in").await;
    window.click("button", "~Undo what came in").await;
    window.says("1 file is as before.").await;
    is(&file, "low water\n").await;
    eventually("it is undone at the server", async || {
        scene.kept_there().await["tides.txt"] == "low water\n"
    })
    .await;
    window.miss("heading", "Came in").await;
    window.part_says(".statusbar", "Synced").await;
    window.picture("undone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deletions_wait_for_a_word_and_go_when_it_is_said() {
    let scene = Scene::set().await;
    let folder = scene.desk.path("tides");
    std::fs::create_dir(folder.join("year")).expect("a folder");
    for day in 0..30 {
        let text = format!("the tide of day {day}\n");
        std::fs::write(folder.join(format!("year/day-{day:02}.txt")), text).expect("a file");
    }
    let written = kept_in(&folder);
    let window = scene.window().await;
    let arrived = async || scene.kept_there().await == written;
    eventually("all are at the server", arrived).await;
    window.part_says(".statusbar", "Synced").await;
    // In one moment, out of the workspace.
    let throw_away = || std::fs::rename(folder.join("year"), scene.desk.path("thrown-away"));
    throw_away().expect("moved");
    window
        .part_says(".statusbar", "deletions wait for you")
        .await;
    window.act("Show sync").await;
    window.see("button", "Bring them back").await;
    window.picture("held").await;
    assert_eq!(scene.kept_there().await, written);
    window.click("button", "Bring them back").await;
    window.part_says(".statusbar", "Synced").await;
    let back = async || kept_in(&folder) == written;
    eventually("all are on the disk again", back).await;
    window.picture("brought-back").await;

    std::fs::remove_dir_all(scene.desk.path("thrown-away")).expect("removed");
    throw_away().expect("moved");
    window
        .part_says(".statusbar", "deletions wait for you")
        .await;
    window.click("button", "~there, too").await;
    let gone = async || scene.tree().await.entries.len() == 1;
    eventually("they are gone at the server", gone).await;
    window.part_says(".statusbar", "Synced").await;
    window.picture("confirmed").await;
    assert_eq!(kept_in(&folder), scene.kept_there().await);
}
