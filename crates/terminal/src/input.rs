//! `InputQueue`: what viewers typed, applied exactly once per viewer, waiting for the program to read it.
use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use slipway_core::limits::TERMINAL_INPUT_BYTES_MAX;

/// Viewers whose offsets are remembered; the longest unused without waiting input is forgotten first.
const CLIENTS_MAX: usize = 64;

/// A viewer's identity over its reconnects: its UUID's bits.
pub type ClientId = u128;

/// The terminal itself, which answers what programs ask it. No viewer has the UUID of nothing.
pub const TERMINAL: ClientId = 0;

/// Why input was not taken. The viewer attaches again and resends from where the agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Bytes before it are missing.
    #[error("take input at {offset}: the bytes from {expected} on are missing")]
    Gap {
        /// Where it starts.
        offset: u64,
        /// Where it should start.
        expected: u64,
    },
    /// The viewer did not wait for acknowledgements.
    #[error("take input: more than {TERMINAL_INPUT_BYTES_MAX} bytes are unacknowledged")]
    Full,
}

#[derive(Debug)]
struct Client {
    id: ClientId,
    /// Offset after the last byte taken.
    taken: u64,
    /// Offset after the last byte that reached the program's terminal.
    written: u64,
    used: u64,
}

/// Input of one terminal.
#[derive(Debug, Default)]
pub struct InputQueue {
    clients: Vec<Client>,
    waiting: VecDeque<(ClientId, Bytes)>,
    uses: u64,
}

impl InputQueue {
    /// Offset up to which a viewer's input has reached the terminal.
    #[must_use]
    pub fn written(&self, id: ClientId) -> u64 {
        let known = self.clients.iter().find(|client| client.id == id);
        known.map_or(0, |client| client.written)
    }

    /// Takes input; what was taken before is dropped.
    ///
    /// # Errors
    /// When bytes are missing, or when too many wait already.
    pub fn offer(&mut self, id: ClientId, offset: u64, mut data: Bytes) -> Result<(), InputError> {
        let client = self.client(id);
        if offset > client.taken {
            let expected = client.taken;
            return Err(InputError::Gap { offset, expected });
        }
        let known = usize::try_from(client.taken - offset).unwrap_or(usize::MAX);
        if known >= data.len() {
            return Ok(());
        }
        // One frame may overshoot, so that any frame that starts inside the bound makes progress.
        if client.taken - client.written >= TERMINAL_INPUT_BYTES_MAX as u64 {
            return Err(InputError::Full);
        }
        data.advance(known);
        client.taken += data.len() as u64;
        self.waiting.push_back((id, data));
        Ok(())
    }

    /// Takes what the terminal itself answers, behind what was typed. A program that asks without reading gets no more.
    pub fn answer(&mut self, data: Bytes) {
        let taken = self.client(TERMINAL).taken;
        self.offer(TERMINAL, taken, data).ok();
    }

    /// The next bytes for the program.
    #[must_use]
    pub fn front(&self) -> Option<Bytes> {
        self.waiting.front().map(|(_, data)| data.clone())
    }

    /// Notes that the first bytes of `front` reached the terminal; tells whose they were and where that viewer is now.
    pub fn wrote(&mut self, bytes: usize) -> Option<(ClientId, u64)> {
        let (id, data) = self.waiting.front_mut()?;
        let id = *id;
        data.advance(bytes.min(data.len()));
        if data.is_empty() {
            self.waiting.pop_front();
        }
        let client = self.clients.iter_mut().find(|client| client.id == id)?;
        client.written += bytes as u64;
        Some((id, client.written))
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets what waits, as when the program has ended; it counts as written, so that viewers do not resend it.
    pub fn discard(&mut self) {
        self.waiting.clear();
        for client in &mut self.clients {
            client.written = client.taken;
        }
    }

    fn client(&mut self, id: ClientId) -> &mut Client {
        self.uses += 1;
        let uses = self.uses;
        let index = match self.clients.iter().position(|client| client.id == id) {
            Some(index) => index,
            None => self.admit(id),
        };
        let client = &mut self.clients[index];
        client.used = uses;
        client
    }

    fn admit(&mut self, id: ClientId) -> usize {
        if self.clients.len() >= CLIENTS_MAX {
            let idle = |client: &&Client| client.taken == client.written;
            let oldest = self
                .clients
                .iter()
                .filter(idle)
                .min_by_key(|client| client.used);
            // Waiting input is bounded per client and the table by attached viewers, so one more entry is bounded, too.
            if let Some(oldest) = oldest.map(|client| client.id) {
                self.clients.retain(|client| client.id != oldest);
            }
        }
        self.clients.push(Client {
            id,
            taken: 0,
            written: 0,
            used: 0,
        });
        self.clients.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(queue: &mut InputQueue) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(data) = queue.front() {
            out.extend_from_slice(&data);
            queue.wrote(data.len());
        }
        out
    }

    #[test]
    fn a_gap_is_refused_and_names_where_to_go_on() {
        let mut queue = InputQueue::default();
        queue.offer(1, 0, Bytes::from_static(b"abc")).unwrap();
        assert_eq!(
            queue.offer(1, 5, Bytes::from_static(b"x")),
            Err(InputError::Gap {
                offset: 5,
                expected: 3
            })
        );
        assert_eq!(drain(&mut queue), b"abc");
    }

    #[test]
    fn input_that_waits_is_bounded() {
        let mut queue = InputQueue::default();
        let block = Bytes::from(vec![b'x'; TERMINAL_INPUT_BYTES_MAX]);
        queue.offer(1, 0, block.clone()).unwrap();
        let next = block.len() as u64;
        assert_eq!(queue.offer(1, next, block.clone()), Err(InputError::Full));
        queue.wrote(1);
        queue.offer(1, next, block).unwrap();
    }

    #[test]
    fn the_table_of_viewers_is_bounded_and_keeps_those_with_waiting_input() {
        let mut queue = InputQueue::default();
        queue.offer(7, 0, Bytes::from_static(b"waits")).unwrap();
        for id in 100..1_000 {
            queue.client(id);
        }
        assert!(queue.clients.len() <= CLIENTS_MAX);
        queue.wrote(5);
        assert_eq!(queue.written(7), 5);
    }

    proptest! {
        #[test]
        fn every_byte_is_applied_once_whatever_is_resent(
            text in prop::collection::vec(any::<u8>(), 0..3_000),
            sends in prop::collection::vec((any::<prop::sample::Index>(), 0usize..200, 0usize..100), 0..200),
        ) {
            let mut queue = InputQueue::default();
            let mut applied = Vec::new();
            let mut reached = 0usize;
            for (index, length, writes) in sends {
                // Resends start anywhere that was already reached, or exactly there.
                let from = index.index(reached + 1);
                let to = (from + length).min(text.len());
                queue.offer(9, from as u64, Bytes::copy_from_slice(&text[from..to])).unwrap();
                reached = reached.max(to);
                if let Some(data) = queue.front() {
                    let now = writes.min(data.len());
                    applied.extend_from_slice(&data[..now]);
                    queue.wrote(now);
                }
            }
            applied.extend(drain(&mut queue));
            prop_assert_eq!(&applied[..], &text[..reached]);
            prop_assert_eq!(queue.written(9), reached as u64);
        }
    }
}
