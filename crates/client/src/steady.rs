//! `Steady`: a viewer of a terminal that comes back by itself, where it left off, until the terminal or the sign-in ends.
use slipway_core::backoff::Backoff;
use tokio::task::JoinHandle;

use crate::clock;
use crate::error::ClientError;
use crate::reconnect::backoff;
use crate::rest::Client;
use crate::socket::Socket;
use crate::terminal::{Place, Told, Viewer};

/// A viewer over as many connections as it takes.
pub struct Steady {
    client: Client,
    way: Way,
    backoff: Backoff,
}

/// How it stands with the connection.
enum Way {
    Open(Box<Open>),
    /// Being opened again from this place, on a task of its own: whoever waits for it may be called away.
    Opening(Box<Place>, JoinHandle<Result<Open, ClientError>>),
}

struct Open {
    viewer: Viewer,
    _socket: Socket,
}

/// What a steady viewer hears.
#[derive(Debug)]
pub enum Heard {
    /// From the terminal.
    Told(Told),
    /// The connection was lost; it is opened again.
    Lost,
    /// The connection is there again.
    Back,
}

impl Steady {
    /// Attaches for the first time.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub async fn attach(client: &Client, place: Place) -> Result<Self, ClientError> {
        let open = open(client, place).await?;
        Ok(Self {
            client: client.clone(),
            way: Way::Open(Box::new(open)),
            backoff: backoff(),
        })
    }

    /// The next thing heard. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// When it is over for a reason that does not pass; then this was the last.
    pub async fn next(&mut self) -> Result<Heard, ClientError> {
        match &mut self.way {
            Way::Open(open) => match open.viewer.next().await {
                Ok(Some(told)) => {
                    self.backoff.worked();
                    Ok(Heard::Told(told))
                }
                Err(error) if !error.is_passing() => Err(error),
                Ok(None) | Err(_) => {
                    let place = open.viewer.place();
                    self.reopen(place);
                    Ok(Heard::Lost)
                }
            },
            Way::Opening(place, opening) => {
                // An attempt that was given up made no connection.
                let opened = opening.await.unwrap_or(Err(ClientError::Gone));
                match opened {
                    Ok(mut open) => {
                        // The window may have changed meanwhile.
                        let size = place.size();
                        if open.viewer.size() != size {
                            open.viewer.set_size(size);
                        }
                        self.way = Way::Open(Box::new(open));
                        Ok(Heard::Back)
                    }
                    Err(error) if error.is_passing() => {
                        let place = (**place).clone();
                        self.reopen(place);
                        Ok(Heard::Lost)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Bytes that can be typed now; none while there is no connection.
    #[must_use]
    pub fn room(&self) -> usize {
        match &self.way {
            Way::Open(open) => open.viewer.room(),
            Way::Opening(..) => 0,
        }
    }

    /// Types bytes, no more than there is room for; they go out with the next wait.
    pub fn write(&mut self, bytes: &[u8]) {
        if let Way::Open(open) = &mut self.way {
            open.viewer.put(bytes);
        }
    }

    /// Changes the size; goes out with the next wait.
    pub fn resize(&mut self, size: (u32, u32)) {
        match &mut self.way {
            Way::Open(open) => open.viewer.set_size(size),
            Way::Opening(place, _) => place.set_size(size),
        }
    }

    /// Interrupts the foreground program, past what it has not read.
    pub fn interrupt(&mut self) {
        if let Way::Open(open) = &mut self.way {
            open.viewer.interrupt();
        }
    }

    /// How far the terminal's output was heard.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match &self.way {
            Way::Open(open) => open.viewer.place().offset,
            Way::Opening(place, _) => place.offset,
        }
    }

    fn reopen(&mut self, place: Place) {
        let (client, from) = (self.client.clone(), place.clone());
        let wait = self.backoff.after(clock::chance());
        let opening = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            open(&client, from).await
        });
        self.way = Way::Opening(Box::new(place), opening);
    }
}

impl Drop for Steady {
    fn drop(&mut self) {
        if let Way::Opening(_, opening) = &self.way {
            opening.abort();
        }
    }
}

async fn open(client: &Client, place: Place) -> Result<Open, ClientError> {
    let socket = Socket::connect(client).await?;
    let viewer = Viewer::attach(&socket, place).await?;
    Ok(Open {
        viewer,
        _socket: socket,
    })
}
