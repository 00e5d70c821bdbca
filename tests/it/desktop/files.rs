//! Files of a workspace of this machine: the same routes, preconditions and codes as a server's, from the disk.
use bytes::Bytes;
use serde_json::{Value, json};
use slipway_core::hash::ContentHash;

use super::folder::{opened, text};
use super::seat::{Said, Seat};

pub(super) async fn put(
    seat: &Seat,
    id: &str,
    path: &str,
    over: Option<&str>,
    content: &'static str,
) -> Said {
    let path = format!("/workspaces/{id}/files/{path}");
    let over = match over {
        Some(etag) => ("if-match", etag),
        None => ("if-none-match", "*"),
    };
    seat.send(
        "PUT",
        &path,
        &[over],
        Bytes::from_static(content.as_bytes()),
    )
    .await
}

pub(super) fn etag(content: &str) -> String {
    format!("\"{}\"", ContentHash::of(content.as_bytes()))
}

#[tokio::test]
async fn a_file_is_written_over_what_was_read_and_over_nothing_else() {
    let seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    let read = seat
        .ask("GET", &format!("/workspaces/{id}/files/a.txt"))
        .await;
    assert_eq!((read.status, &*read.body), (200, b"one\n".as_slice()));
    assert_eq!(read.etag.as_deref(), Some(etag("one\n").as_str()));
    let known = [("if-none-match", read.etag.as_deref().unwrap())];
    let again = seat
        .send(
            "GET",
            &format!("/workspaces/{id}/files/a.txt"),
            &known,
            Bytes::new(),
        )
        .await;
    assert_eq!((again.status, again.body.len()), (304, 0));

    let written = put(&seat, &id, "a.txt", read.etag.as_deref(), "two\n").await;
    assert_eq!(written.etag.as_deref(), Some(etag("two\n").as_str()));
    assert_eq!(text(&written.done()["entry"], "path"), "a.txt");
    assert_eq!(std::fs::read(seat.path("mine/a.txt")).unwrap(), b"two\n");
    let stale = put(&seat, &id, "a.txt", read.etag.as_deref(), "three\n").await;
    assert_eq!(
        (stale.status, stale.etag.as_deref()),
        (412, Some(etag("two\n").as_str()))
    );
    assert_eq!(stale.code(), "stale");
    assert_eq!(
        put(&seat, &id, "a.txt", None, "three\n").await.code(),
        "stale"
    );
    let unseen = seat
        .send(
            "PUT",
            &format!("/workspaces/{id}/files/a.txt"),
            &[],
            Bytes::new(),
        )
        .await;
    assert_eq!(
        (unseen.status, unseen.code()),
        (428, "precondition_required".to_owned())
    );
    assert_eq!(std::fs::read(seat.path("mine/a.txt")).unwrap(), b"two\n");

    // Another program is as good a writer as the page.
    std::fs::write(seat.path("mine/a.txt"), "theirs\n").unwrap();
    let stale = put(&seat, &id, "a.txt", Some(&etag("two\n")), "mine\n").await;
    assert_eq!(
        (stale.code(), stale.etag.as_deref()),
        ("stale".to_owned(), Some(etag("theirs\n").as_str()))
    );
    assert_eq!(put(&seat, &id, "b/c.txt", None, "new\n").await.status, 200);
    assert_eq!(std::fs::read(seat.path("mine/b/c.txt")).unwrap(), b"new\n");
}

#[tokio::test]
async fn paths_that_lead_out_or_nowhere_are_refused_as_by_a_server() {
    let seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    std::os::unix::fs::symlink("/etc", seat.path("mine/out")).unwrap();
    for (path, code) in [
        ("missing.txt", "not_found"),
        ("a.txt%00", "path_invalid"),
        ("a%2F%2Fb", "path_invalid"),
        ("con", "path_reserved"),
    ] {
        let refused = seat
            .ask("GET", &format!("/workspaces/{id}/files/{path}"))
            .await;
        assert_eq!(refused.code(), code, "{path}");
    }
    let through = seat
        .ask("GET", &format!("/workspaces/{id}/files/out/hostname"))
        .await;
    assert!(through.status >= 400, "{through:?}");
    assert_eq!(
        put(&seat, &id, "a.txt/b", None, "x").await.code(),
        "path_not_folder"
    );
}

#[tokio::test]
async fn the_tree_and_what_changed_in_it_count_what_was_seen_here() {
    let seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    let tree = seat
        .ask("GET", &format!("/workspaces/{id}/tree"))
        .await
        .done();
    let paths = |value: &Value, list: &str| -> Vec<String> {
        let rows = value[list].as_array().unwrap().iter();
        rows.map(|row| text(row, "path").to_owned()).collect()
    };
    assert_eq!(paths(&tree, "entries"), ["a.txt"]);
    let folder = seat
        .say(
            "POST",
            &format!("/workspaces/{id}/folders"),
            json!({ "path": "b" }),
        )
        .await;
    assert_eq!(folder.status, 200, "{folder:?}");
    let again = seat
        .say(
            "POST",
            &format!("/workspaces/{id}/folders"),
            json!({ "path": "b" }),
        )
        .await;
    assert_eq!(again.code(), "path_exists");
    let moved = json!({ "from": "a.txt", "to": "b/a.txt" });
    let moved = seat
        .say("POST", &format!("/workspaces/{id}/moves"), moved)
        .await;
    assert_eq!(text(&moved.done()["entry"], "path"), "b/a.txt");
    let after = tree["revision"].as_u64().unwrap();
    let changes = seat
        .ask("GET", &format!("/workspaces/{id}/changes?after={after}"))
        .await
        .done();
    let mut changed = paths(&changes, "changes");
    changed.sort();
    assert_eq!(changed, ["a.txt", "b", "b/a.txt"], "{changes}");
    let unknown = seat
        .ask("GET", &format!("/workspaces/{id}/changes?after=99999"))
        .await;
    assert_eq!(unknown.code(), "revision_unknown");

    let before = changes["head"].as_u64().unwrap();
    let any = [("if-match", "*")];
    let gone = seat
        .send(
            "DELETE",
            &format!("/workspaces/{id}/files/b"),
            &any,
            Bytes::new(),
        )
        .await;
    assert_eq!(gone.status, 200, "{gone:?}");
    assert!(!seat.path("mine/b").exists());
    let back = json!({ "revision": before, "path": "b" });
    let back = seat
        .say("POST", &format!("/workspaces/{id}/restores?of=here"), back)
        .await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(std::fs::read(seat.path("mine/b/a.txt")).unwrap(), b"one\n");
}

#[tokio::test]
async fn a_commit_tells_of_each_operation_and_an_atomic_one_does_all_or_nothing() {
    let seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    let results = |answer: &Value| -> Vec<String> {
        let outcomes = answer["outcomes"].as_array().unwrap().iter();
        outcomes.map(|one| text(one, "result").to_owned()).collect()
    };
    let operations = json!([
        { "path": "b.txt", "kind": "file", "text": "b\n", "expect": "absent" },
        { "path": "../c.txt", "kind": "file", "text": "c\n" },
        { "path": "a.txt", "kind": "file", "text": "x\n", "expect": "absent" },
        { "path": "d.txt", "kind": "file", "base64": "ZA==" },
    ]);
    let path = format!("/workspaces/{id}/commits");
    let atomic = json!({ "batch": "1", "operations": operations, "atomic": true });
    let done = seat.say("POST", &path, atomic).await.done();
    assert!(!results(&done).contains(&"applied".to_owned()), "{done}");
    assert!(!seat.path("mine/b.txt").exists());
    let plain = json!({ "batch": "2", "operations": operations });
    let done = seat.say("POST", &path, plain).await.done();
    assert_eq!(
        results(&done),
        ["applied", "rejected", "stale", "applied"],
        "{done}"
    );
    assert_eq!(std::fs::read(seat.path("mine/d.txt")).unwrap(), b"d");
}

#[tokio::test]
async fn an_upload_keeps_what_is_there_as_the_person_wishes() {
    let seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    let body = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nup\n\r\n\
        --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../b\"\r\n\r\nup\n\r\n\
        --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"n/c.txt\"\r\n\r\nup\n\r\n--x--\r\n";
    let kind = [("content-type", "multipart/form-data; boundary=x")];
    let upload = async |wish: &str| {
        let path = format!("/workspaces/{id}/uploads?folder=&on_conflict={wish}");
        let said = seat.send("POST", &path, &kind, body.into()).await.done();
        let files = said["files"].as_array().unwrap().iter();
        files
            .map(|file| text(file, "result").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(upload("ask").await, ["stale", "rejected", "applied"]);
    assert_eq!(std::fs::read(seat.path("mine/a.txt")).unwrap(), b"one\n");
    assert_eq!(upload("skip").await, ["converged", "rejected", "converged"]);
    assert_eq!(
        upload("keep_both").await,
        ["applied", "rejected", "applied"]
    );
    assert_eq!(std::fs::read(seat.path("mine/a (2).txt")).unwrap(), b"up\n");
    assert_eq!(upload("overwrite").await[0], "applied");
    assert_eq!(std::fs::read(seat.path("mine/a.txt")).unwrap(), b"up\n");
    let none = seat
        .send(
            "POST",
            &format!("/workspaces/{id}/uploads"),
            &[],
            body.into(),
        )
        .await;
    assert_eq!(none.code(), "unsupported_media_type");
}

#[tokio::test]
async fn an_export_is_written_to_the_file_that_was_chosen() {
    let seat = Seat::new().await;
    std::fs::create_dir_all(seat.path("mine/empty")).unwrap();
    std::os::unix::fs::symlink("a.txt", seat.path("mine/link")).unwrap();
    let id = opened(&seat, "mine").await;
    let to = seat.path("mine.zip");
    let export = format!("/workspaces/{id}/export");
    seat.gateway.download(&export, &to).await.unwrap();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&to).unwrap()).unwrap();
    let names: Vec<_> = zip.file_names().map(str::to_owned).collect();
    assert_eq!(names, ["a.txt", "empty/", "link"]);
    let mut content = String::new();
    std::io::Read::read_to_string(&mut zip.by_name("a.txt").unwrap(), &mut content).unwrap();
    assert_eq!(content, "one\n");
    let file = seat.path("copy.txt");
    seat.gateway
        .download(&format!("/workspaces/{id}/files/a.txt"), &file)
        .await
        .unwrap();
    assert_eq!(std::fs::read(file).unwrap(), b"one\n");
    let refused = seat
        .gateway
        .download(&format!("/workspaces/{id}/files/x"), &to)
        .await;
    assert_eq!(refused.unwrap_err().code(), "not_found");
    assert!(
        zip::ZipArchive::new(std::fs::File::open(&to).unwrap()).is_ok(),
        "it stays whole"
    );
}
