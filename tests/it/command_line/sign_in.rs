//! Signing in and out, and everything that can be wrong about it.
use std::os::unix::fs::MetadataExt as _;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::desk::{Desk, PASSWORD, said};
use super::signed_in;
use crate::lab::Lab;

/// The token that a desk keeps in its file.
fn token(desk: &Desk) -> Option<String> {
    let folder = std::fs::read_dir(desk.state().join("tokens")).ok()?;
    let file = folder.flatten().next()?.path();
    assert_eq!(
        std::fs::metadata(&file).expect("a file").mode() & 0o777,
        0o600
    );
    Some(std::fs::read_to_string(file).expect("text"))
}

#[tokio::test]
async fn signing_in_keeps_a_token_that_is_shown_nowhere_and_signing_out_ends_it() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let desk = Desk::new();
    let more = ["--device", "desk", "--json"];
    let login = desk
        .login(lab.base(), "ana@example.org", PASSWORD, &more)
        .await;
    assert_eq!(login.code, 0, "{login:?}");
    assert_eq!(login.objects()[0]["name"], "ana");
    let token = token(&desk).expect("a token");
    assert!(!login.stdout.contains(&token) && !login.stderr.contains(&token));
    let mode = |path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(desk.state()), 0o700);
    let devices = ana.devices().await.unwrap();
    assert!(devices.iter().any(|device| device.name == "desk"));

    // The device of before goes when a new one comes.
    desk.login(
        lab.base(),
        "ana@example.org",
        PASSWORD,
        &["--device", "again"],
    )
    .await;
    let names: Vec<_> = ana
        .devices()
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert!(names.contains(&"again".to_owned()) && !names.contains(&"desk".to_owned()));

    let logout = desk.slipway(&["logout"]).await;
    assert_eq!(logout.code, 0, "{logout:?}");
    assert!(self::token(&desk).is_none());
    assert_eq!(ana.devices().await.unwrap().len(), 1);
    let after = desk.slipway(&["workspaces", "--json"]).await;
    assert_eq!(
        (after.code, after.error_code()),
        (3, "not_signed_in".to_owned())
    );
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_one_are_told_apart() {
    let lab = Lab::start().await;
    lab.user("ana").await;
    let desk = Desk::new();
    for (password, code, told) in [
        ("whatever it is", 3, "wrong_credentials"),
        ("", 2, "input_missing"),
    ] {
        let login = desk
            .login(lab.base(), "ana@example.org", password, &["--json"])
            .await;
        assert_eq!(
            (login.code, login.error_code()),
            (code, told.to_owned()),
            "{login:?}"
        );
    }
    assert!(token(&desk).is_none());
    let nobody = desk.command(&["login", lab.base(), "--token-store", "file", "--json"]);
    let nobody = said(nobody, PASSWORD).await;
    assert_eq!(
        (nobody.code, nobody.error_code()),
        (2, "input_missing".to_owned())
    );
}

#[tokio::test]
async fn without_a_keychain_the_person_chooses() {
    let lab = Lab::start().await;
    lab.user("ana").await;
    let desk = Desk::new();
    let arguments = ["login", lab.base(), "--email", "ana@example.org"];
    let refused = said(desk.command(&arguments), &format!("{PASSWORD}\n")).await;
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.stderr.contains("--token-store file"), "{refused:?}");
    let memory = [&arguments[..], &["--token-store", "memory"]].concat();
    let refused = said(desk.command(&memory), &format!("{PASSWORD}\n")).await;
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(
        refused.stderr.contains("ends with this command"),
        "{refused:?}"
    );
    assert!(token(&desk).is_none());
}

#[tokio::test]
async fn what_answers_is_told_from_what_does_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let garbage = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = BufReader::new(&mut stream).lines();
            while let Ok(Some(line)) = head.next_line().await
                && !line.is_empty()
            {}
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n<html";
            stream.write_all(answer).await.ok();
        }
    });
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let desk = Desk::new();
    for (server, code, told) in [
        (nowhere.as_str(), 4, "unreachable"),
        (garbage.as_str(), 4, "not_slipway"),
        ("ftp://example.org", 2, "address_invalid"),
    ] {
        let login = desk
            .login(server, "ana@example.org", PASSWORD, &["--json"])
            .await;
        assert_eq!(
            (login.code, login.error_code()),
            (code, told.to_owned()),
            "{login:?}"
        );
    }
}

#[tokio::test]
async fn a_revoked_device_is_told_to_sign_in_again() {
    let (_lab, ana, _workspace, desk) = signed_in().await;
    let devices = ana.devices().await.unwrap();
    let device = devices.iter().find(|device| !device.current).unwrap();
    let path = format!("/account/devices/{}", device.id);
    ana.send(ana.request(reqwest::Method::DELETE, &path))
        .await
        .unwrap();
    let listed = desk.slipway(&["workspaces", "--json"]).await;
    assert_eq!(
        (listed.code, listed.error_code()),
        (3, "sign_in_expired".to_owned())
    );
    let run = desk.slipway(&["run", "tides", "--", "true"]).await;
    assert_eq!(run.code, 125, "{run:?}");
    assert!(run.stderr.contains("slipway login"), "{run:?}");
    // Signing out what is out already cleans up here.
    assert_eq!(desk.slipway(&["logout"]).await.code, 0);
    assert!(token(&desk).is_none());
}
