//! How it stands with the server that the page works with. A stream of the account's events says whether it is reached:
//! while it is open, it is. After a break it is tried again, later and later, and at once when somebody asks, the machine
//! woke up or a folder got through to it.
use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use slipway_api::desktop::{ConnectionState, Told};
use slipway_client::error::ClientError;
use slipway_client::reconnect::backoff;
use slipway_client::rest::Client;
use slipway_core::backoff::Backoff;
use slipway_core::code::Code;
use slipway_proto::v1;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::time::Instant;

use super::servers::Servers;
use crate::clock;
use crate::server::Address;

/// Events that a slow listener may be behind.
const EVENTS_MAX: usize = 64;
/// A server that seems to be there says so within this time when somebody doubts it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
/// How long a server without a database is left alone when it does not say.
const DATABASE_AGAIN: Duration = Duration::from_secs(2);

/// How it stands, and when that changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: ConnectionState,
    /// The next try.
    pub(super) next_at: Option<SystemTime>,
}

impl Standing {
    const fn of(state: ConnectionState) -> Self {
        Self {
            state,
            next_at: None,
        }
    }

    fn waits(state: ConnectionState, pause: Duration) -> Self {
        Self {
            state,
            next_at: Some(clock::wall() + pause),
        }
    }

    /// As the page is told.
    pub(super) fn told(self) -> Told {
        let millis = |at: SystemTime| {
            let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        };
        Told::Connection {
            state: self.state,
            next_at: self.next_at.map(millis),
        }
    }
}

/// The line to the server of the page.
pub(super) struct Line {
    servers: Servers,
    standing: watch::Sender<Standing>,
    events: broadcast::Sender<v1::Event>,
    asked: Notify,
    /// An answer said that the database is away, and when to ask again.
    lacks: (
        mpsc::Sender<Duration>,
        tokio::sync::Mutex<mpsc::Receiver<Duration>>,
    ),
}

/// Why a connection is over.
enum Over {
    /// Another server, or another person.
    Moved,
    Broken(ClientError),
}

impl Line {
    pub(super) fn new(servers: Servers) -> Self {
        let (lack, lacks) = mpsc::channel(1);
        Self {
            servers,
            standing: watch::channel(Standing::of(ConnectionState::Idle)).0,
            events: broadcast::channel(EVENTS_MAX).0,
            asked: Notify::new(),
            lacks: (lack, tokio::sync::Mutex::new(lacks)),
        }
    }

    /// How it stands, moving.
    pub(super) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Events of the account's list, while there is a connection.
    pub(super) fn events(&self) -> broadcast::Receiver<v1::Event> {
        self.events.subscribe()
    }

    /// Resolves when the server is there again, after it was not.
    pub(super) async fn is_back(&self) {
        let mut standing = self.standing();
        standing.borrow_and_update();
        while standing.changed().await.is_ok() {
            if standing.borrow_and_update().state == ConnectionState::Online {
                return;
            }
        }
    }

    /// Tries at once; a connection that is open is looked at.
    pub(super) fn ask(&self) {
        self.asked.notify_one();
    }

    /// An answer said that the database is away.
    pub(super) fn lacks_database(&self, again: Option<u64>) {
        let again = again.map_or(DATABASE_AGAIN, Duration::from_secs);
        // It is known already otherwise.
        self.lacks.0.try_send(again).ok();
    }

    /// Connects again and again.
    pub(super) async fn run(&self) -> Infallible {
        let (mut moved, mut reached) = (self.servers.moved(), self.servers.reaches());
        let mut backoff = backoff();
        loop {
            moved.borrow_and_update();
            reached.borrow_and_update();
            let Some((server, client)) = self.signed_in().await else {
                self.become_(Standing::of(ConnectionState::Idle));
                backoff.worked();
                tokio::select! {
                    _ = moved.changed() => {}
                    () = self.asked.notified() => {}
                }
                continue;
            };
            if self.standing.borrow().state == ConnectionState::Idle {
                self.become_(Standing::of(ConnectionState::Connecting));
            }
            let over = tokio::select! {
                over = self.connection(&client, &mut backoff) => over,
                _ = moved.changed() => Over::Moved,
            };
            let Over::Broken(error) = over else {
                self.become_(Standing::of(ConnectionState::Connecting));
                continue;
            };
            if is_signed_out(error.code()) && self.servers.expired(&server, &client).await.is_ok() {
                continue;
            }
            let pause = backoff.after(clock::chance());
            let was_there = self.standing.borrow().state == ConnectionState::Online;
            self.become_(Standing::waits(state_of(&error), pause));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Not after a break: folders try when this is back, and each would call the other without a pause.
                Ok(()) = reached.changed(), if !was_there => {}
                () = self.asked.notified() => backoff.worked(),
                _ = moved.changed() => backoff.worked(),
            }
        }
    }

    /// The chosen server, if somebody is signed in there.
    async fn signed_in(&self) -> Option<(Address, Client)> {
        let server = self.servers.chosen_if_any()?;
        let client = self.servers.client(&server).await.ok()?;
        client.token()?;
        Some((server, client))
    }

    /// One connection from its beginning to its end.
    async fn connection(&self, client: &Client, backoff: &mut Backoff) -> Over {
        let mut events = match client.subscribe(None).await {
            Ok(events) => events,
            Err(error) => return Over::Broken(client.why_not(error).await),
        };
        let mut lacks = self.lacks.1.lock().await;
        // Of an earlier connection.
        while lacks.try_recv().is_ok() {}
        backoff.worked();
        self.become_(Standing::of(ConnectionState::Online));
        let mut database = Database::default();
        loop {
            tokio::select! {
                // A line that was cut is over before anybody asks how it stands.
                biased;
                event = events.next() => match event {
                    // Nobody may listen.
                    Some(Ok(event)) => drop(self.events.send(event)),
                    Some(Err(error)) => return Over::Broken(error),
                    None => return Over::Broken(ClientError::Gone),
                },
                Some(again) = lacks.recv() => self.become_(database.is_away(again)),
                () = database.due() => match client.account().await {
                    Err(error) if error.code() == Some(Code::DatabaseUnavailable) => {
                        self.become_(database.is_away(DATABASE_AGAIN));
                    }
                    _ => {
                        database = Database::default();
                        while lacks.try_recv().is_ok() {}
                        self.become_(Standing::of(ConnectionState::Online));
                    }
                },
                () = self.asked.notified() => {
                    let answer = tokio::time::timeout(ANSWERS_WITHIN, client.server()).await;
                    if !matches!(answer, Ok(Ok(_))) {
                        client.cut();
                    }
                }
            }
        }
    }

    fn become_(&self, standing: Standing) {
        self.standing.send_if_modified(|before| {
            let is_news = *before != standing;
            *before = standing;
            is_news
        });
    }
}

/// What a connection that is over says of the server.
fn state_of(error: &ClientError) -> ConnectionState {
    match error {
        ClientError::Protocol(_) => ConnectionState::NotSlipway,
        _ if error.code() == Some(Code::DatabaseUnavailable) => ConnectionState::NoDatabase,
        _ => ConnectionState::Waiting,
    }
}

/// When a server whose database is away is asked again.
#[derive(Default)]
struct Database(Option<Instant>);

impl Database {
    fn is_away(&mut self, again: Duration) -> Standing {
        let pause = again.mul_f64(1.0 + clock::chance());
        self.0 = Some(Instant::now() + pause);
        Standing::waits(ConnectionState::NoDatabase, pause)
    }

    async fn due(&self) {
        match self.0 {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

/// Whether this device has to sign in anew.
pub(super) const fn is_signed_out(code: Option<Code>) -> bool {
    matches!(
        code,
        Some(Code::SignInRequired | Code::SignInExpired | Code::AccountDisabled)
    )
}

#[cfg(test)]
mod tests {
    use slipway_core::secret::Secret;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::state::{SignIn, State};
    use crate::token::TokenStore;

    /// Something that answers and understands nothing.
    async fn garbage() -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut question = [0; 4096];
                    while near.read(&mut question).await.is_ok_and(|read| read > 0) {
                        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>";
                        near.write_all(answer.as_bytes()).await.ok();
                    }
                });
            }
        });
        Address::parse(&address).unwrap()
    }

    /// Somebody is signed in at a server.
    async fn signed_in(server: Address) -> (tempfile::TempDir, Servers) {
        let place = tempfile::tempdir().unwrap();
        let state = State::open(place.path()).unwrap();
        let who = SignIn {
            server,
            name: "Ada".to_owned(),
            email: "ada@example.org".to_owned(),
            token_store: TokenStore::File,
            account: None,
        };
        let token = Secret::new("token");
        let tokens = state.tokens();
        tokens
            .keep(who.token_store, &who.server, &token)
            .await
            .unwrap();
        state.keep(&who).unwrap();
        let servers = Servers::open(&state, broadcast::channel(1).0).unwrap();
        (place, servers)
    }

    #[tokio::test]
    async fn what_answers_and_is_no_server_is_not_said_to_be_away() {
        let (_place, servers) = signed_in(garbage().await).await;
        let line = Line::new(servers);
        let mut standing = line.standing();
        let told = standing.wait_for(|now| now.next_at.is_some());
        tokio::select! {
            told = told => assert_eq!(told.unwrap().state, ConnectionState::NotSlipway),
            never = line.run() => match never {},
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_a_folder_reached_is_tried_at_once() {
        // Nobody listens at port 0.
        let away = Address::parse("127.0.0.1:0").unwrap();
        let (_place, servers) = signed_in(away).await;
        let line = Line::new(servers.clone());
        let story = async {
            let mut standing = line.standing();
            // Until it is tried seldom.
            for _ in 0..10 {
                standing.changed().await.unwrap();
            }
            let seldom = Duration::from_secs(7);
            for (reached, at_once) in [("127.0.0.1:1", false), ("127.0.0.1:0", true)] {
                let since = Instant::now();
                servers.reached(&Address::parse(reached).unwrap());
                standing.changed().await.unwrap();
                assert_eq!(since.elapsed() < seldom, at_once, "{reached}");
            }
        };
        tokio::select! {
            () = story => {}
            never = line.run() => match never {},
        }
    }
}
