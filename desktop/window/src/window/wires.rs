//! The page's socket: frames go to the gateway one by one, and come back in batches.
//!
//! What a message to the page costs hardly depends on its size, and the web view's queue has no bound of its own. So
//! frames are put together as long as more are there, and what bounds them is the credit that each stream has from the
//! page: nobody sends what the page did not ask for.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use slipway_desktop::gateway::Wire;
use tokio::sync::mpsc;

/// A batch is sent when it has grown to this.
const BATCH_BYTES: usize = 128 * 1024;
/// Behind a frame larger than this more is worth waiting for; an echoed key is shorter, and goes at once.
const GATHER_ABOVE: usize = 512;
/// How long.
const GATHER: Duration = Duration::from_millis(4);

/// Why a frame was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    /// It was hung up, by either side.
    #[error("This connection has ended. Open another.")]
    Gone,
    /// The page sends faster than frames are taken; none of the others may be lost, so it ends.
    #[error("More was sent at once than can be taken. Open another connection.")]
    Full,
}

/// The wires that the page has open.
#[derive(Default)]
pub(super) struct Wires {
    next: AtomicU32,
    open: Mutex<HashMap<u32, Line>>,
}

struct Line {
    to: mpsc::Sender<Bytes>,
    pump: tokio::task::AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Wires {
    /// Opens a wire whose batches go to `deliver` until that says no; its number.
    pub(super) fn dial(
        &self,
        wire: Wire,
        deliver: impl FnMut(Vec<u8>) -> bool + Send + 'static,
    ) -> u32 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let Wire { to, from } = wire;
        let pump = tauri::async_runtime::spawn(pump(from, deliver));
        let line = Line {
            to,
            pump: pump.inner().abort_handle(),
        };
        self.open().insert(number, line);
        number
    }

    /// Gives a frame to a wire. Called on one thread, so frames keep their order.
    pub(super) fn send(&self, number: u32, frame: Bytes) -> Result<(), WireError> {
        let mut open = self.open();
        let line = open.get(&number).ok_or(WireError::Gone)?;
        let sent = line.to.try_send(frame).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => WireError::Full,
            mpsc::error::TrySendError::Closed(_) => WireError::Gone,
        });
        if sent.is_err() {
            open.remove(&number);
        }
        sent
    }

    /// Ends a wire.
    pub(super) fn hang_up(&self, number: u32) {
        self.open().remove(&number);
    }

    /// Ends all of them.
    pub(super) fn hang_up_all(&self) {
        self.open().clear();
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Line>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on what comes, and an empty batch when nothing more will.
async fn pump(mut from: mpsc::Receiver<Bytes>, mut deliver: impl FnMut(Vec<u8>) -> bool) {
    while let Some(first) = from.recv().await {
        let mut batch = Vec::new();
        append(&mut batch, &first);
        if first.len() > GATHER_ABOVE && batch.len() < BATCH_BYTES {
            tokio::time::sleep(GATHER).await;
        }
        while batch.len() < BATCH_BYTES {
            let Ok(next) = from.try_recv() else { break };
            append(&mut batch, &next);
        }
        if !deliver(batch) {
            return;
        }
    }
    deliver(Vec::new());
}

/// A frame led by its length.
fn append(batch: &mut Vec<u8>, frame: &[u8]) {
    // A frame has a bound far below.
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    batch.extend_from_slice(&length.to_le_bytes());
    batch.extend_from_slice(frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of a batch.
    fn split(mut batch: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        while let Some((length, rest)) = batch.split_first_chunk::<4>() {
            let (frame, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
            frames.push(frame.to_vec());
            batch = rest;
        }
        frames
    }

    async fn batches(frames: Vec<Bytes>) -> Vec<Vec<u8>> {
        let (to, from) = mpsc::channel(frames.len().max(1));
        for frame in frames {
            to.try_send(frame).unwrap();
        }
        drop(to);
        let mut batches = Vec::new();
        pump(from, |batch| {
            batches.push(batch);
            true
        })
        .await;
        batches
    }

    #[tokio::test(start_paused = true)]
    async fn frames_that_wait_go_together_and_the_end_is_told() {
        let frames: Vec<Bytes> = (0..50u8).map(|n| vec![n; 700].into()).collect();
        let batches = batches(frames.clone()).await;
        assert_eq!(batches.len(), 2, "one batch, and the empty one of the end");
        assert_eq!(split(&batches[0]), frames);
        assert!(batches[1].is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_has_a_bound() {
        let frames: Vec<Bytes> = (0..10).map(|_| vec![7; 60 * 1024].into()).collect();
        let batches = batches(frames.clone()).await;
        assert!(
            batches
                .iter()
                .all(|batch| batch.len() < BATCH_BYTES + 61 * 1024)
        );
        let all: Vec<Vec<u8>> = batches.iter().flat_map(|batch| split(batch)).collect();
        assert_eq!(all, frames);
    }

    #[tokio::test(start_paused = true)]
    async fn an_echoed_key_waits_for_nothing() {
        let begin = tokio::time::Instant::now();
        batches(vec![Bytes::from_static(b"a")]).await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_wire_that_is_full_or_gone_says_so_and_is_closed() {
        let wires = Wires::default();
        let (to, mut taken) = mpsc::channel(1);
        let (_from, from) = mpsc::channel(1);
        let number = wires.dial(Wire { to, from }, |_| true);
        assert_eq!(wires.send(number, Bytes::from_static(b"1")), Ok(()));
        let full = wires.send(number, Bytes::from_static(b"2"));
        assert_eq!(full, Err(WireError::Full));
        let gone = wires.send(number, Bytes::from_static(b"3"));
        assert_eq!(gone, Err(WireError::Gone));
        assert_eq!(taken.recv().await, Some(Bytes::from_static(b"1")));
        assert_eq!(taken.recv().await, None, "the gateway hears that it ended");
    }
}
