//! The command line as people and scripts use it: the real program against a real server.
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use slipway_core::id::WorkspaceId;

use crate::lab::Lab;
use desk::{Desk, PASSWORD};

pub(crate) mod desk;
mod export;
mod folder;
mod keychain;
mod run;
mod seat;
mod sign_in;
mod terminal;
mod tls;

/// A server, an account with a workspace, and a desk that is signed in.
async fn signed_in() -> (Lab, Client, WorkspaceId, Desk) {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let made = ana.create_workspace("tides", Template::Empty).await;
    let workspace = made.expect("a workspace").id;
    let desk = Desk::new();
    let login = desk
        .login(lab.base(), "ana@example.org", PASSWORD, &[])
        .await;
    assert_eq!(login.code, 0, "{login:?}");
    (lab, ana, workspace, desk)
}

#[tokio::test]
async fn workspaces_are_listed_for_people_and_for_programs() {
    let (_lab, ana, workspace, desk) = signed_in().await;
    let listed = desk.slipway(&["workspaces"]).await;
    assert_eq!(listed.code, 0, "{listed:?}");
    assert!(listed.stdout.starts_with("NAME"), "{listed:?}");
    assert!(listed.stdout.contains("tides"), "{listed:?}");
    ana.create_workspace("moon", Template::Empty).await.unwrap();
    let listed = desk.slipway(&["workspaces", "--json"]).await;
    let names: Vec<_> = listed
        .objects()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(names.len(), 2, "{listed:?}");
    assert!(names.contains(&"tides".into()) && names.contains(&"moon".into()));
    assert!(listed.stdout.contains(&workspace.to_string()));
}

#[tokio::test]
async fn an_unknown_workspace_is_told_before_anything_else() {
    let (_lab, _ana, workspace, desk) = signed_in().await;
    let other = workspace
        .to_string()
        .replace(|c: char| c.is_ascii_digit(), "7");
    for named in ["sea", other.as_str()] {
        let unknown = desk.slipway(&["export", named, "--json"]).await;
        assert_eq!(
            (unknown.code, unknown.error_code()),
            (5, "workspace_unknown".to_owned()),
            "{unknown:?}"
        );
    }
    let unknown = desk.slipway(&["run", "sea", "--", "true"]).await;
    assert_eq!(unknown.code, 125, "{unknown:?}");
    assert!(unknown.stderr.contains("slipway workspaces"), "{unknown:?}");
}

#[tokio::test]
async fn the_doctor_tells_what_is_there_and_what_is_not() {
    let (lab, _ana, _workspace, desk) = signed_in().await;
    let told = desk.slipway(&["doctor", "--json"]).await;
    let report = &told.objects()[0];
    let checks = report["checks"].as_array().unwrap();
    let ok = |name: &str| {
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {told:?}"))["ok"] == true
    };
    assert!(ok("state") && ok("server") && ok("sign-in"), "{told:?}");
    // This desk has no keychain, and chose a file when it signed in.
    assert!(ok("keychain") && told.code == 0, "{told:?}");
    assert!(told.stdout.contains(lab.base()), "{told:?}");
    assert_eq!(desk.slipway(&["logout"]).await.code, 0);
    let told = desk.slipway(&["doctor"]).await;
    assert!(
        told.code == 1 && told.stdout.contains("FAIL  keychain"),
        "{told:?}"
    );
}

#[tokio::test]
async fn completions_and_help_need_nothing() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.slipway(&["completions", shell]).await;
        assert_eq!(script.code, 0, "{script:?}");
        assert!(script.stdout.contains("workspaces"), "{shell}");
    }
    let help = desk.slipway(&["--help"]).await;
    assert!(
        help.code == 0 && help.stdout.contains("Exit codes"),
        "{help:?}"
    );
    assert!(!desk.state().exists(), "nothing was written");
}

#[tokio::test]
async fn a_command_line_that_is_not_understood_is_told_to_people_and_to_programs() {
    let desk = Desk::new();
    for line in [
        &["dance"][..],
        &["status", "--dance"],
        &["mirror", "tides"],
        &["login", "--token-store", "pocket"],
    ] {
        let told = desk.slipway(line).await;
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.stderr.starts_with("error: "), "{told:?}");
        for line in [&[&["--json"], line].concat(), &[line, &["--json"]].concat()] {
            let told = desk.slipway(line).await;
            assert_eq!((told.code, told.error_code()), (2, "usage".to_owned()));
            assert_eq!(told.stderr.lines().count(), 1, "{told:?}");
            assert!(told.stdout.is_empty(), "{told:?}");
        }
    }
    // What a program is given is its own.
    let told = desk.slipway(&["run", "--dance", "--", "x", "--json"]).await;
    assert!(
        told.code == 2 && told.stderr.starts_with("error: "),
        "{told:?}"
    );
    let version = desk.slipway(&["--json", "--version"]).await;
    assert!(
        version.code == 0 && version.stdout.starts_with("slipway "),
        "{version:?}"
    );
    // No window, and the same words about it.
    let told = desk.slipway(&["--json", "open", "."]).await;
    assert_eq!((told.code, told.error_code()), (1, "no_display".to_owned()));
    assert!(!desk.state().exists(), "nothing was written");
}
