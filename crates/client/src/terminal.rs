//! A terminal as a viewer sees it: a byte log read from an offset, resumed exactly, input applied exactly once.
use std::collections::VecDeque;

use bytes::Bytes;
use slipway_core::id::{SessionId, TerminalId};
use slipway_core::limits::{
    TERMINAL_FRAME_BYTES_MAX, TERMINAL_INPUT_BYTES_MAX, TERMINAL_WINDOW_BYTES,
};
use slipway_proto::v1;
use slipway_proto::v1::{terminal_client, terminal_server, ws_client, ws_server};

use crate::error::ClientError;
use crate::socket::{Socket, Stream};

/// Parsed bytes after which the window is moved on.
const ACK_BYTES: u64 = 32 * 1024;

/// Where a viewer stands in a terminal; survives connections.
#[derive(Clone, Debug)]
pub struct Place {
    session: SessionId,
    terminal: TerminalId,
    client_id: String,
    epoch: String,
    /// Offset after the last byte received in order.
    pub offset: u64,
    input_offset: u64,
    /// Typed and not yet known to be applied.
    unacknowledged: Vec<u8>,
    cols: u32,
    rows: u32,
}

impl Place {
    /// A new viewer. `client_id` stays the same over its reconnects.
    #[must_use]
    pub fn new(
        session: SessionId,
        terminal: TerminalId,
        client_id: String,
        cols: u32,
        rows: u32,
    ) -> Self {
        Self {
            session,
            terminal,
            client_id,
            epoch: String::new(),
            offset: 0,
            input_offset: 0,
            unacknowledged: Vec::new(),
            cols,
            rows,
        }
    }

    /// Columns and rows of the viewer.
    #[must_use]
    pub const fn size(&self) -> (u32, u32) {
        (self.cols, self.rows)
    }

    /// The size with which it is attached next.
    pub const fn set_size(&mut self, (cols, rows): (u32, u32)) {
        (self.cols, self.rows) = (cols, rows);
    }
}

/// What a terminal tells its viewer.
#[derive(Debug)]
pub enum Told {
    /// The screen starts anew; what was shown before is replaced.
    Reset,
    /// The next bytes of the log.
    Output(Bytes),
    /// Bytes that are no longer kept were skipped.
    Gap(u64),
    /// A piece of what brings any screen to where the log goes on; not part of the log.
    Restored(Bytes),
    /// The program ended; nothing follows.
    Exited(v1::Exit),
}

/// An attached viewer.
pub struct Viewer {
    place: Place,
    stream: Stream,
    acknowledged: u64,
    /// Told and not yet taken by `next`.
    waiting: VecDeque<Told>,
    /// Frames that are not sent yet. They wait here, so that a wait that is given up loses none.
    outgoing: VecDeque<terminal_client::Frame>,
}

impl Viewer {
    /// Attaches where the place stands.
    ///
    /// # Errors
    /// When the server refuses or the connection is gone.
    pub async fn attach(socket: &Socket, place: Place) -> Result<Self, ClientError> {
        let hello = v1::Hello {
            terminal_id: place.terminal.to_string(),
            epoch: place.epoch.clone(),
            have_offset: place.offset,
            client_id: place.client_id.clone(),
            cols: place.cols,
            rows: place.rows,
            window: TERMINAL_WINDOW_BYTES,
            visible: true,
            session_id: String::new(),
            foreground: None,
            background: None,
        };
        let stream = socket.attach(place.session, hello).await?;
        let acknowledged = place.offset;
        Ok(Self {
            place,
            stream,
            acknowledged,
            waiting: VecDeque::new(),
            outgoing: VecDeque::new(),
        })
    }

    /// Where the viewer stands, to attach again from.
    #[must_use]
    pub fn place(&self) -> Place {
        let mut place = self.place.clone();
        for told in &self.waiting {
            place.offset -= match told {
                Told::Output(bytes) => bytes.len() as u64,
                Told::Gap(bytes) => *bytes,
                Told::Reset | Told::Restored(_) | Told::Exited(_) => 0,
            };
        }
        place
    }

    /// The next thing the terminal tells; `None` when the connection is gone. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// When the server ends the stream with a code.
    pub async fn next(&mut self) -> Result<Option<Told>, ClientError> {
        loop {
            if let Some(told) = self.waiting.pop_front() {
                return Ok(Some(told));
            }
            if !self.receive().await? {
                return Ok(None);
            }
        }
    }

    /// Sends what waits and takes the next frame; false when the connection is gone.
    async fn receive(&mut self) -> Result<bool, ClientError> {
        self.flush().await?;
        let Some(body) = self.stream.recv().await else {
            return Ok(false);
        };
        match body {
            ws_server::Body::Terminal(frame) => {
                let told = self.take(frame.frame)?;
                self.waiting.extend(told);
            }
            ws_server::Body::Closed(v1::StreamClosed { code, message }) if !code.is_empty() => {
                return Err(ClientError::Closed { code, message });
            }
            ws_server::Body::Closed(_) => return Ok(false),
            ws_server::Body::Event(_) | ws_server::Body::Pong(_) | ws_server::Body::GoAway(_) => {}
        }
        Ok(true)
    }

    fn take(&mut self, frame: Option<terminal_server::Frame>) -> Result<Option<Told>, ClientError> {
        match frame {
            Some(terminal_server::Frame::Attached(attached)) => Ok(self.attached(attached)),
            Some(terminal_server::Frame::Output(output)) => {
                if output.offset != self.place.offset {
                    return Err(ClientError::Protocol(format!(
                        "output at {} instead of {}",
                        output.offset, self.place.offset
                    )));
                }
                self.place.offset += output.data.len() as u64;
                self.applied(output.input_offset);
                if self.place.offset - self.acknowledged >= ACK_BYTES {
                    self.acknowledged = self.place.offset;
                    self.outgoing
                        .push_back(terminal_client::Frame::Ack(v1::Ack {
                            parsed_offset: self.acknowledged,
                            window: TERMINAL_WINDOW_BYTES,
                        }));
                }
                Ok(Some(Told::Output(output.data)))
            }
            Some(terminal_server::Frame::InputAck(ack)) => {
                self.applied(ack.offset);
                Ok(None)
            }
            Some(terminal_server::Frame::Gap(gap)) => {
                self.place.offset = gap.to;
                self.acknowledged = gap.to;
                Ok(Some(Told::Gap(gap.to.saturating_sub(gap.from))))
            }
            Some(terminal_server::Frame::Restored(restored)) => {
                Ok(Some(Told::Restored(restored.data)))
            }
            Some(terminal_server::Frame::Exited(exit)) => Ok(Some(Told::Exited(exit))),
            Some(terminal_server::Frame::Refused(v1::Refused { code, message })) => {
                Err(ClientError::Closed { code, message })
            }
            Some(terminal_server::Frame::Resized(_)) | None => Ok(None),
        }
    }

    /// Input up to this offset was applied and need not be kept.
    fn applied(&mut self, offset: u64) {
        let applied = usize::try_from(offset.saturating_sub(self.place.input_offset));
        let kept = &mut self.place.unacknowledged;
        kept.drain(..applied.unwrap_or(usize::MAX).min(kept.len()));
        self.place.input_offset = self.place.input_offset.max(offset);
    }

    fn attached(&mut self, attached: v1::Attached) -> Option<Told> {
        let fresh = attached.mode() != v1::attached::Mode::Resume;
        self.place.epoch = attached.epoch;
        self.place.offset = attached.start_offset;
        self.acknowledged = attached.start_offset;
        // What was typed and never applied is sent again; what was applied is dropped.
        self.applied(attached.input_offset);
        self.place.input_offset = attached.input_offset;
        let again = self.place.unacknowledged.clone();
        if !again.is_empty() {
            self.outgoing
                .push_back(terminal_client::Frame::Input(v1::Input {
                    offset: self.place.input_offset,
                    data: again.into(),
                }));
        }
        fresh.then_some(Told::Reset)
    }

    /// Bytes that can be typed before the program reads some.
    #[must_use]
    pub fn room(&self) -> usize {
        TERMINAL_INPUT_BYTES_MAX.saturating_sub(self.place.unacknowledged.len())
    }

    /// Types bytes, no more than there is room for. They go out with the next wait for anything.
    pub fn put(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(TERMINAL_FRAME_BYTES_MAX) {
            let offset = self.place.input_offset + self.place.unacknowledged.len() as u64;
            self.place.unacknowledged.extend_from_slice(piece);
            self.outgoing
                .push_back(terminal_client::Frame::Input(v1::Input {
                    offset,
                    data: Bytes::copy_from_slice(piece),
                }));
        }
    }

    /// Types bytes; waits while the program does not read them. What the terminal tells meanwhile is kept for `next`.
    ///
    /// # Errors
    /// When the connection is gone; the bytes that were taken are kept and sent again by the next viewer of this place.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        for piece in bytes.chunks(TERMINAL_FRAME_BYTES_MAX) {
            while self.room() == 0 {
                if !self.receive().await? {
                    return Err(ClientError::Gone);
                }
            }
            self.put(piece);
            self.flush().await?;
        }
        Ok(())
    }

    /// Columns and rows that the terminal was told.
    #[must_use]
    pub const fn size(&self) -> (u32, u32) {
        self.place.size()
    }

    /// Changes the size with the next wait for anything.
    pub fn set_size(&mut self, size: (u32, u32)) {
        self.place.set_size(size);
        let (cols, rows) = size;
        self.outgoing
            .push_back(terminal_client::Frame::Resize(v1::Resize { cols, rows }));
    }

    /// Interrupts the foreground program with the next wait for anything, past what it has not read.
    pub fn interrupt(&mut self) {
        let name = "INT".to_owned();
        self.outgoing
            .push_back(terminal_client::Frame::Signal(v1::Signal { name }));
    }

    /// Changes the size.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn resize(&mut self, cols: u32, rows: u32) -> Result<(), ClientError> {
        self.set_size((cols, rows));
        self.flush().await
    }

    /// Sends a signal to the foreground program, past the input queue.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn signal(&mut self, name: &str) -> Result<(), ClientError> {
        self.outgoing
            .push_back(terminal_client::Frame::Signal(v1::Signal {
                name: name.to_owned(),
            }));
        self.flush().await
    }

    /// Collects output until it contains `wanted`.
    ///
    /// # Errors
    /// When the terminal ends before it appears.
    pub async fn read_until(&mut self, wanted: &str) -> Result<String, ClientError> {
        let mut seen = Vec::new();
        loop {
            match self.next().await? {
                Some(Told::Output(bytes)) => {
                    // It may begin in what was seen before; looking at all of that again would take forever.
                    let from = seen.len().saturating_sub(wanted.len());
                    seen.extend_from_slice(&bytes);
                    if seen[from..]
                        .windows(wanted.len())
                        .any(|window| window == wanted.as_bytes())
                    {
                        return Ok(String::from_utf8_lossy(&seen).into_owned());
                    }
                }
                Some(Told::Reset) => seen.clear(),
                Some(Told::Gap(_) | Told::Restored(_)) => {}
                Some(Told::Exited(_)) | None => {
                    return Err(ClientError::Protocol(format!(
                        "the terminal ended before {wanted:?} appeared; it showed: {}",
                        String::from_utf8_lossy(&seen)
                    )));
                }
            }
        }
    }

    /// Sends what waits. A frame is forgotten only once it is on its way.
    async fn flush(&mut self) -> Result<(), ClientError> {
        while let Some(frame) = self.outgoing.front() {
            self.stream
                .send(ws_client::Body::Terminal(v1::TerminalClient {
                    frame: Some(frame.clone()),
                }))
                .await?;
            self.outgoing.pop_front();
        }
        Ok(())
    }
}
