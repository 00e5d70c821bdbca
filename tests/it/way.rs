//! `Way`: a way to a server that can be cut, and led to another.
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A way to a server.
pub(crate) struct Way {
    pub(crate) base: String,
    target: Arc<Mutex<String>>,
    carried: Arc<Mutex<JoinSet<()>>>,
}

impl Way {
    pub(crate) async fn to(server: &str) -> Self {
        let target = Arc::new(Mutex::new(address(server)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let carried = Arc::new(Mutex::new(JoinSet::new()));
        let (carry, led) = (Arc::clone(&carried), Arc::clone(&target));
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let target = led.lock().expect("no holder panics").clone();
                carry.lock().expect("no holder panics").spawn(async move {
                    // Without a server the connection ends at once.
                    if let Ok(mut far) = TcpStream::connect(target).await {
                        copy_bidirectional(&mut near, &mut far).await.ok();
                    }
                });
            }
        });
        Self {
            base,
            target,
            carried,
        }
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

fn address(server: &str) -> String {
    server.trim_start_matches("http://").to_owned()
}
