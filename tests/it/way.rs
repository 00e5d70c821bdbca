//! `Way`: a way to a server that can be cut, held up, and led to another.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use crate::lab::PATIENCE;

/// Bytes that go through when nothing is narrow; who stops waiting may give some back on top.
const WIDE: usize = Semaphore::MAX_PERMITS / 2;

/// What a server says, and what is heard of it: as long, and not taken apart on the way.
type Said = (String, String);

/// A way to a server.
pub(crate) struct Way {
    pub(crate) base: String,
    target: Arc<Mutex<String>>,
    said: Arc<Mutex<Option<Said>>>,
    /// For bytes to the server.
    room: Arc<Semaphore>,
    bound: Arc<Bound>,
    carried: Arc<Mutex<JoinSet<()>>>,
}

/// What one connection carries before it stands still.
struct Bound {
    bytes: watch::Sender<u64>,
    /// One does.
    held: Notify,
}

impl Bound {
    fn none() -> Self {
        Self {
            bytes: watch::Sender::new(u64::MAX),
            held: Notify::new(),
        }
    }

    /// A connection is to carry this much more; waits as long as it is to stand still.
    async fn lets(&self, carried: &AtomicU64, more: usize) {
        let more = more as u64;
        let all = carried.fetch_add(more, Ordering::Relaxed) + more;
        let mut bytes = self.bytes.subscribe();
        if *bytes.borrow() < all {
            self.held.notify_one();
        }
        let wide = bytes.wait_for(|bytes| all <= *bytes).await;
        drop(wide.expect("never closed"));
    }
}

impl Way {
    pub(crate) async fn to(server: &str) -> Self {
        let target = Arc::new(Mutex::new(address(server)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let carried = Arc::new(Mutex::new(JoinSet::new()));
        let (carry, led) = (Arc::clone(&carried), Arc::clone(&target));
        let said = Arc::<Mutex<Option<Said>>>::default();
        let room = Arc::new(Semaphore::new(WIDE));
        let bound = Arc::new(Bound::none());
        let (says, goes, held) = (Arc::clone(&said), Arc::clone(&room), Arc::clone(&bound));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let target = led.lock().expect("no holder panics").clone();
                let (says, goes, held) = (Arc::clone(&says), Arc::clone(&goes), Arc::clone(&held));
                carry.lock().expect("no holder panics").spawn(async move {
                    // Without a server the connection ends at once.
                    if let Ok(far) = TcpStream::connect(target).await {
                        carry_both(near, far, &says, &goes, &held).await.ok();
                    }
                });
            }
        });
        Self {
            base,
            target,
            said,
            room,
            bound,
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
        self.narrows(WIDE);
    }

    /// Lets no connection carry more than so many bytes, in both directions together: it stands still from then on, and
    /// the others do not.
    pub(crate) fn holds_after(&self, bytes: u64) {
        self.bound.bytes.send_replace(bytes);
    }

    /// Waits until a connection stands still.
    pub(crate) async fn is_held(&self) {
        let held = tokio::time::timeout(PATIENCE, self.bound.held.notified());
        held.await.expect("in time");
    }

    /// Lets every connection go on.
    pub(crate) fn lets_go(&self) {
        self.holds_after(u64::MAX);
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
    bound: &Bound,
) -> std::io::Result<()> {
    let carried = AtomicU64::new(0);
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let there = async {
        let mut piece = vec![0; 1 << 16];
        loop {
            let many = from_near.read(&mut piece).await?;
            if many == 0 {
                return to_far.shutdown().await;
            }
            bound.lets(&carried, many).await;
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
            bound.lets(&carried, many).await;
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
