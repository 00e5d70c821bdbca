//! A workspace that is only on this computer goes to a server.
use super::window::Window;
use super::{eventually, holds, kept_in, stored};
use crate::command_line::desk::{Desk, PASSWORD};
use crate::lab::Lab;

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_of_this_computer_is_uploaded_with_one_action() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let desk = Desk::new();
    let login = desk
        .login(lab.base(), "ana@example.org", PASSWORD, &[])
        .await;
    assert_eq!(login.code, 0, "{login:?}");
    std::fs::create_dir_all(desk.path("tides/year")).expect("a folder");
    std::fs::write(desk.path("tides/main.py"), "print('low water')\n").expect("a file");
    std::fs::write(desk.path("tides/year/day.txt"), "high water\n").expect("a file");
    let window = Window::open(&desk, &["open", "tides"]).await;
    window
        .part_says(".statusbar", "Only on this computer")
        .await;
    window.act("Show sync").await;
    window.picture("only-here").await;
    window.click("button", "Upload to the server").await;
    window.see("dialog", "~Upload to the server").await;
    window.picture("name").await;
    window.press("Enter").await;
    window.says("tides is on its way to the server").await;
    window.part_says(".statusbar", "Synced").await;
    let all = ana.workspaces().await.expect("a list").workspaces;
    let [one] = &all[..] else {
        panic!("one workspace: {all:?}")
    };
    assert_eq!(one.name, "tides");
    for (path, text) in kept_in(&desk.path("tides")) {
        stored(&ana, one.id, &path, &text).await;
    }
    eventually("no more than these", async || {
        let tree = ana.tree(one.id).await.expect("a tree");
        tree.entries.len() == 3
    })
    .await;
    window.picture("uploaded").await;
    // From now on it is in step.
    window.press("Control+Shift+e").await;
    window.edit("main.py", "low water").await;
    window.keys("# spring tide\n").await;
    stored(&ana, one.id, "main.py", "# spring tide\n").await;
    holds(&desk.path("tides/main.py"), "# spring tide\n").await;
}
