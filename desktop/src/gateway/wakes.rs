//! A machine that slept: of its connections none is what it seems.
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::clock;

/// Tells a machine that slept: meanwhile the time of day went on, and the clock of the program did not.
pub(super) struct Wakes {
    wall: SystemTime,
    running: Instant,
}

/// Between two looks at the clocks.
const LOOKS: Duration = Duration::from_secs(2);
/// Connections do not outlive a sleep of this length for sure.
const SLEPT: Duration = Duration::from_secs(10);

impl Wakes {
    pub(super) fn begin() -> Self {
        Self {
            wall: clock::wall(),
            running: Instant::now(),
        }
    }

    /// Resolves when the machine woke up.
    pub(super) async fn next(&mut self) {
        loop {
            tokio::time::sleep(LOOKS).await;
            if self.look(clock::wall(), Instant::now()) {
                return;
            }
        }
    }

    /// Whether the time of day went on by much more than the program ran. A clock that is put back is no sleep.
    fn look(&mut self, wall: SystemTime, running: Instant) -> bool {
        let passed = wall.duration_since(self.wall).unwrap_or_default();
        let ran = running.duration_since(self.running);
        (self.wall, self.running) = (wall, running);
        passed.saturating_sub(ran) >= SLEPT
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use futures_util::StreamExt as _;
    use futures_util::stream::{self, BoxStream};
    use slipway_api::desktop::{ConnectionState, Told};
    use slipway_core::secret::Secret;
    use slipway_proto::v1;
    use slipway_proto::v1::events_server::{Events, EventsServer};
    use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::{Notify, mpsc};
    use tonic::transport::Server;
    use tonic::{Request, Response, Status};

    use super::*;
    use crate::config::Config;
    use crate::gateway::Gateway;
    use crate::server::Address;
    use crate::state::{SignIn, State};
    use crate::token::TokenStore;

    #[tokio::test]
    async fn a_sleep_is_told_from_a_clock_that_is_put_right() {
        let mut wakes = Wakes::begin();
        let (wall, running) = (wakes.wall, wakes.running);
        let s = Duration::from_secs;
        assert!(!wakes.look(wall + s(2), running + s(2)));
        assert!(!wakes.look(wall - s(3600), running + s(4)), "put back");
        assert!(!wakes.look(wall - s(3598), running + s(6)));
        assert!(wakes.look(wall - s(3000), running + s(8)), "slept");
        assert!(!wakes.look(wall - s(2998), running + s(10)));
    }

    /// A server that has no events, and tells of each who waits for some.
    struct Quiet(mpsc::UnboundedSender<()>);

    #[tonic::async_trait]
    impl Events for Quiet {
        type SubscribeStream = BoxStream<'static, Result<v1::Event, Status>>;

        async fn subscribe(
            &self,
            _: Request<v1::SubscribeEvents>,
        ) -> Result<Response<Self::SubscribeStream>, Status> {
            self.0.send(()).ok();
            Ok(Response::new(stream::pending().boxed()))
        }
    }

    /// What a server says of itself, in the words of HTTP.
    fn about() -> String {
        let about = r#"{"version":"1","protocol":1,"registration_open":true,"first_account":false,"can_run":true}"#;
        let length = about.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{about}")
    }

    /// A way to the server on which connections of before a moment carry nothing after it, and end by no word. Whoever asks
    /// on one of its own how it is hears that it is well.
    async fn way(to: SocketAddr, sleeps: Arc<Notify>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let sleeps = Arc::clone(&sleeps);
                tokio::spawn(async move {
                    let mut first = [0; 3];
                    near.peek(&mut first).await.unwrap();
                    if first == *b"GET" {
                        near.write_all(about().as_bytes()).await.unwrap();
                        return std::future::pending().await;
                    }
                    let mut far = TcpStream::connect(to).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = sleeps.notified() => std::future::pending().await,
                    }
                });
            }
        });
        address
    }

    async fn signed_in(config: &Config, server: &Address) {
        let state = State::open(&config.state).unwrap();
        let who = SignIn {
            server: server.clone(),
            name: "Ada".to_owned(),
            email: "ada@example.org".to_owned(),
            token_store: TokenStore::File,
            account: None,
        };
        let (tokens, token) = (state.tokens(), Secret::new("token"));
        tokens.keep(who.token_store, server, &token).await.unwrap();
        state.keep(&who).unwrap();
    }

    /// A connection that is asked whether it lives says so after 25 seconds.
    const SOON: Duration = Duration::from_secs(10);

    async fn soon<T>(what: impl Future<Output = T>) -> T {
        let done = tokio::time::timeout(SOON, what).await;
        done.expect("without a wait for what is dead")
    }

    #[tokio::test]
    async fn after_a_sleep_dead_connections_are_replaced_at_once() {
        let (told, mut waits) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let accepted = stream::unfold(listener, |listener| async move {
            let (stream, _) = listener.accept().await.unwrap();
            Some((std::io::Result::Ok(stream), listener))
        });
        let (serving, quiet) = (Server::builder(), EventsServer::new(Quiet(told)));
        tokio::spawn(serving.serve_with_incoming(quiet, accepted));
        let sleeps = Arc::new(Notify::new());
        let address = way(server, Arc::clone(&sleeps)).await;
        let state = tempfile::tempdir().unwrap();
        let config = Config {
            state: state.path().to_owned(),
            ..Config::read().unwrap()
        };
        signed_in(&config, &Address::parse(&address.to_string()).unwrap()).await;
        let gateway = Gateway::start(&config).await.unwrap();
        soon(waits.recv()).await.unwrap();
        let mut standing = gateway.0.line.standing();
        let online = standing.wait_for(|now| now.state == ConnectionState::Online);
        drop(soon(online).await.unwrap());
        sleeps.notify_waiters();
        let mut heard = gateway.told();
        clock::moved::passes(Duration::from_secs(3_600));
        soon(waits.recv()).await.unwrap();
        let is_back = |told: &Told| {
            let state = ConnectionState::Online;
            matches!(told, Told::Connection { state: now, .. } if *now == state)
        };
        soon(async { while !is_back(&heard.recv().await.unwrap()) {} }).await;
        gateway.stop().await;
    }
}
