//! The history of files that is kept on this computer: with no server at all, while one is away, and over restarts.
use bytes::Bytes;
use serde_json::{Value, json};

use super::files::{etag, put};
use super::folder::{opened, text};
use super::seat::Seat;
use super::sync::Scene;

/// The versions of a file that this computer keeps, the newest first.
async fn versions(seat: &Seat, id: &str, path: &str) -> Vec<Value> {
    let path = format!("/workspaces/{id}/history?path={path}&of=here");
    let history = seat.ask("GET", &path).await.done();
    history["versions"].as_array().expect("a list").clone()
}

/// What they were; `-` where the file was deleted.
async fn contents(seat: &Seat, id: &str, path: &str) -> Vec<String> {
    let mut contents = Vec::new();
    for version in versions(seat, id, path).await {
        contents.push(match version["entry"] {
            Value::Null => "-".to_owned(),
            _ => content(seat, id, &version).await,
        });
    }
    contents
}

async fn content(seat: &Seat, id: &str, version: &Value) -> String {
    let (path, revision) = (text(version, "path"), &version["revision"]);
    let path = format!("/workspaces/{id}/files/{path}?revision={revision}&of=here");
    let read = seat.ask("GET", &path).await;
    assert_eq!(read.status, 200, "{read:?}");
    let content = String::from_utf8(read.body.to_vec()).expect("text");
    assert_eq!(read.etag, Some(etag(&content)));
    content
}

#[tokio::test]
async fn each_save_of_a_workspace_without_a_server_can_be_gone_back_to() {
    let mut seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    assert!(versions(&seat, &id, "a.txt").await.is_empty());
    put(&seat, &id, "a.txt", Some(&etag("one\n")), "two\n")
        .await
        .done();
    let told = contents(&seat, &id, "a.txt").await;
    assert_eq!(told, ["two\n", "one\n"], "also what stood there before");
    put(&seat, &id, "a.txt", Some(&etag("two\n")), "three\n")
        .await
        .done();
    seat.again().await;
    let all = ["three\n", "two\n", "one\n"];
    assert_eq!(
        contents(&seat, &id, "a.txt").await,
        all,
        "at once after a restart"
    );
    let told = versions(&seat, &id, "a.txt").await;
    assert_eq!(told[0]["origin"]["kind"], "editor");
    assert_eq!(told[0]["kept"], true);
    assert_eq!(told[0]["previous"], told[1]["entry"]["hash"]);
    assert_eq!(told[2]["previous"], Value::Null);

    // Nobody looked while another program wrote; the next save does.
    std::fs::write(seat.path("mine/a.txt"), "by vim\n").unwrap();
    let stale = put(&seat, &id, "a.txt", Some(&etag("three\n")), "four\n").await;
    assert_eq!(stale.code(), "stale");
    put(&seat, &id, "a.txt", Some(&etag("by vim\n")), "four\n")
        .await
        .done();
    let now = contents(&seat, &id, "a.txt").await;
    assert_eq!(now[..2], ["four\n", "by vim\n"]);
    let moved = json!({ "from": "a.txt", "to": "b.txt" });
    seat.say("POST", &format!("/workspaces/{id}/moves"), moved)
        .await
        .done();
    assert_eq!(
        contents(&seat, &id, "b.txt").await,
        ["four\n", "four\n", "by vim\n", "three\n", "two\n", "one\n"],
        "it goes on through a move"
    );
    assert_eq!(
        text(&versions(&seat, &id, "b.txt").await[0], "from"),
        "a.txt"
    );

    // What is written over whatever stands there, as a version that is brought back, takes nothing away.
    std::fs::write(seat.path("mine/b.txt"), "unseen\n").unwrap();
    let path = format!("/workspaces/{id}/files/b.txt");
    let back = seat.send(
        "PUT",
        &path,
        &[("if-match", "*")],
        Bytes::from_static(b"one\n"),
    );
    back.await.done();
    let gone = seat.send("DELETE", &path, &[("if-match", "*")], Bytes::new());
    gone.await.done();
    let now = contents(&seat, &id, "b.txt").await;
    assert_eq!(now[..3], ["-", "one\n", "unseen\n"]);
    // A file that had no version yet is deleted.
    std::fs::write(seat.path("mine/c.txt"), "short\n").unwrap();
    let delete = json!({ "batch": "1", "operations": [{ "path": "c.txt" }] });
    seat.say("POST", &format!("/workspaces/{id}/commits"), delete)
        .await
        .done();
    assert_eq!(contents(&seat, &id, "c.txt").await, ["-", "short\n"]);
    let unknown = format!("/workspaces/{id}/files/b.txt?revision=999&of=here");
    assert_eq!(seat.ask("GET", &unknown).await.code(), "content_missing");
}

#[tokio::test]
async fn what_was_saved_while_the_server_is_away_can_be_gone_back_to() {
    let mut scene = Scene::new().await;
    scene.server_goes().await;
    scene.save("a.txt", "first\n").await;
    scene.save("a.txt", "second\n").await;
    let here = contents(&scene.seat, &scene.id, "a.txt").await;
    assert_eq!(here[..2], ["second\n", "first\n"]);
    let of_server = format!("/workspaces/{}/history?path=a.txt", scene.id);
    assert_eq!(
        scene.seat.ask("GET", &of_server).await.code(),
        "unreachable"
    );
    scene.server_comes().await;
    scene.seat.gateway.retry();
    scene.at_server("a.txt", "second\n").await;
    let theirs = scene.seat.ask("GET", &of_server).await.done();
    let newest = &theirs["versions"][0]["entry"]["hash"];
    assert_eq!(
        format!("\"{}\"", newest.as_str().unwrap()),
        etag("second\n")
    );
    assert_eq!(
        contents(&scene.seat, &scene.id, "a.txt").await,
        here,
        "what lay between stays"
    );
}
