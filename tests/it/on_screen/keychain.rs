//! Where the sign-in is kept: in the system's keychain, or where a person says when there is none.
use super::files;
use super::window::Window;
use crate::command_line::desk::{Desk, PASSWORD};
use crate::lab::Lab;
use crate::way::Way;

/// Signs in as somebody who exists.
async fn sign_in(window: &Window, way: &Way) {
    window.fill("Server address", &way.base).await;
    window.click("button", "Continue").await;
    window.fill("E-mail", "ana@example.org").await;
    window.fill("Password", PASSWORD).await;
}

/// What files of the state folder hold a token.
fn kept_in_files(desk: &Desk) -> bool {
    desk.state().join("tokens").exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keychain_a_person_chooses() {
    let lab = Lab::start().await;
    lab.user("ana").await;
    let way = Way::to(lab.base()).await;
    let desk = Desk::new();
    let window = Window::open(&desk, &[]).await;
    sign_in(&window, &way).await;
    window.says("This computer has no keychain").await;
    window.picture("absent").await;
    window.press("Enter").await;
    window.see("heading", "Workspaces").await;
    assert!(!kept_in_files(&desk), "nowhere was chosen");
    window.close().await;
    // It ended with the program.
    let window = Window::open(&desk, &[]).await;
    window.miss("link", "Show its workspaces").await;
    sign_in(&window, &way).await;
    window.click("radio", "~In a file of yours").await;
    window.press("Enter").await;
    window.see("heading", "Workspaces").await;
    assert!(kept_in_files(&desk));
    window.close().await;
    let window = Window::open(&desk, &[]).await;
    window.see("link", "Show its workspaces").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keychain_keeps_the_sign_in() {
    let lab = Lab::start().await;
    lab.user("ana").await;
    let way = Way::to(lab.base()).await;
    let desk = Desk::new();
    let window = Window::open_with_keychain(&desk, true).await;
    sign_in(&window, &way).await;
    window.picture("there").await;
    window.press("Enter").await;
    window.see("heading", "Workspaces").await;
    assert!(!kept_in_files(&desk));
    let accounts = files(&desk.state()).into_iter();
    let accounts = accounts.filter_map(|file| std::fs::read_to_string(file).ok());
    let accounts: Vec<_> = accounts
        .filter(|text| text.contains("token_store"))
        .collect();
    assert!(
        accounts.iter().any(|text| text.contains("\"keychain\"")),
        "{accounts:?}"
    );
    window.close().await;
    let window = Window::open_with_keychain(&desk, true).await;
    window.see("link", "Show its workspaces").await;
    window.picture("kept").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keychain_is_told() {
    let lab = Lab::start().await;
    lab.user("ana").await;
    let way = Way::to(lab.base()).await;
    let desk = Desk::new();
    let window = Window::open_with_keychain(&desk, false).await;
    sign_in(&window, &way).await;
    window.says("keychain is locked").await;
    window.picture("locked").await;
    window.press("Enter").await;
    window.see("heading", "Workspaces").await;
    assert!(!kept_in_files(&desk));
}
