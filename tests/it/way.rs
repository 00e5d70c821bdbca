//! `Way`: a way to a server that can be cut, and led to another.
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What a server says, and what is heard of it: as long, and not taken apart on the way.
type Said = (String, String);

/// A way to a server.
pub(crate) struct Way {
    pub(crate) base: String,
    target: Arc<Mutex<String>>,
    said: Arc<Mutex<Option<Said>>>,
    /// For bytes to the server.
    room: Arc<Semaphore>,
    carried: Arc<Mutex<JoinSet<()>>>,
}

impl Way {
    pub(crate) async fn to(server: &str) -> Self {
        let target = Arc::new(Mutex::new(address(server)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let carried = Arc::new(Mutex::new(JoinSet::new()));
        let (carry, led) = (Arc::clone(&carried), Arc::clone(&target));
        let said = Arc::<Mutex<Option<Said>>>::default();
        let room = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let (says, goes) = (Arc::clone(&said), Arc::clone(&room));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let target = led.lock().expect("no holder panics").clone();
                let (says, goes) = (Arc::clone(&says), Arc::clone(&goes));
                carry.lock().expect("no holder panics").spawn(async move {
                    // Without a server the connection ends at once.
                    if let Ok(far) = TcpStream::connect(target).await {
                        carry_both(near, far, &says, &goes).await.ok();
                    }
                });
            }
        });
        Self {
            base,
            target,
            said,
            room,
            carried,
        }
    }

    /// Lets one word of the server be heard as another of the same length.
    pub(crate) fn turns(&self, word: &str, into: &str) {
        assert_eq!(word.len(), into.len());
        *self.said.lock().expect("no holder panics") = Some((word.to_owned(), into.to_owned()));
    }

    /// Lets no more than so many bytes through to the server, and holds what comes after them.
    pub(crate) fn narrows(&self, bytes: usize) {
        self.room.forget_permits(Semaphore::MAX_PERMITS);
        self.room.add_permits(bytes);
    }

    /// Lets everything through again.
    pub(crate) fn widens(&self) {
        self.narrows(Semaphore::MAX_PERMITS);
    }

    /// Ends every connection.
    pub(crate) fn cut(&self) {
        self.carried.lock().expect("no holder panics").abort_all();
    }

    /// Leads whoever connects from now on to another server.
    pub(crate) fn lead_to(&self, server: &str) {
        *self.target.lock().expect("no holder panics") = address(server);
    }
}

async fn carry_both(
    near: TcpStream,
    far: TcpStream,
    says: &Mutex<Option<Said>>,
    room: &Semaphore,
) -> std::io::Result<()> {
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let there = async {
        let mut piece = vec![0; 1 << 16];
        loop {
            let many = from_near.read(&mut piece).await?;
            if many == 0 {
                return to_far.shutdown().await;
            }
            let goes = room.acquire_many(u32::try_from(many).expect("a piece"));
            goes.await.expect("never closed").forget();
            to_far.write_all(&piece[..many]).await?;
        }
    };
    let back = async {
        let mut piece = vec![0; 1 << 16];
        loop {
            let many = from_far.read(&mut piece).await?;
            if many == 0 {
                return to_near.shutdown().await;
            }
            let piece = &mut piece[..many];
            if let Some((word, into)) = &*says.lock().expect("no holder panics") {
                turn(piece, word.as_bytes(), into.as_bytes());
            }
            to_near.write_all(piece).await?;
        }
    };
    tokio::try_join!(there, back).map(drop)
}

fn turn(piece: &mut [u8], word: &[u8], into: &[u8]) {
    let mut at = 0;
    while let Some(place) = piece[at..]
        .windows(word.len())
        .position(|here| here == word)
    {
        at += place;
        piece[at..at + word.len()].copy_from_slice(into);
    }
}

fn address(server: &str) -> String {
    server.trim_start_matches("http://").to_owned()
}
