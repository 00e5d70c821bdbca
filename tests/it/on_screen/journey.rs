//! The whole way of a person who is new: an account, a workspace, an edit, a run, a terminal.
use slipway_client::rest::Client;

use super::window::Window;
use super::{files, holds};
use crate::command_line::desk::{Desk, PASSWORD};
use crate::lab::Lab;
use crate::way::Way;

#[tokio::test(flavor = "multi_thread")]
async fn from_an_account_to_a_run() {
    let lab = Lab::start().await;
    let way = Way::to(lab.base()).await;
    let desk = Desk::new();
    let window = Window::open(&desk, &[]).await;
    window.fill("Server address", &way.base).await;
    window.click("button", "Continue").await;
    window.see("textbox", "Name").await;
    window.picture("register").await;
    window.click("radio", "~In a file of yours").await;
    window.fill("Name", "Mo").await;
    window.fill("E-mail", "mo@example.org").await;
    window.fill("Password", PASSWORD).await;
    window.press("Enter").await;
    window.see("heading", "Workspaces").await;
    window.picture("workspaces").await;

    window.click("button", "~Python data").await;
    window.click("button", "Create").await;
    window.edit("main.py", "import").await;
    window.keys("print('high' + ' water')\n").await;
    window.part_says(".statusbar", "Synced").await;
    window.picture("edit").await;
    window.act("Run this file").await;
    window.part_says(".panel", "high water").await;
    window.picture("run").await;

    window.act("New terminal in the session").await;
    window.terminal_says("$").await;
    window.click_on(".xterm").await;
    window
        .keys("head -1 main.py > from-the-session.txt; echo do\"\"ne\n")
        .await;
    window.terminal_says("done").await;
    window.see("treeitem", "~from-the-session.txt").await;
    window.picture("terminal").await;
    let found = files(desk.home());
    let told = found
        .iter()
        .find(|path| path.ends_with("from-the-session.txt"));
    holds(told.expect("on this disk"), "high").await;

    // The server has it, too.
    let client = Client::new(lab.base()).expect("a client");
    let sign_in = slipway_api::account::SignIn {
        email: "mo@example.org".to_owned(),
        password: slipway_core::secret::Secret::new(PASSWORD),
        device: None,
    };
    let (client, _) = client.sign_in(&sign_in).await.expect("signed in");
    let all = client.workspaces().await.expect("a list");
    let main = client
        .read_file(all.workspaces[0].id, "main.py")
        .await
        .expect("a file");
    assert!(String::from_utf8_lossy(&main).contains("'high' + ' water'"));
    window.close().await;
}
