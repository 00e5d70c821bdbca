//! More connections than a server takes: each address has its share of the seats, and nobody else's.
use slipway_client::rest::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::healthy;
use crate::lab::{Lab, PATIENCE};

/// A connection from one of the addresses of loopback.
async fn connect_from(lab: &Lab, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    let to = lab.base().strip_prefix("http://").unwrap();
    socket.connect(to.parse().unwrap()).await.unwrap()
}

/// The first line of an answer; empty when the connection is ended without one.
async fn answer(stream: &mut TcpStream, request: &str) -> String {
    let asked = async {
        stream.write_all(request.as_bytes()).await?;
        let mut first = [0; 12];
        stream.read_exact(&mut first).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&first).into_owned())
    };
    let asked = tokio::time::timeout(PATIENCE, asked).await;
    asked.expect("an answer or an end").unwrap_or_default()
}

/// A connection on which a request was answered, so that it has a seat for sure; `None` when there is none for it.
async fn served(lab: &Lab, last: u8) -> Option<TcpStream> {
    let mut stream = connect_from(lab, last).await;
    let first = answer(
        &mut stream,
        "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n",
    )
    .await;
    (first == "HTTP/1.1 200").then_some(stream)
}

async fn websocket_from(lab: &Lab, last: u8, client: &Client) -> TcpStream {
    let token = client.token().unwrap().expose();
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: upgrade\r\n\
            upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut stream = connect_from(lab, last).await;
    assert_eq!(answer(&mut stream, &request).await, "HTTP/1.1 101");
    stream
}

/// Waits until there is a seat for an address: the server hears of an end a moment after it.
async fn until_served(lab: &Lab, last: u8) -> TcpStream {
    let served = async {
        loop {
            if let Some(stream) = served(lab, last).await {
                return stream;
            }
            // waits: the server tells nobody that it heard of an end
            tokio::task::yield_now().await;
        }
    };
    let served = tokio::time::timeout(PATIENCE, served).await;
    served.expect("a seat")
}

#[tokio::test]
async fn one_address_takes_its_share_of_the_connections_and_no_other_is_kept_out() {
    let lab = Lab::with_flags(&["--http-connections-per-address-max=4"]).await;
    let ana = lab.user("ana").await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(connect_from(&lab, 2).await);
    }
    // A socket counts for as long as it is open, not only while it is opened.
    let socket = websocket_from(&lab, 2, &ana).await;
    assert!(served(&lab, 2).await.is_none());
    assert!(served(&lab, 3).await.is_some());
    drop(socket);
    until_served(&lab, 2).await;
    drop(silent);
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_trusted_proxy_has_no_share_but_all_together_have_a_bound() {
    let lab = Lab::with_flags(&[
        "--trusted-proxy=127.0.0.2",
        "--http-connections-per-address-max=1",
        "--http-connections-max=6",
    ])
    .await;
    let mut many = Vec::new();
    for _ in 0..5 {
        many.push(served(&lab, 2).await.expect("a seat"));
    }
    let last = served(&lab, 3).await;
    assert!(last.is_some());
    for address in [2, 3, 4] {
        assert!(served(&lab, address).await.is_none(), "{address}");
    }
    many.pop();
    until_served(&lab, 4).await;
}
