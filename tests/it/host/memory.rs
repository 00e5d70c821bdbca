//! Memory does not grow with the size of a file, whichever way it comes or goes.
use std::io::Write as _;

use bytes::Bytes;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use slipway_api::file::{Restore, Uploaded};
use slipway_api::workspace::Template;
use slipway_core::hash::ContentHash;

use super::Home;

const FILE_BYTES: usize = 90 << 20;
/// A few pieces on their way in each direction, and what the allocator holds on to. Half a file would not pass.
const GROWTH_BYTES: u64 = 40 << 20;

/// Bytes that do not shrink, so that nothing is smaller on its way than it is.
fn noise() -> Bytes {
    let mut state = 7_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(FILE_BYTES / 8).flatten().collect()
}

fn zipped(content: &[u8]) -> Bytes {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("large.bin", options).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner().into()
}

/// Bytes of the server's memory that were in use at once at most, since this was asked last.
fn peak(home: &Home) -> u64 {
    let process = format!("/proc/{}", home.server().pid().unwrap());
    let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    // "5" sets the peak back to what is in use now.
    std::fs::write(format!("{process}/clear_refs"), "5").unwrap();
    kib << 10
}

#[tokio::test]
async fn a_large_file_passes_through_the_server_without_being_held() {
    let home = Home::start().await;
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let content = noise();
    let hash = ContentHash::of(&content);
    // Whatever is made once is made before it is measured.
    let small = content.slice(..3 << 20);
    ana.write_file(workspace, "small.bin", None, small)
        .await
        .unwrap();
    ana.read_file(workspace, "small.bin").await.unwrap();
    ana.export_workspace(workspace).await.unwrap();
    peak(&home);
    let before = peak(&home);
    let bounded = |what: &str| {
        let grown = peak(&home).saturating_sub(before);
        assert!(grown < GROWTH_BYTES, "{what}: {} MiB more", grown >> 20);
    };

    let written = ana.write_file(workspace, "large.bin", None, content.clone());
    let first = written.await.unwrap().revision;
    bounded("write");
    assert_eq!(
        ContentHash::of(&ana.read_file(workspace, "large.bin").await.unwrap()),
        hash
    );
    bounded("read");
    let other = ana.create_workspace("o", Template::Empty).await.unwrap().id;
    let part = Part::stream(content.clone()).file_name("large.bin");
    let upload = ana.request(Method::POST, &format!("/workspaces/{other}/uploads"));
    let upload = upload.multipart(Form::new().part("file", part));
    let done: Uploaded = ana.send(upload).await.unwrap().json().await.unwrap();
    assert!(done.files[0].entry.is_some(), "{done:?}");
    bounded("upload");
    let over = ana.write_file(
        workspace,
        "large.bin",
        Some(&hash),
        Bytes::from_static(b"small"),
    );
    over.await.unwrap();
    let restore = Restore {
        revision: first,
        path: None,
        from: None,
    };
    ana.restore(workspace, &restore).await.unwrap();
    bounded("restore");
    ana.export_workspace(workspace).await.unwrap();
    bounded("export");
    let to = ana
        .import_workspace("again", zipped(&content))
        .await
        .unwrap()
        .id;
    bounded("import");
    assert_eq!(
        ContentHash::of(&ana.read_file(to, "large.bin").await.unwrap()),
        hash
    );
}
