//! Uploads of several files: each has its own outcome, and what happens at a taken path is the person's choice.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use bytes::Bytes;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use slipway_api::file::{OutcomeResult, Uploaded};
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{FILE_BYTES_MAX, WORKSPACE_BYTES_MAX};

use crate::lab::Lab;

async fn upload(
    client: &Client,
    workspace: WorkspaceId,
    query: &str,
    files: Vec<(&'static str, Bytes)>,
) -> Uploaded {
    let form = files
        .into_iter()
        .fold(Form::new(), |form, (name, content)| {
            form.part("file", Part::stream(content).file_name(name))
        });
    let path = format!("/workspaces/{workspace}/uploads?{query}");
    let request = client.request(Method::POST, &path).multipart(form);
    client.send(request).await.unwrap().json().await.unwrap()
}

fn text(content: &'static str) -> Bytes {
    Bytes::from_static(content.as_bytes())
}

/// Result and place of each file.
fn shown(done: &Uploaded) -> Vec<(OutcomeResult, Option<&str>)> {
    let files = done.files.iter();
    files
        .map(|file| {
            let place = file.entry.as_ref().map(|entry| entry.path.as_str());
            (file.result, place)
        })
        .collect()
}

#[tokio::test]
async fn at_a_taken_path_happens_what_was_chosen() {
    use OutcomeResult::{Applied, Converged, Stale};
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    for (choice, second, content) in [
        ("", (Stale, Some("in/a.txt")), "old"),
        ("&on_conflict=ask", (Stale, Some("in/a.txt")), "old"),
        ("&on_conflict=overwrite", (Applied, Some("in/a.txt")), "new"),
        ("&on_conflict=skip", (Converged, None), "old"),
        (
            "&on_conflict=keep_both",
            (Applied, Some("in/a (2).txt")),
            "old",
        ),
    ] {
        let name = format!("w{choice}");
        let workspace = ana.create_workspace(&name, Template::Empty);
        let workspace = workspace.await.unwrap().id;
        let old = ana.write_file(workspace, "in/a.txt", None, text("old"));
        old.await.unwrap();
        let files = vec![("a.txt", text("new")), ("sub/b.txt", text("b"))];
        let done = upload(&ana, workspace, &format!("folder=in/{choice}"), files).await;
        assert_eq!(
            shown(&done),
            [second, (Applied, Some("in/sub/b.txt"))],
            "{choice}"
        );
        let now = ana.read_file(workspace, "in/a.txt").await.unwrap();
        assert_eq!(now, content, "{choice}");
    }
}

#[tokio::test]
async fn both_are_kept_under_names_that_fit() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let names = ["src.d/Makefile", ".gitignore", "a.tar.gz"];
    let files = |content| names.map(|name| (name, text(content))).to_vec();
    upload(&ana, workspace, "", files("one")).await;
    let twice = [files("two"), files("three")].concat();
    let done = upload(&ana, workspace, "on_conflict=keep_both", twice).await;
    let places: Vec<_> = shown(&done)
        .into_iter()
        .filter_map(|(_, place)| place)
        .collect();
    assert_eq!(
        places,
        [
            "src.d/Makefile (2)",
            ".gitignore (2)",
            "a.tar (2).gz",
            "src.d/Makefile (3)",
            ".gitignore (3)",
            "a.tar (3).gz",
        ]
    );
    let third = ana.read_file(workspace, ".gitignore (3)").await.unwrap();
    assert_eq!(third, "three");
}

#[tokio::test]
async fn what_is_wrong_with_one_file_does_not_stop_the_others() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let large = usize::try_from(FILE_BYTES_MAX).unwrap() + 1;
    let files = vec![
        ("first.txt", text("1")),
        ("large.bin", Bytes::from(vec![7; large])),
        ("../out.txt", text("2")),
        ("aux.txt", text("3")),
        ("FIRST.txt", text("4")),
        ("last.txt", text("5")),
    ];
    let done = upload(&ana, workspace, "", files).await;
    let codes: Vec<_> = done.files.iter().map(|file| file.code).collect();
    assert_eq!(
        codes,
        [
            None,
            Some(Code::FileTooLarge),
            Some(Code::PathInvalid),
            Some(Code::PathReserved),
            Some(Code::PathCaseClash),
            None
        ]
    );
    let told = done.files.iter().filter(|file| file.code.is_some());
    assert!(told.into_iter().all(|file| file.message.is_some()));
    let tree = ana.tree(workspace).await.unwrap().entries;
    let paths: Vec<_> = tree.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["first.txt", "last.txt"]);
    let chunks: i64 = sqlx::query_scalar("select count(*) from blob_chunks")
        .fetch_one(&lab.app().db)
        .await
        .unwrap();
    assert_eq!(chunks, 0, "nothing of the file that was too large is kept");
}

#[tokio::test]
async fn an_upload_stores_no_more_than_a_workspace_takes() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let most = usize::try_from(FILE_BYTES_MAX).unwrap();
    let many = usize::try_from(WORKSPACE_BYTES_MAX / FILE_BYTES_MAX).unwrap();
    let content = Bytes::from(vec![0; most]);
    let mut files = vec![("same.bin", content); many + 1];
    files.push(("small.txt", text("fits still")));
    let done = upload(&ana, workspace, "on_conflict=overwrite", files).await;
    let codes: Vec<_> = done.files.iter().map(|file| file.code).collect();
    assert_eq!(codes[..many], vec![None; many]);
    assert_eq!(codes[many..], [Some(Code::WorkspaceFull), None]);
}
