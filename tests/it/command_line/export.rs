//! `slipway export`: a whole file or none.
use std::process::Stdio;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::desk::{Desk, PASSWORD};
use super::signed_in;
use crate::lab::PATIENCE;
use crate::way::Way;

#[tokio::test]
async fn an_export_is_a_whole_file_and_replaces_none_unasked() {
    let (_lab, ana, workspace, desk) = signed_in().await;
    ana.write_file(workspace, "a.txt", None, "one\n".into())
        .await
        .unwrap();
    let exported = desk.slipway(&["export", "tides"]).await;
    assert_eq!(exported.code, 0, "{exported:?}");
    let mut zip =
        zip::ZipArchive::new(std::fs::File::open(desk.path("tides.zip")).unwrap()).unwrap();
    assert!(zip.by_name("a.txt").is_ok());

    std::fs::write(desk.path("tides.zip"), "mine").unwrap();
    let refused = desk.slipway(&["export", "tides", "--json"]).await;
    assert_eq!(
        (refused.code, refused.error_code()),
        (1, "file_exists".to_owned())
    );
    assert_eq!(std::fs::read(desk.path("tides.zip")).unwrap(), b"mine");
    let forced = desk.slipway(&["export", "tides", "--force"]).await;
    assert_eq!(forced.code, 0, "{forced:?}");
    assert_ne!(std::fs::read(desk.path("tides.zip")).unwrap(), b"mine");
    let nowhere = desk.slipway(&["export", "tides", "missing/t.zip"]).await;
    assert_eq!(nowhere.code, 1, "{nowhere:?}");
    assert!(
        nowhere.stderr.contains("missing cannot be used"),
        "{nowhere:?}"
    );
    assert!(!nowhere.stderr.contains(".tmp"), "{nowhere:?}");
}

/// A server that answers a list of workspaces, and of an export only the beginning: it ends there, or goes on for ever.
async fn half(list: String, ends: bool) -> (String, mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, list.clone(), ends, tell.clone()));
        }
    });
    (base, told)
}

async fn answer(mut stream: TcpStream, list: String, ends: bool, tell: mpsc::UnboundedSender<()>) {
    let mut head = BufReader::new(&mut stream).lines();
    let asked = head.next_line().await.ok().flatten().unwrap_or_default();
    while let Ok(Some(line)) = head.next_line().await
        && !line.is_empty()
    {}
    let (length, body) = match asked.contains("/export") {
        true => (1 << 30, "PK half of it"),
        false => (list.len(), list.as_str()),
    };
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await.ok();
    if length == list.len() || ends {
        return;
    }
    while stream.write_all(&[b'x'; 4096]).await.is_ok() {
        tell.send(()).ok();
    }
}

/// A desk that is signed in, whose server is a broken one by now.
async fn half_served(ends: bool) -> (Desk, mpsc::UnboundedReceiver<()>, crate::lab::Lab) {
    let (lab, ana, _workspace, desk) = signed_in().await;
    let way = Way::to(lab.base()).await;
    let login = desk
        .login(&way.base, "ana@example.org", PASSWORD, &[])
        .await;
    assert_eq!(login.code, 0, "{login:?}");
    let list = ana.workspaces().await.expect("a list");
    let list = serde_json::to_string(&list).expect("in JSON");
    let (base, told) = half(list, ends).await;
    way.lead_to(&base);
    (desk, told, lab)
}

#[tokio::test]
async fn an_export_that_breaks_off_leaves_nothing() {
    let (desk, _told, _lab) = half_served(true).await;
    let broken = desk.slipway(&["export", "tides", "--json"]).await;
    assert_eq!(
        (broken.code, broken.error_code()),
        (4, "unreachable".to_owned()),
        "{broken:?}"
    );
    assert_eq!(std::fs::read_dir(desk.path("")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_export_that_is_interrupted_leaves_nothing() {
    let (desk, mut told, _lab) = half_served(false).await;
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut command = desk.command(&["export", "tides"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        // More than the way holds: a part of it was written.
        for _ in 0..4096 {
            told.recv().await.unwrap();
        }
        assert_eq!(std::fs::read_dir(desk.path("")).unwrap().count(), 1);
        let pid = Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
        let ended = ended.expect("in time").unwrap();
        assert_eq!(ended.code(), Some(128 + signal.as_raw()), "{signal:?}");
        assert_eq!(std::fs::read_dir(desk.path("")).unwrap().count(), 0);
        while told.try_recv().is_ok() {}
    }
}
