//! Connections that come too slowly, stop in the middle or say nothing: each is ended by the server, none holds it.
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use slipway_client::rest::Client;
use slipway_core::code::Code;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{healthy, workspace};
use crate::lab::{Lab, PATIENCE};

/// Short enough for a test, long enough for a request of a client that does not dawdle.
const SHORT: &[&str] = &[
    "--http-head-ms=400",
    "--http-body-ms=400",
    "--ws-ping-ms=100",
    "--ws-silence-ms=400",
];

async fn connect(lab: &Lab) -> TcpStream {
    let address = lab.base().strip_prefix("http://").expect("an address");
    TcpStream::connect(address).await.expect("a connection")
}

/// All that the server says until it ends the connection.
async fn last_words(stream: &mut TcpStream) -> String {
    let mut words = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut words))
        .await
        .expect("the server ends the connection")
        // A reset after the words is an end, too.
        .ok();
    String::from_utf8_lossy(&words).into_owned()
}

fn head(client: &Client, line: &str, more: &str) -> String {
    let token = client.token().expect("signed in").expose();
    format!("{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{more}\r\n")
}

#[tokio::test]
async fn a_connection_whose_head_never_ends_is_closed() {
    let lab = Lab::with_flags(SHORT).await;
    let ana = lab.user("ana").await;
    for start in [
        "",
        "G",
        "PRI * HTTP/2.0\r\n",
        "GET /livez HTTP/1.1\r\nhost: localhost\r\nx-half",
    ] {
        let mut stream = connect(&lab).await;
        stream.write_all(start.as_bytes()).await.unwrap();
        let words = last_words(&mut stream).await;
        assert!(!words.contains("200 OK"), "{start:?}: {words}");
    }
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_body_that_stops_or_trickles_is_ended_with_words() {
    let lab = Lab::with_flags(SHORT).await;
    let ana = lab.user("ana").await;
    let workspace = workspace(&ana).await;
    let at = format!("/api/v1/workspaces/{workspace}");
    let upload = "content-type: multipart/form-data; boundary=x\r\ncontent-length: 1000000\r\n";
    let file = "if-none-match: *\r\ncontent-length: 1000000\r\n";
    let json = "content-type: application/json\r\ncontent-length: 1000000\r\n";
    for (line, more, start) in [
        (format!("PUT {at}/files/slow.txt"), file, "some of it"),
        (format!("POST {at}/commits"), json, "{\"batch\":"),
        (
            format!("POST {at}/uploads"),
            upload,
            "--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nsome",
        ),
        (
            "POST /api/v1/workspaces/import?name=slow".to_owned(),
            "content-length: 1000000\r\n",
            "PK",
        ),
    ] {
        for trickles in [false, true] {
            let (mut reader, mut writer) = connect(&lab).await.into_split();
            writer
                .write_all(head(&ana, &line, more).as_bytes())
                .await
                .unwrap();
            writer.write_all(start.as_bytes()).await.unwrap();
            let trickle = async {
                // waits: a byte now and then is what is tested; it ends with the connection.
                let mut every = tokio::time::interval(std::time::Duration::from_millis(50));
                while trickles && writer.write_all(b" ").await.is_ok() {
                    every.tick().await;
                }
                std::future::pending::<()>().await;
            };
            let mut words = Vec::new();
            let read = async {
                let mut piece = [0; 4096];
                while !String::from_utf8_lossy(&words).contains("body_stalled") {
                    let many = reader.read(&mut piece).await.expect("words before the end");
                    assert!(many > 0, "{line}: {}", String::from_utf8_lossy(&words));
                    words.extend_from_slice(&piece[..many]);
                }
            };
            tokio::select! {
                () = trickle => {}
                done = tokio::time::timeout(PATIENCE, read) => done.expect("an answer"),
            }
            let words = String::from_utf8_lossy(&words);
            assert!(words.starts_with("HTTP/1.1 408"), "{line}: {words}");
        }
    }
    let paths = ana.tree(workspace).await.unwrap().entries;
    assert!(
        paths
            .iter()
            .all(|entry| !entry.path.as_str().contains("slow"))
    );
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = workspace(&ana).await;
    let line = format!("PUT /api/v1/workspaces/{workspace}/files/half.bin");
    let mut stream = connect(&lab).await;
    let more = "if-none-match: *\r\ncontent-length: 3000000\r\n";
    stream
        .write_all(head(&ana, &line, more).as_bytes())
        .await
        .unwrap();
    stream.write_all(&vec![7; 2_500_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let words = last_words(&mut stream).await;
    assert!(
        words.is_empty() || words.contains("invalid_request"),
        "{words}"
    );
    let tree = ana.tree(workspace).await.unwrap();
    assert!(
        tree.entries
            .iter()
            .all(|entry| entry.path.as_str() != "half.bin")
    );
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_websocket_that_answers_no_ping_is_dropped() {
    let lab = Lab::with_flags(SHORT).await;
    let ana = lab.user("ana").await;
    let mut stream = connect(&lab).await;
    let more = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    stream
        .write_all(head(&ana, "GET /api/v1/ws", more).as_bytes())
        .await
        .unwrap();
    // Reads, but never answers: the pings come, then the end.
    let words = last_words(&mut stream).await;
    assert!(words.starts_with("HTTP/1.1 101"), "{words}");
    // One that answers stays: more time passes than silence allows, counted in pings.
    let mut living = open(&lab, &ana).await;
    for _ in 0..8 {
        let message = tokio::time::timeout(PATIENCE, living.next())
            .await
            .expect("a ping");
        assert!(matches!(message, Some(Ok(Message::Ping(_)))), "{message:?}");
        living.flush().await.expect("the answer goes out");
    }
    healthy(&lab, &ana).await;
}

type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn open(lab: &Lab, client: &Client) -> Socket {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    let mut request = format!("{}/api/v1/ws", lab.base().replacen("http", "ws", 1))
        .into_client_request()
        .expect("an address");
    let token = format!("Bearer {}", client.token().expect("signed in").expose());
    request
        .headers_mut()
        .insert("authorization", token.parse().expect("a value"));
    let (socket, _) = tokio_tungstenite::client_async(request, connect(lab).await)
        .await
        .expect("a socket");
    socket
}

/// How a socket ends: the problem's code if one is told, and the closing code if there is one.
async fn end(socket: &mut Socket) -> (Option<Code>, Option<CloseCode>) {
    use prost::Message as _;
    let mut told = None;
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("an end");
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                let frame = slipway_proto::v1::WsServer::decode(bytes).expect("a frame");
                if let Some(slipway_proto::v1::ws_server::Body::Closed(closed)) = frame.body {
                    told = Code::parse(&closed.code);
                }
            }
            Some(Ok(Message::Close(frame))) => return (told, frame.map(|frame| frame.code)),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return (told, None),
        }
    }
}

#[tokio::test]
async fn frames_that_are_none_of_ours_end_their_socket_and_no_other() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let mut other = open(&lab, &ana).await;
    for message in [
        Message::Text("hello".into()),
        Message::Binary(Bytes::from_static(b"\xff\xff\xff\xff garbage")),
        Message::Binary(Bytes::new()),
        Message::Binary(Bytes::from(vec![0x0a; 200_000])),
    ] {
        let mut socket = open(&lab, &ana).await;
        socket.send(message.clone()).await.expect("sent");
        let ended = end(&mut socket).await;
        assert_eq!(
            ended,
            (Some(Code::ProtocolMismatch), Some(CloseCode::Protocol)),
            "{message:?}"
        );
    }
    // Larger than any frame of ours: the connection ends, whether or not its last words arrive.
    let mut socket = open(&lab, &ana).await;
    socket
        .send(Message::Binary(Bytes::from(vec![0; 1 << 20])))
        .await
        .ok();
    end(&mut socket).await;
    // Not even a WebSocket frame: reserved bits, then noise.
    let mut socket = open(&lab, &ana).await;
    socket.get_mut().write_all(&[0xff; 64]).await.unwrap();
    end(&mut socket).await;
    other
        .send(Message::Ping(Bytes::from_static(b"there?")))
        .await
        .expect("sent");
    let answer = tokio::time::timeout(PATIENCE, other.next())
        .await
        .expect("an answer");
    assert!(matches!(answer, Some(Ok(Message::Pong(_)))), "{answer:?}");
    healthy(&lab, &ana).await;
}

/// How often it is looked what became of a connection.
const LOOK: std::time::Duration = std::time::Duration::from_millis(20);

/// Whether the system still holds the server's side of a connection open.
fn is_open(client: &TcpStream) -> bool {
    let port = |address: std::io::Result<std::net::SocketAddr>| {
        format!(":{:04X}", address.expect("connected").port())
    };
    let (client, server) = (port(client.local_addr()), port(client.peer_addr()));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of connections");
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.len() > 3
            && fields[1].ends_with(&server)
            && fields[2].ends_with(&client)
            && fields[3] == "01"
    })
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let lab = Lab::with_flags(&["--http-write-ms=400"]).await;
    let ana = lab.user("ana").await;
    let workspace = workspace(&ana).await;
    // More than the system's buffers hold, and nothing that packs.
    let noise = (0..6_000_000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes());
    let noise = Bytes::from_iter(noise);
    let many = noise.len();
    ana.write_file(workspace, "noise.bin", None, noise)
        .await
        .unwrap();
    for end in ["files/noise.bin", "export"] {
        let mut stream = connect(&lab).await;
        let line = format!("GET /api/v1/workspaces/{workspace}/{end}");
        stream
            .write_all(head(&ana, &line, "").as_bytes())
            .await
            .unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        assert!(is_open(&stream), "{end}");
        let cut = async {
            while is_open(&stream) {
                tokio::time::sleep(LOOK).await; // waits: only the system's table tells what became of the other side
            }
        };
        tokio::time::timeout(PATIENCE, cut)
            .await
            .expect("it is cut");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
        assert!(rest.len() < many, "{end}: all of it came");
    }
    healthy(&lab, &ana).await;
}
