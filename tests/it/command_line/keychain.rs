//! A token in the system's keychain: a real Secret Service on a bus of its own, unlocked by a password on its input.
use tokio::process::Command;

use super::desk::{Desk, PASSWORD, said};
use crate::lab::Lab;

/// Runs a line of shell on a bus whose keychain is unlocked, with the account's password on the line's input.
async fn with_keychain(desk: &Desk, line: &str) -> super::desk::Said {
    // The keychain's own password comes first; what it prints of its sockets is not ours.
    let script = format!(
        "printf 'pw\\n' | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null 2>&1; {line}"
    );
    let mut command = Command::new("dbus-run-session");
    desk.equip(&mut command)
        .args(["--", "sh", "-c", &script])
        .env("SLIPWAY", desk.program())
        .env("XDG_RUNTIME_DIR", desk.home());
    said(command, &format!("{PASSWORD}\n")).await
}

#[tokio::test]
async fn a_token_is_kept_in_the_keychain_and_in_no_file() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    ana.create_workspace("tides", slipway_api::workspace::Template::Empty)
        .await
        .unwrap();
    let desk = Desk::new();
    let base = lab.base();
    let login = format!("\"$SLIPWAY\" login {base} --email ana@example.org --json");
    let told = with_keychain(&desk, &login).await;
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(told.objects()[0]["token_store"], "keychain", "{told:?}");
    assert!(!desk.state().join("tokens").exists(), "no file has it");
    // It outlives the keychain's process.
    let listed = with_keychain(&desk, "\"$SLIPWAY\" workspaces --json").await;
    assert_eq!((listed.code, listed.objects().len()), (0, 1), "{listed:?}");
    // Without the keychain it is told where the token is.
    let without = desk.slipway(&["workspaces"]).await;
    assert_eq!(without.code, 6, "{without:?}");
    assert!(without.stderr.contains("keychain"), "{without:?}");
    let out = with_keychain(&desk, "\"$SLIPWAY\" logout && \"$SLIPWAY\" doctor").await;
    assert!(
        out.stdout.contains("Signed out") && out.stdout.contains("ok    keychain"),
        "{out:?}"
    );
    assert_eq!(ana.devices().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_locked_keychain_is_told_and_takes_nothing() {
    let lab = Lab::start().await;
    lab.user("ana").await;
    let desk = Desk::new();
    let mut command = Command::new("dbus-run-session");
    let base = lab.base();
    let script = format!(
        "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1 </dev/null; \
         \"$SLIPWAY\" login {base} --email ana@example.org --json"
    );
    desk.equip(&mut command)
        .args(["--", "sh", "-c", &script])
        .env("SLIPWAY", desk.program())
        .env("XDG_RUNTIME_DIR", desk.home());
    let told = said(command, &format!("{PASSWORD}\n")).await;
    assert_eq!(
        (told.code, told.error_code()),
        (6, "no_keychain".to_owned()),
        "{told:?}"
    );
}
