//! Files over REST: nothing is overwritten unseen, names that cannot live everywhere are refused, the past comes back.
use bytes::Bytes;
use slipway_api::file::Restore;
use slipway_api::workspace::Template;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;

use crate::lab::{Lab, code};

mod commit;
mod renamed;
mod upload;

#[tokio::test]
async fn a_write_over_something_unseen_is_stale_and_changes_nothing() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let write = |base: Option<ContentHash>, text: &'static str| {
        let ana = ana.clone();
        async move {
            ana.write_file(workspace, "a.txt", base.as_ref(), Bytes::from(text))
                .await
        }
    };
    let first = write(None, "one").await.unwrap();
    assert_eq!(code(write(None, "two").await), Code::Stale);
    assert_eq!(
        code(write(Some(ContentHash::of(b"other")), "two").await),
        Code::Stale
    );
    assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), "one");
    let second = write(Some(ContentHash::of(b"one")), "two").await.unwrap();
    assert_eq!(second.revision, first.revision + 1);
}

#[tokio::test]
async fn names_that_cannot_live_everywhere_are_refused_with_their_code() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let write = |path: &'static str| {
        let ana = ana.clone();
        async move {
            ana.write_file(workspace, path, None, Bytes::from("x"))
                .await
        }
    };
    write("Readme.md").await.unwrap();
    assert_eq!(code(write("README.md").await), Code::PathCaseClash);
    assert_eq!(code(write("con.txt").await), Code::PathReserved);
    assert_eq!(code(write("Readme.md/below").await), Code::PathNotFolder);
}

#[tokio::test]
async fn history_keeps_every_version_and_a_restore_is_one_more() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let one = ana
        .write_file(workspace, "a.txt", None, Bytes::from("one"))
        .await
        .unwrap();
    let base = ContentHash::of(b"one");
    ana.write_file(workspace, "a.txt", Some(&base), Bytes::from("two"))
        .await
        .unwrap();
    assert_eq!(
        ana.history(workspace, "a.txt")
            .await
            .unwrap()
            .versions
            .len(),
        2
    );
    let path = Some(RelPath::parse("a.txt").unwrap());
    ana.restore(
        workspace,
        &Restore {
            revision: one.revision,
            path,
            from: None,
        },
    )
    .await
    .unwrap();
    assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), "one");
    assert_eq!(
        ana.history(workspace, "a.txt")
            .await
            .unwrap()
            .versions
            .len(),
        3
    );
}

#[tokio::test]
async fn a_zip_goes_out_and_comes_in_again() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let from = ana.create_workspace("w", Template::Python).await.unwrap();
    let zip = ana.export_workspace(from.id).await.unwrap();
    let to = ana.import_workspace("again", zip).await.unwrap();
    let paths = |tree: slipway_api::file::Tree| {
        tree.entries
            .into_iter()
            .map(|entry| (entry.path, entry.hash))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        paths(ana.tree(from.id).await.unwrap()),
        paths(ana.tree(to.id).await.unwrap())
    );
    let broken = ana
        .import_workspace("broken", Bytes::from("no zip at all"))
        .await;
    assert_eq!(code(broken), Code::ZipInvalid);
    assert_eq!(ana.workspaces().await.unwrap().workspaces.len(), 2);
}

#[tokio::test]
async fn a_file_larger_than_a_row_is_stored_and_read_whole() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let content = Bytes::from(
        (0..3_500_000_u32)
            .flat_map(|n| n.to_le_bytes())
            .take(5_000_001)
            .collect::<Vec<_>>(),
    );
    ana.write_file(workspace, "big.bin", None, content.clone())
        .await
        .unwrap();
    assert_eq!(ana.read_file(workspace, "big.bin").await.unwrap(), content);
}

#[tokio::test]
async fn what_belongs_to_another_does_not_exist() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let workspace = ana
        .create_workspace("w", Template::Python)
        .await
        .unwrap()
        .id;
    assert_eq!(code(bo.workspace(workspace).await), Code::NotFound);
    assert_eq!(code(bo.tree(workspace).await), Code::NotFound);
    assert_eq!(
        code(bo.read_file(workspace, "main.py").await),
        Code::NotFound
    );
    assert_eq!(code(bo.export_workspace(workspace).await), Code::NotFound);
}

#[tokio::test]
async fn a_part_of_a_file_is_had_by_its_range() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let large: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    for (path, content) in [("small.txt", b"0123456789".to_vec()), ("large.bin", large)] {
        let size = content.len();
        let written = ana.write_file(workspace, path, None, Bytes::from(content.clone()));
        let etag = format!(
            "\"{}\"",
            written.await.unwrap().entry.unwrap().hash.unwrap()
        );
        let get = |headers: &[(&'static str, String)]| {
            let path = format!("/workspaces/{workspace}/files/{path}");
            let mut request = ana.request(reqwest::Method::GET, &path);
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            request.send()
        };
        // Across the border of stored pieces, at the ends, and of no bytes less or more.
        let border = 1 << 20;
        for (from, to) in [
            (0, 0),
            (2, 5),
            (size - 1, size - 1),
            (border - 3, border + 3),
            (border, 2 * border),
        ] {
            if from >= size {
                continue;
            }
            let answer = get(&[("range", format!("bytes={from}-{to}"))])
                .await
                .unwrap();
            let to = to.min(size - 1);
            assert_eq!(answer.status(), 206);
            assert_eq!(
                answer.headers()["content-range"],
                format!("bytes {from}-{to}/{size}")
            );
            assert_eq!(
                answer.headers()["content-length"],
                (to - from + 1).to_string()
            );
            assert_eq!(
                answer.bytes().await.unwrap(),
                content[from..=to],
                "{path} {from}-{to}"
            );
        }
        let last = get(&[("range", "bytes=-4".to_owned())]).await.unwrap();
        assert_eq!(last.bytes().await.unwrap(), content[size - 4..]);
        let outside = get(&[("range", format!("bytes={size}-"))]).await.unwrap();
        assert_eq!(
            outside.headers()["content-range"],
            format!("bytes */{size}")
        );
        let outside = crate::raw::problem(outside).await;
        assert_eq!(
            (outside.status, outside.code),
            (416, Code::RangeUnsatisfiable)
        );
        let part = ("range", "bytes=1-2".to_owned());
        let same = get(&[part.clone(), ("if-range", etag)]).await.unwrap();
        assert_eq!(same.status(), 206);
        let other = get(&[part, ("if-range", "\"of another version\"".to_owned())])
            .await
            .unwrap();
        assert_eq!(
            (other.status().as_u16(), other.bytes().await.unwrap().len()),
            (200, size)
        );
    }
}
