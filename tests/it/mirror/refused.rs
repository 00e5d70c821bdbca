//! Folders that may not follow, and links that are none.
use reqwest::Method;
use serde_json::json;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::{Id as _, WorkspaceId};
use slipway_core::limits::SYNC_LINKS_PER_DEVICE_MAX;
use slipway_proto::PROTOCOL;
use slipway_proto::v1::sync_client::SyncClient;
use slipway_proto::v1::{self, hub_frame, spoke_bulk, spoke_frame};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::folder::{Folder, signed_in_again};
use crate::grpc::{channel, with_token};
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

#[tokio::test]
async fn a_folder_follows_only_what_its_person_may_write() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let workspace = ana.empty_workspace().await;
    let unknown = WorkspaceId::from_parts(1, [1; 10]);
    for (client, workspace, code) in [
        (&ana, unknown, Code::NotFound),
        (&bo, workspace, Code::NotFound),
        (
            &Client::new(lab.base()).unwrap(),
            workspace,
            Code::SignInRequired,
        ),
    ] {
        let folder = Folder::open(client, workspace);
        folder.write("mine.txt", "mine\n");
        assert_eq!(folder.is_refused().await, code);
        assert_eq!(folder.read("mine.txt"), "mine\n");
    }
    let archived = async |archived: bool| {
        let path = format!("/workspaces/{workspace}");
        let request = ana.request(Method::PATCH, &path);
        ana.send(request.json(&json!({ "archived": archived })))
            .await
            .unwrap();
    };
    archived(true).await;
    let folder = Folder::open(&ana, workspace);
    folder.write("mine.txt", "mine\n");
    assert_eq!(folder.is_refused().await, Code::WorkspaceInactive);
    archived(false).await;
    folder.dials(&ana);
    folder.flush().await;
    assert_eq!(
        ana.read_file(workspace, "mine.txt").await.unwrap(),
        "mine\n"
    );
    ana.delete_workspace(workspace, "tides").await.unwrap();
    let folder = Folder::open(&ana, workspace);
    assert_eq!(folder.is_refused().await, Code::WorkspaceInactive);
}

pub(super) type Control = (mpsc::Sender<v1::SpokeFrame>, Streaming<v1::HubFrame>);

pub(super) async fn control(
    lab: &Lab,
    client: &Client,
    hello: v1::SpokeHello,
) -> Result<Control, Status> {
    let (sender, mut frames) = mpsc::channel(4);
    let frame = Some(spoke_frame::Frame::Hello(hello));
    sender.try_send(v1::SpokeFrame { frame }).expect("room");
    let frames = futures_util::stream::poll_fn(move |cx| frames.poll_recv(cx));
    let mut sync = SyncClient::new(channel(lab).await);
    let answer = sync.control(with_token(client, frames)).await?;
    Ok((sender, answer.into_inner()))
}

pub(super) type Contents = (mpsc::Sender<v1::SpokeBulk>, Streaming<v1::HubBulk>);

pub(super) async fn bulk(lab: &Lab, client: &Client, link: &str) -> Result<Contents, Status> {
    let (sender, mut frames) = mpsc::channel(4);
    let link_id = link.to_owned();
    let frame = Some(spoke_bulk::Frame::Hello(v1::BulkHello { link_id }));
    sender.try_send(v1::SpokeBulk { frame }).expect("room");
    let frames = futures_util::stream::poll_fn(move |cx| frames.poll_recv(cx));
    let mut sync = SyncClient::new(channel(lab).await);
    let answer = sync.bulk(with_token(client, frames)).await?;
    Ok((sender, answer.into_inner()))
}

pub(super) fn hello(workspace: WorkspaceId) -> v1::SpokeHello {
    v1::SpokeHello {
        protocol: PROTOCOL,
        workspace_id: workspace.to_string(),
        replica_id: workspace.to_string(),
        ..v1::SpokeHello::default()
    }
}

pub(super) async fn link(control: &mut Control) -> String {
    let first = control.1.message().await.expect("a stream");
    match first.expect("a frame").frame {
        Some(hub_frame::Frame::Hello(hello)) => hello.link_id,
        other => panic!("a hello comes first, not {other:?}"),
    }
}

fn code(status: &Status) -> Option<Code> {
    let told = status.metadata().get("slipway-code")?;
    Code::parse(told.to_str().ok()?)
}

/// The code that a stream ends with.
async fn end<T: std::fmt::Debug>(mut frames: Streaming<T>) -> Option<Code> {
    let ended = async {
        loop {
            match frames.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ends with a reason"),
                Err(status) => return code(&status),
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, ended);
    ended.await.expect("in time")
}

#[tokio::test]
async fn a_link_is_its_devices_and_completed_once() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let other = signed_in_again(&lab, "ana").await;
    let workspace = ana.empty_workspace().await;
    let mut first = control(&lab, &ana, hello(workspace)).await.unwrap();
    let name = link(&mut first).await;
    let refused = Some(Code::NotFound);
    for (client, name) in [(&ana, "unknown"), (&other, name.as_str())] {
        let status = bulk(&lab, client, name).await.unwrap_err();
        assert_eq!(code(&status), refused);
    }
    let contents = bulk(&lab, &ana, &name).await.unwrap();
    let again = bulk(&lab, &ana, &name).await.unwrap_err();
    assert_eq!(code(&again), refused);
    // What it begins with after its hello is the listing: the link is whole.
    assert!(first.1.message().await.unwrap().is_some());
    // Without its contents it is none.
    drop(contents);
    assert_eq!(end(first.1).await, Some(Code::GoingAway));
    for protocol in [PROTOCOL - 1, PROTOCOL + 1] {
        let beside = v1::SpokeHello {
            protocol,
            ..hello(workspace)
        };
        let mut control = control(&lab, &ana, beside).await.unwrap();
        link(&mut control).await;
    }
    let far = v1::SpokeHello {
        protocol: PROTOCOL + 2,
        ..hello(workspace)
    };
    let nameless = v1::SpokeHello {
        replica_id: String::new(),
        ..hello(workspace)
    };
    for (hello, words) in [(far, "Update the older one."), (nameless, "by a UUID")] {
        let status = control(&lab, &ana, hello).await.unwrap_err();
        assert_eq!(code(&status), Some(Code::ProtocolMismatch));
        assert!(status.message().contains(words), "{status:?}");
    }
}

#[tokio::test]
async fn a_link_whose_contents_do_not_come_is_told_so() {
    let lab = Lab::with_flags(&["--http-head-ms=300"]).await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let half = control(&lab, &ana, hello(workspace)).await.unwrap();
    assert_eq!(end(half.1).await, Some(Code::BodyStalled));
}

#[tokio::test]
async fn a_device_has_so_many_links_and_no_more() {
    // None of them is given up meanwhile.
    let lab = Lab::with_flags(&["--http-head-ms=600000"]).await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let mut links = Vec::new();
    for _ in 0..SYNC_LINKS_PER_DEVICE_MAX {
        links.push(control(&lab, &ana, hello(workspace)).await.unwrap());
    }
    let refused = control(&lab, &ana, hello(workspace)).await.unwrap_err();
    assert_eq!(code(&refused), Some(Code::TooManyRequests));
    let other = signed_in_again(&lab, "ana").await;
    assert!(control(&lab, &other, hello(workspace)).await.is_ok());
}
