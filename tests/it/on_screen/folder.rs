//! A folder of this computer, without an account and without a network.
use super::window::Window;
use super::{eventually, files, holds, is};
use crate::command_line::desk::Desk;

/// A desk with a folder of two files.
fn desk() -> Desk {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("tides")).expect("a folder");
    std::fs::write(desk.path("tides/main.py"), "print('low water')\n").expect("a file");
    std::fs::write(desk.path("tides/notes.md"), "# Notes\n").expect("a file");
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_offers_three_ways_in() {
    let window = Window::open(&Desk::new(), &[]).await;
    window.see("button", "Open folder").await;
    window.see("button", "Create workspace").await;
    window.see("textbox", "Server address").await;
    window.picture("first").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_edited_and_found_again_as_it_was_left() {
    let desk = desk();
    let window = Window::open(&desk, &["open", "tides"]).await;
    window.edit("main.py", "low water").await;
    window.keys("# high water\n").await;
    holds(&desk.path("tides/main.py"), "# high water\nprint").await;
    window.edit("notes.md", "Notes").await;
    window
        .part_says(".statusbar", "Only on this computer")
        .await;
    window.picture("editor").await;
    window.close().await;

    // Yesterday's tabs.
    let window = Window::open(&desk, &[]).await;
    window.see("tab", "~main.py").await;
    window.see("tab", "~notes.md").await;
    window
        .part_says(".monaco-editor .view-lines", "Notes")
        .await;
    window.picture("again").await;
    // What was typed in the last moment is there, too, whatever ends the program.
    window.click("tab", "~main.py").await;
    window
        .part_says(".monaco-editor .view-lines", "high water")
        .await;
    window.click_on(".monaco-editor .view-lines").await;
    window.press("Control+Home").await;
    window.keys("# the last word\n").await;
    window
        .part_says(".monaco-editor .view-lines", "the last word")
        .await;
    window.close().await;
    let window = Window::open(&desk, &[]).await;
    window
        .part_says(".monaco-editor .view-lines", "the last word")
        .await;
    holds(&desk.path("tides/main.py"), "# the last word\n").await;
    let text = std::fs::read_to_string(desk.path("tides/main.py")).expect("a file");
    assert_eq!(text.matches("high water").count(), 1, "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_was_is_gone_back_to_without_a_server() {
    let desk = desk();
    let window = Window::open(&desk, &["open", "tides"]).await;
    let file = desk.path("tides/main.py");
    window.edit("main.py", "low water").await;
    window.keys("# high water\n").await;
    is(&file, "# high water\nprint('low water')\n").await;
    window.press("Control+Alt+h").await;
    window.see("button", "~Edited").await;
    window.click("button", "~Changed in the folder").await;
    window.part_says(".history-diff", "high water").await;
    window.part_says(".main-bar", "on this computer").await;
    window.picture("versions-here").await;
    window.click("button", "~Restore").await;
    window.says("main.py is as it was at").await;
    is(&file, "print('low water')\n").await;
    window.says("The file is the same now").await;
    window.picture("restored-here").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_as_large_as_it_was_left() {
    let desk = desk();
    let window = Window::open(&desk, &["open", "tides"]).await;
    window.see("treeitem", "~main.py").await;
    window.resize(940, 610).await;
    window.close().await;
    let window = Window::open(&desk, &[]).await;
    window.see("treeitem", "~main.py").await;
    window.has_size(940, 610).await;
    window.picture("again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_and_a_person_edit_the_same_file() {
    let desk = desk();
    let file = desk.path("tides/main.py");
    std::fs::write(&file, "one\ntwo\nthree\nfour\nfive\nsix\nseven\n").expect("a file");
    let window = Window::open(&desk, &["open", "tides"]).await;
    window.edit("main.py", "three").await;
    // Without anything typed, what another program writes is shown.
    std::fs::write(&file, "one\ntwo\nTHREE\nfour\nfive\nsix\nseven\n").expect("a file");
    window
        .part_says(".monaco-editor .view-lines", "THREE")
        .await;
    // While a person types, both stay.
    window.keys("mine ").await;
    let text = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(&file, text.replace("seven", "SEVEN")).expect("a file");
    holds(&file, "mine one").await;
    holds(&file, "SEVEN").await;
    window
        .part_says(".monaco-editor .view-lines", "mine one")
        .await;
    window
        .part_says(".monaco-editor .view-lines", "SEVEN")
        .await;
    // A new file of another program is in the tree, and one that it deletes is not.
    std::fs::write(desk.path("tides/new.txt"), "new\n").expect("a file");
    window.see("treeitem", "~new.txt").await;
    std::fs::remove_file(desk.path("tides/new.txt")).expect("removed");
    window.miss("treeitem", "~new.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_made_of_a_template() {
    let desk = Desk::new();
    let window = Window::open(&desk, &[]).await;
    window.click("button", "Create workspace").await;
    window.see("dialog", "~New workspace").await;
    window.picture("name").await;
    window.press("Enter").await;
    window.double_click("treeitem", "~main.py").await;
    window
        .part_says(".monaco-editor .view-lines", "import")
        .await;
    let made = async || {
        let made = files(desk.home());
        made.iter().any(|path| path.ends_with("main.py"))
    };
    eventually("a folder in the person's home", made).await;
    window.picture("made").await;
}
