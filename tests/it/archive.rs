//! Zip files: what goes out comes in again, and what is made to harm is refused with nothing kept.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use std::io::{Cursor, Write as _};

use bytes::Bytes;
use reqwest::Method;
use serde_json::json;
use slipway_api::file::{Entry, Kind};
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::lab::{Lab, code};

/// A zip file to be.
struct Zip(ZipWriter<Cursor<Vec<u8>>>);

impl Zip {
    fn new() -> Self {
        Self(ZipWriter::new(Cursor::new(Vec::new())))
    }
    fn file(mut self, name: &str, content: &[u8]) -> Self {
        self.0
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        self.0.write_all(content).unwrap();
        self
    }
    fn stored(mut self, name: &str, content: &[u8]) -> Self {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        self.0.start_file(name, options).unwrap();
        self.0.write_all(content).unwrap();
        self
    }
    fn folder(mut self, name: &str) -> Self {
        self.0
            .add_directory(name, SimpleFileOptions::default())
            .unwrap();
        self
    }
    fn link(mut self, name: &str, target: &str) -> Self {
        self.0
            .add_symlink(name, target, SimpleFileOptions::default())
            .unwrap();
        self
    }
    fn done(self) -> Vec<u8> {
        self.0.finish().unwrap().into_inner()
    }
}

/// A zip file of one small file of this name.
fn named(name: &str) -> Vec<u8> {
    Zip::new().file("first.txt", b"1").file(name, b"x").done()
}

/// Puts other bytes wherever these stand: what no packer writes.
fn patched(mut zip: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut times = 0;
    for at in 0..zip.len() - from.len() {
        if zip[at..].starts_with(from) {
            zip[at..at + to.len()].copy_from_slice(to);
            times += 1;
        }
    }
    assert_eq!(
        times, 2,
        "once before the content, once in the list at the end"
    );
    zip
}

/// Sets a flag of every entry.
fn flagged(mut zip: Vec<u8>, flag: u8) -> Vec<u8> {
    for at in 0..zip.len() - 10 {
        if zip[at..].starts_with(b"PK\x03\x04") {
            zip[at + 6] |= flag;
        } else if zip[at..].starts_with(b"PK\x01\x02") {
            zip[at + 8] |= flag;
        }
    }
    zip
}

/// The end of a zip file that promises this many entries.
fn promising(entries: u64) -> Vec<u8> {
    let mut zip = b"PK\x06\x06".to_vec();
    zip.extend(44_u64.to_le_bytes());
    zip.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    zip.extend([entries, entries, 46, 0].map(u64::to_le_bytes).concat());
    zip.extend(b"PK\x06\x07\0\0\0\0");
    zip.extend([0; 8]);
    zip.extend([1, 0, 0, 0]);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([0xff; 12]);
    zip.extend([0, 0]);
    zip
}

/// The end of a zip64 whose last record shows few entries: only that it does not know where the list begins says that
/// there is a larger record.
fn hiding(entries: u64) -> Vec<u8> {
    let mut zip = promising(entries);
    let counts = zip.len() - 14;
    zip[counts..counts + 8].copy_from_slice(&[1, 0, 1, 0, 46, 0, 0, 0]);
    zip
}

/// A whole zip file, and behind it the end of another one whose list is none.
fn with_a_second_end() -> Vec<u8> {
    let mut zip = named("second.txt");
    let list_at = u32::try_from(zip.len()).unwrap();
    zip.extend([b'x'; 46]);
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(46_u32.to_le_bytes());
    zip.extend(list_at.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

async fn refused(lab: &Lab, ana: &Client, what: &str, zip: Vec<u8>, expected: &[Code]) {
    let answer = code(ana.import_workspace("bad", Bytes::from(zip)).await);
    assert!(expected.contains(&answer), "{what}: {answer}");
    let kept: i64 = sqlx::query_scalar("select (select count(*) from workspaces) + (select count(*) from blobs) + (select count(*) from changes)")
        .fetch_one(&lab.app().db)
        .await
        .unwrap();
    assert_eq!(kept, 0, "{what}: nothing is kept");
}

#[tokio::test]
async fn names_that_lead_out_or_cannot_live_everywhere_are_refused() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let deep = vec!["d"; 1_500].join("/");
    let long = "x".repeat(300);
    for (name, expected) in [
        ("../out.txt", Code::PathInvalid),
        ("a/../../out.txt", Code::PathInvalid),
        ("/etc/passwd", Code::PathInvalid),
        ("//server/share", Code::PathInvalid),
        ("./a.txt", Code::PathInvalid),
        ("a//b.txt", Code::PathInvalid),
        ("C:/windows/x", Code::PathReserved),
        ("C:\\windows\\x", Code::PathReserved),
        ("..\\..\\out.txt", Code::PathReserved),
        ("a\\b.txt", Code::PathReserved),
        ("aux.txt", Code::PathReserved),
        ("sub/NUL", Code::PathReserved),
        ("what?.txt", Code::PathReserved),
        ("dot.", Code::PathReserved),
        (".slipway/journal", Code::PathReserved),
        ("line\nbreak", Code::PathInvalid),
        ("nul\0byte", Code::PathInvalid),
        (deep.as_str(), Code::PathInvalid),
        (long.as_str(), Code::PathInvalid),
        ("FIRST.txt", Code::PathCaseClash),
        ("first.txt/below", Code::PathNotFolder),
    ] {
        refused(&lab, &ana, name, named(name), &[expected]).await;
    }
    // Alone in the archive a folder's name would be stripped: a refused one must not vanish that way.
    for (name, expected) in [
        ("../only.txt", Code::PathInvalid),
        ("/only.txt", Code::PathInvalid),
        ("C:/only.txt", Code::PathReserved),
        ("a/../../only.txt", Code::PathInvalid),
    ] {
        let zip = Zip::new().file(name, b"x").done();
        refused(&lab, &ana, name, zip, &[expected]).await;
    }
    let foreign = patched(named("XY.txt"), b"XY.txt", b"\xff\xfe.txt");
    refused(&lab, &ana, "not UTF-8", foreign, &[Code::PathInvalid]).await;
}

#[tokio::test]
async fn names_that_stand_twice_are_refused() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let twice = Zip::new()
        .file("a1.txt", b"one")
        .file("a2.txt", b"two")
        .done();
    let twice = patched(twice, b"a2.txt", b"a1.txt");
    refused(&lab, &ana, "twice", twice, &[Code::PathExists]).await;
    let both = Zip::new().file("thing", b"x").folder("thing").done();
    refused(&lab, &ana, "file, then folder", both, &[Code::PathExists]).await;
    let both = Zip::new().folder("thing").file("thing", b"x").done();
    refused(&lab, &ana, "folder, then file", both, &[Code::PathExists]).await;
    let both = Zip::new()
        .file("thing/in.txt", b"x")
        .file("thing", b"x")
        .done();
    refused(&lab, &ana, "folder by its file", both, &[Code::PathExists]).await;
    // Two spellings of one name.
    let both = Zip::new()
        .file("caf\u{e9}", b"1")
        .file("cafe\u{301}", b"2")
        .done();
    refused(&lab, &ana, "composed and not", both, &[Code::PathExists]).await;
}

#[tokio::test]
async fn links_stay_inside_or_are_refused() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    for (name, target) in [
        ("out", "/etc/passwd"),
        ("out", "../secret"),
        ("a/out", "../../secret"),
        ("out", "a/../../secret"),
        ("out", "C:\\windows"),
        ("out", ""),
    ] {
        let zip = Zip::new().file("first.txt", b"1").link(name, target).done();
        refused(&lab, &ana, target, zip, &[Code::LinkEscapes]).await;
    }
    let through = Zip::new()
        .link("way", "folder")
        .file("way/x", b"x")
        .folder("folder")
        .done();
    refused(
        &lab,
        &ana,
        "through a link",
        through,
        &[Code::PathNotFolder],
    )
    .await;
    let long = Zip::new().link("long", &"x".repeat(5_000)).done();
    refused(&lab, &ana, "endless", long, &[Code::LinkEscapes]).await;
    let inside = Zip::new()
        .folder("a")
        .file("b", b"x")
        .link("a/in", "../b")
        .done();
    let made = ana
        .import_workspace("good", Bytes::from(inside))
        .await
        .unwrap();
    let tree = ana.tree(made.id).await.unwrap().entries;
    let link = tree
        .iter()
        .find(|entry| entry.kind == Kind::Symlink)
        .unwrap();
    assert_eq!(link.target.as_deref(), Some("../b"));
}

#[tokio::test]
async fn bombs_are_refused_before_they_unfold() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let ratio = Zip::new().file("zeros", &vec![0; 64 << 20]).done();
    assert!(ratio.len() < 100_000);
    refused(&lab, &ana, "ratio", ratio, &[Code::ZipBomb]).await;
    refused(&lab, &ana, "count", promising(1 << 40), &[Code::ZipBomb]).await;
    refused(&lab, &ana, "count", promising(200_001), &[Code::ZipBomb]).await;
    refused(&lab, &ana, "hidden", hiding(200_001), &[Code::ZipBomb]).await;
    let large = Zip::new()
        .stored("large", &vec![b'x'; (100 << 20) + 1])
        .done();
    refused(&lab, &ana, "one file", large, &[Code::FileTooLarge]).await;
}

#[tokio::test]
async fn more_than_a_workspace_takes_is_refused_as_a_whole() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let one = Zip::new().file("one", &vec![0; 64 << 20]).done();
    let mut packed = zip::ZipArchive::new(Cursor::new(one)).unwrap();
    // Enough that does not shrink keeps the ratio below a bomb's.
    let noise: Vec<u8> = (0..2_000_000_u32)
        .flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes())
        .collect();
    let mut all = Zip::new().stored("noise", &noise);
    for number in 0..17 {
        let entry = packed.by_index(0).unwrap();
        all.0
            .raw_copy_file_rename(entry, format!("zeros {number}"))
            .unwrap();
    }
    refused(
        &lab,
        &ana,
        "1 GiB",
        all.done(),
        &[Code::ZipBomb, Code::WorkspaceFull],
    )
    .await;
}

#[tokio::test]
async fn what_is_no_whole_zip_file_is_refused() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let whole = named("second.txt");
    for (what, zip) in [
        ("empty", Vec::new()),
        ("not a zip", b"# not a zip\n".repeat(1_000)),
        ("only the start", b"PK\x03\x04".to_vec()),
        ("cut in the middle", whole[..whole.len() / 2].to_vec()),
        ("cut at the end", whole[..whole.len() - 1].to_vec()),
        (
            "something behind the end",
            [whole.clone(), b"more".to_vec()].concat(),
        ),
        ("encrypted", flagged(whole.clone(), 1)),
        (
            "damaged",
            patched_once(
                Zip::new().stored("a", b"some content").done(),
                b"some",
                b"SOME",
            ),
        ),
        ("a list that lies", promising(3)),
        ("another list than the last", with_a_second_end()),
    ] {
        refused(&lab, &ana, what, zip, &[Code::ZipInvalid]).await;
    }
}

fn patched_once(mut zip: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = zip
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    zip[at..at + to.len()].copy_from_slice(to);
    zip
}

#[tokio::test]
async fn an_empty_archive_is_an_empty_workspace_and_one_folder_is_opened() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let empty = ana
        .import_workspace("empty", Bytes::from(Zip::new().done()))
        .await
        .unwrap();
    assert!(ana.tree(empty.id).await.unwrap().entries.is_empty());
    let zip = Zip::new()
        .folder("project")
        .file("project/main.py", b"x")
        .folder("project/sub")
        .done();
    let opened = ana
        .import_workspace("opened", Bytes::from(zip))
        .await
        .unwrap();
    assert_eq!(paths(&ana, opened.id).await, ["main.py", "sub"]);
}

async fn paths(ana: &Client, workspace: WorkspaceId) -> Vec<String> {
    let entries = ana.tree(workspace).await.unwrap().entries;
    entries
        .into_iter()
        .map(|entry| entry.path.to_string())
        .collect()
}

/// What must survive the way out and in; revisions need not.
fn lasting(entries: Vec<Entry>) -> Vec<Entry> {
    entries
        .into_iter()
        .map(|entry| Entry {
            revision: 0,
            ..entry
        })
        .collect()
}

#[tokio::test]
async fn what_goes_out_comes_in_the_same() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let from = ana
        .create_workspace("from", Template::Empty)
        .await
        .unwrap()
        .id;
    let operations = json!([
        { "path": "only/empty", "kind": "folder" },
        { "path": "only/run.sh", "kind": "file", "text": "#!/bin/sh\n", "executable": true },
        { "path": "only/nothing", "kind": "file", "text": "" },
        { "path": "only/Grüße/日本.txt", "kind": "file", "text": "ü" },
        { "path": "only/bytes", "kind": "file", "base64": "AP8A/w==" },
        { "path": "only/to", "kind": "symlink", "target": "Grüße/日本.txt" },
    ]);
    let commit = json!({ "batch": "all", "operations": operations });
    let done = ana
        .request(Method::POST, &format!("/workspaces/{from}/commits"))
        .json(&commit);
    let done: slipway_api::file::Committed = ana.send(done).await.unwrap().json().await.unwrap();
    assert!(
        done.outcomes.iter().all(|outcome| outcome.code.is_none()),
        "{done:?}"
    );
    let large: Vec<u8> = (0..1_400_000_u32)
        .flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes())
        .collect();
    let large = Bytes::from(large);
    ana.write_file(from, "only/large.bin", None, large.clone())
        .await
        .unwrap();

    let zip = ana.export_workspace(from).await.unwrap();
    let to = ana.import_workspace("to", zip.clone()).await.unwrap();
    let (before, after) = (
        ana.tree(from).await.unwrap(),
        ana.tree(to.id).await.unwrap(),
    );
    assert_eq!(lasting(after.entries), lasting(before.entries));
    assert_eq!(ana.read_file(to.id, "only/large.bin").await.unwrap(), large);
    assert_eq!(ana.workspace(from).await.unwrap().bytes, to.bytes);
    let again = ana.export_workspace(to.id).await.unwrap();
    let again = ana.import_workspace("again", again).await.unwrap();
    assert_eq!(paths(&ana, again.id).await, paths(&ana, from).await);
}
