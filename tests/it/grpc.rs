//! gRPC on the port of everything else: a terminal and events by calls of their own, for whoever shows a token.
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::code::Code;
use slipway_core::id::SessionId;
use slipway_proto::v1::event::Event;
use slipway_proto::v1::events_client::EventsClient;
use slipway_proto::v1::terminal_client::Frame;
use slipway_proto::v1::terminals_client::TerminalsClient;
use slipway_proto::v1::{self, terminal_server};
use tokio::sync::mpsc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

pub(crate) async fn channel(lab: &Lab) -> Channel {
    let endpoint = Endpoint::from_shared(lab.base().to_owned()).expect("an address");
    endpoint.connect().await.expect("a connection")
}

pub(crate) fn with_token<T>(client: &Client, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = format!("Bearer {}", client.token().expect("signed in").expose());
    let token = token.parse().expect("a value");
    request.metadata_mut().insert("authorization", token);
    request
}

fn client_frame(frame: Frame) -> v1::TerminalClient {
    v1::TerminalClient { frame: Some(frame) }
}

fn hello(session: &str, terminal: &str) -> v1::TerminalClient {
    client_frame(Frame::Hello(v1::Hello {
        terminal_id: terminal.to_owned(),
        client_id: terminal.to_owned(),
        cols: 80,
        rows: 24,
        window: 65_536,
        visible: true,
        session_id: session.to_owned(),
        ..v1::Hello::default()
    }))
}

/// A stream that stays open for input, after these first frames.
fn typed(
    first: Vec<v1::TerminalClient>,
) -> (
    mpsc::Sender<v1::TerminalClient>,
    impl futures_util::Stream<Item = v1::TerminalClient>,
) {
    let (sender, mut frames) = mpsc::channel(8);
    for frame in first {
        sender.try_send(frame).expect("room for the first frames");
    }
    let frames = futures_util::stream::poll_fn(move |cx| frames.poll_recv(cx));
    (sender, frames)
}

async fn refused<T: std::fmt::Debug>(
    answer: Result<tonic::Response<Streaming<T>>, Status>,
) -> (tonic::Code, Option<Code>) {
    let status = match answer {
        Err(status) => status,
        Ok(answer) => {
            let mut frames = answer.into_inner();
            let first = tokio::time::timeout(PATIENCE, frames.message());
            first.await.expect("in time").expect_err("a refusal")
        }
    };
    let told = status.metadata().get("slipway-code");
    (
        status.code(),
        told.and_then(|code| Code::parse(code.to_str().ok()?)),
    )
}

#[tokio::test]
async fn a_program_attaches_to_a_terminal_and_sees_its_echo() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await.id;
    let terminal = ana.open_terminal(session, 80, 24).await.unwrap().id;
    let mut terminals = TerminalsClient::new(channel(&lab).await);
    let (keys, frames) = typed(vec![
        hello(&session.to_string(), &terminal.to_string()),
        client_frame(Frame::Input(v1::Input {
            offset: 0,
            data: "echo up=$((40+2))\r".into(),
        })),
    ]);
    let attached = terminals.attach(with_token(&ana, frames)).await.unwrap();
    let mut shown = attached.into_inner();
    let mut seen = Vec::new();
    let echoed = async {
        while !String::from_utf8_lossy(&seen).contains("up=42") {
            let frame = shown.message().await.unwrap().expect("it goes on").frame;
            if let Some(terminal_server::Frame::Output(output)) = frame {
                seen.extend_from_slice(&output.data);
            }
        }
    };
    tokio::time::timeout(PATIENCE, echoed)
        .await
        .expect("in time");
    // It ends with the sign-in.
    ana.sign_out().await.unwrap();
    let ended = async {
        loop {
            match shown.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ends with a reason"),
                Err(status) => return status.code(),
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("in time");
    assert_eq!(ended, tonic::Code::Unauthenticated);
    drop(keys);
}

#[tokio::test]
async fn without_a_token_or_for_what_is_not_ones_own_a_call_is_refused() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await.id;
    let terminal = ana
        .open_terminal(session, 80, 24)
        .await
        .unwrap()
        .id
        .to_string();
    let mut terminals = TerminalsClient::new(channel(&lab).await);
    let mut attach = async |session: &str, by: Option<&Client>, cookie: bool| {
        let (_keys, frames) = typed(vec![hello(session, &terminal)]);
        let mut request = match by {
            Some(client) => with_token(client, frames),
            None => Request::new(frames),
        };
        if cookie {
            let token = ana.token().unwrap().expose();
            let cookie = format!("slipway_token={token}").parse().unwrap();
            request.metadata_mut().insert("cookie", cookie);
        }
        refused(terminals.attach(request).await).await
    };
    let unauthenticated = (tonic::Code::Unauthenticated, Some(Code::SignInRequired));
    let not_found = (tonic::Code::NotFound, Some(Code::NotFound));
    let own = session.to_string();
    assert_eq!(attach(&own, None, false).await, unauthenticated);
    // A browser sends cookies by itself, from whatever page.
    assert_eq!(attach(&own, None, true).await, unauthenticated);
    assert_eq!(attach(&own, Some(&bo), false).await, not_found);
    assert_eq!(attach("no id", Some(&ana), false).await, not_found);
    let unknown = <SessionId as slipway_core::id::Id>::from_parts(1, [1; 10]).to_string();
    assert_eq!(attach(&unknown, Some(&ana), false).await, not_found);
    let (_keys, frames) = typed(vec![client_frame(Frame::Detach(v1::Detach {}))]);
    let answer = terminals.attach(with_token(&ana, frames)).await;
    assert_eq!(
        refused(answer).await,
        (tonic::Code::InvalidArgument, Some(Code::ProtocolMismatch))
    );
    let mut events = EventsClient::new(channel(&lab).await);
    let workspace_id = workspace.to_string();
    let subscribe = || v1::SubscribeEvents {
        workspace_id: workspace_id.clone(),
    };
    let answer = events.subscribe(Request::new(subscribe())).await;
    assert_eq!(refused(answer).await, unauthenticated);
    let answer = events.subscribe(with_token(&bo, subscribe())).await;
    assert_eq!(refused(answer).await, not_found);
}

#[tokio::test]
async fn events_begin_with_the_present_and_end_with_the_server() {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let mut events = EventsClient::new(channel(&lab).await);
    let subscribe = v1::SubscribeEvents {
        workspace_id: workspace.to_string(),
    };
    let answer = events.subscribe(with_token(&ana, subscribe)).await.unwrap();
    let mut events = answer.into_inner();
    let heads = async |events: &mut Streaming<v1::Event>| loop {
        let next = tokio::time::timeout(PATIENCE, events.message());
        match next.await.expect("in time") {
            Ok(Some(v1::Event {
                event: Some(Event::Workspace(moved)),
            })) => return Ok(moved.head),
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ends with a reason"),
            Err(status) => return Err(status.code()),
        }
    };
    let before = heads(&mut events).await.unwrap();
    ana.write_file(workspace, "a.txt", None, "a".into())
        .await
        .unwrap();
    assert_eq!(heads(&mut events).await, Ok(before + 1));
    lab.app().stopping.cancel();
    assert_eq!(heads(&mut events).await, Err(tonic::Code::Unavailable));
    lab.stop().await;
}
