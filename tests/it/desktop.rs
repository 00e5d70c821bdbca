//! The app without its window: what the page asks and hears, against a real server.
use serde_json::Value;
use slipway_api::desktop::{ConnectionState, Told};
use slipway_proto::v1::{self, event, ws_client, ws_server};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::lab::Lab;
use crate::way::Way;
use seat::{Page, Seat};

mod again;
mod files;
mod folder;
mod history;
mod name;
mod run;
mod seat;
mod sync;

/// A server with an account, and a seat that is signed in there.
async fn signed_in() -> (Lab, slipway_client::rest::Client, Seat) {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let seat = Seat::new().await;
    assert_eq!(seat.choose(lab.base()).await.status, 200);
    assert_eq!(seat.sign_in("ana").await.status, 200);
    (lab, ana, seat)
}

#[tokio::test]
async fn without_a_server_it_is_said_so_and_nothing_else_is_amiss() {
    let seat = Seat::new().await;
    for path in ["/account", "/workspaces", "/server"] {
        assert_eq!(seat.ask("GET", path).await.code(), "no_server", "{path}");
    }
    let about = seat.ask("GET", "/desktop").await.done();
    assert_eq!(
        (about["machine"].as_str(), &about["server"]),
        (Some("laptop"), &Value::Null)
    );
    let local = seat.ask("GET", "/desktop/workspaces").await.done();
    assert_eq!(local["workspaces"], Value::Array(Vec::new()));
    assert!(matches!(
        seat.gateway.standing(),
        Told::Connection {
            state: ConnectionState::Idle,
            ..
        }
    ));
    for odd in ["/desktop/../server", "/desktop/nothing"] {
        assert_eq!(seat.ask("GET", odd).await.code(), "not_found", "{odd}");
    }
}

/// Something that answers the same to whatever it is asked.
async fn parrot(kind: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = BufReader::new(&mut stream).lines();
            while let Ok(Some(line)) = head.next_line().await
                && !line.is_empty()
            {}
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).await.ok();
        }
    });
    base
}

#[tokio::test]
async fn what_answers_is_told_from_what_does_not() {
    let seat = Seat::new().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = closed.local_addr().unwrap().to_string();
    drop(closed);
    let page = parrot("text/html", "<html>sign in to the hotel</html>".to_owned()).await;
    let empty = parrot("application/json", "{}".to_owned()).await;
    for (server, code) in [
        (nowhere.as_str(), "unreachable"),
        ("ftp://example.org", "invalid_request"),
        (page.as_str(), "protocol_mismatch"),
        (empty.as_str(), "protocol_mismatch"),
    ] {
        assert_eq!(seat.choose(server).await.code(), code, "{server}");
    }
    assert_eq!(seat.ask("GET", "/server").await.code(), "no_server");
}

#[tokio::test]
async fn a_server_of_one_version_older_or_newer_is_worked_with_and_others_are_told() {
    let seat = Seat::new().await;
    let ours = slipway_proto::PROTOCOL;
    for (protocol, understood) in [
        (ours - 1, true),
        (ours, true),
        (ours + 1, true),
        (ours + 2, false),
    ] {
        let info = serde_json::json!({
            "version": "9.9.9", "protocol": protocol, "registration_open": true,
            "first_account": false, "can_run": true, "something_new": [1],
        });
        let server = parrot("application/json", info.to_string()).await;
        let answer = seat.choose(&server).await;
        assert_eq!(answer.status == 200, understood, "{answer:?}");
        if !understood {
            assert_eq!(answer.code(), "protocol_mismatch");
            let detail = answer.json();
            assert!(
                detail["detail"]
                    .as_str()
                    .unwrap()
                    .contains("Update the older one"),
                "{detail}"
            );
        }
    }
}

#[tokio::test]
async fn what_stands_between_and_answers_with_pages_is_no_server() {
    let (_lab, _ana, seat) = signed_in().await;
    let info = seat.ask("GET", "/server").await.json().to_string();
    // It was a server when it was chosen.
    let way = Way::to(&parrot("application/json", info).await).await;
    seat.choose(&way.base).await.done();
    way.lead_to(&parrot("text/html", "<html>".to_owned()).await);
    let refused = seat.ask("GET", "/workspaces").await;
    assert_eq!(refused.code(), "protocol_mismatch", "{refused:?}");
}

#[tokio::test]
async fn signing_in_keeps_the_token_from_the_page() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let mut seat = Seat::new().await;
    let info = seat.choose(lab.base()).await.done();
    assert_eq!(info["protocol"], 1);
    assert_eq!(seat.ask("GET", "/account").await.code(), "sign_in_required");
    let signed_in = seat.sign_in("ana").await;
    let kept = std::fs::read_dir(seat.state().join("tokens")).unwrap();
    let kept = kept.flatten().next().expect("a file with the token").path();
    let token = std::fs::read_to_string(kept).unwrap();
    assert!(!String::from_utf8_lossy(&signed_in.body).contains(&token));
    let signed_in = signed_in.done();
    assert_eq!(
        (&signed_in["account"]["name"], &signed_in["token"]),
        (&"ana".into(), &Value::Null)
    );
    seat.stands(ConnectionState::Online).await;
    let about = seat.ask("GET", "/desktop").await.done();
    assert_eq!(
        (
            &about["server"]["kept"],
            &about["server"]["account"]["name"]
        ),
        (&"file".into(), &"ana".into())
    );
    let devices = ana.devices().await.unwrap();
    assert!(
        devices
            .iter()
            .any(|device| device.name == "Slipway on laptop")
    );
    // It is there again after the next start.
    seat.again().await;
    assert_eq!(seat.ask("GET", "/workspaces").await.status, 200);
    seat.stands(ConnectionState::Online).await;
    assert_eq!(seat.ask("POST", "/sign-out").await.status, 204);
    seat.stands(ConnectionState::Idle).await;
    assert_eq!(ana.devices().await.unwrap().len(), 1);
    assert_eq!(seat.ask("GET", "/account").await.code(), "sign_in_required");
}

#[tokio::test]
async fn a_token_in_memory_ends_with_the_app() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let mut seat = Seat::new().await;
    seat.choose(lab.base()).await.done();
    let body = serde_json::json!({ "email": "ana@example.org", "password": seat::PASSWORD });
    let headers = [
        ("content-type", "application/json"),
        ("slipway-token-kept", "memory"),
    ];
    let signed_in = seat
        .send("POST", "/sign-in", &headers, body.to_string().into())
        .await;
    assert_eq!(signed_in.status, 200);
    assert_eq!(seat.ask("GET", "/account").await.status, 200);
    assert!(!seat.state().join("tokens").exists());
    assert_eq!(ana.devices().await.unwrap().len(), 2);
    seat.again().await;
    assert_eq!(ana.devices().await.unwrap().len(), 1);
    assert_eq!(seat.ask("GET", "/account").await.code(), "sign_in_required");
    let about = seat.ask("GET", "/desktop").await.done();
    assert_eq!(about["server"]["account"], Value::Null);
}

#[tokio::test]
async fn a_wrong_password_is_told_as_the_server_tells_it() {
    let (_lab, _ana, seat) = signed_in().await;
    let body = serde_json::json!({ "email": "ana@example.org", "password": "whatever it is" });
    let headers = [
        ("content-type", "application/json"),
        ("slipway-token-kept", "file"),
    ];
    let refused = seat
        .send("POST", "/sign-in", &headers, body.to_string().into())
        .await;
    assert_eq!(refused.code(), "wrong_credentials");
    assert_eq!(
        seat.ask("GET", "/account").await.status,
        200,
        "the one of before stays"
    );
}

#[tokio::test]
async fn a_revoked_device_is_told_and_signs_in_again() {
    let (_lab, ana, mut seat) = signed_in().await;
    seat.stands(ConnectionState::Online).await;
    let devices = ana.devices().await.unwrap();
    let device = devices.iter().find(|device| !device.current).unwrap();
    let path = format!("/account/devices/{}", device.id);
    ana.send(ana.request(reqwest::Method::DELETE, &path))
        .await
        .unwrap();
    seat.until_told(|told| matches!(told, Told::Account)).await;
    seat.stands(ConnectionState::Idle).await;
    let about = seat.ask("GET", "/desktop").await.done();
    assert_eq!(about["server"]["account"], Value::Null, "{about}");
    assert_eq!(
        seat.ask("GET", "/workspaces").await.code(),
        "sign_in_required"
    );
    assert_eq!(seat.sign_in("ana").await.status, 200);
    seat.stands(ConnectionState::Online).await;
}

#[tokio::test]
async fn while_the_server_is_away_the_account_is_the_one_last_seen() {
    let mut lab = Lab::start().await;
    lab.user("ana").await;
    let way = Way::to(lab.base()).await;
    let mut seat = Seat::new().await;
    seat.choose(&way.base).await.done();
    seat.sign_in("ana").await.done();
    seat.stands(ConnectionState::Online).await;
    lab.stop().await;
    way.cut();
    seat.stands(ConnectionState::Waiting).await;
    assert_eq!(seat.ask("GET", "/workspaces").await.code(), "unreachable");
    assert_eq!(seat.ask("GET", "/account").await.done()["name"], "ana");
    lab.restart(true).await;
    way.lead_to(lab.base());
    seat.gateway.retry();
    seat.stands(ConnectionState::Online).await;
    assert_eq!(seat.ask("GET", "/workspaces").await.status, 200);
}

#[tokio::test]
async fn the_wire_carries_events_answers_pings_and_refuses_what_it_does_not_understand() {
    let (_lab, ana, seat) = signed_in().await;
    let mut page = Page::open(&seat);
    page.send(0, ws_client::Body::Ping(v1::Ping { nonce: 7 }))
        .await;
    let pong = page.next().await;
    assert_eq!(pong, (0, ws_server::Body::Pong(v1::Pong { nonce: 7 })));
    page.subscribe(1, "").await;
    let is_list = |stream, body| match body {
        ws_server::Body::Event(v1::Event {
            event: Some(event::Event::Workspaces(_)),
        }) => (stream == 1).then_some(()),
        _ => None,
    };
    page.until(is_list).await;
    let made = ana
        .create_workspace("tides", slipway_api::workspace::Template::Empty)
        .await;
    page.until(is_list).await;
    let workspace = made.unwrap().id.to_string();
    page.subscribe(2, &workspace).await;
    page.until(|stream, body| match body {
        ws_server::Body::Event(v1::Event {
            event: Some(event::Event::Session(_)),
        }) => (stream == 2).then_some(()),
        _ => None,
    })
    .await;
    page.subscribe(2, &workspace).await;
    assert_eq!(page.closed(2).await, "protocol_mismatch");
    page.subscribe(3, "0199aaaa-0000-7000-8000-000000000001")
        .await;
    assert_eq!(page.closed(3).await, "not_found");
    page.send(1, ws_client::Body::Close(v1::CloseStream {}))
        .await;
    assert_eq!(page.closed(1).await, "");
}
