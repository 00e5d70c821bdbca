//! `Credit`: how much one viewer may still be sent, and whether it is fit to pace the program.
use std::collections::VecDeque;

use slipway_core::limits::{TERMINAL_STALL_MS, TERMINAL_WINDOW_BYTES, TERMINAL_WINDOW_BYTES_MAX};

/// The account of one viewer. Offsets are those of the log; acknowledgements are cumulative, so that a lost or
/// repeated one does no harm.
#[derive(Debug)]
pub struct Credit {
    window: u32,
    sent: u64,
    parsed: u64,
    /// Stretches of the log that were never sent, oldest first: they are not in flight.
    gaps: VecDeque<(u64, u64)>,
    visible: bool,
    /// Since when bytes are in flight without a new acknowledgement.
    waiting_since_ms: Option<u64>,
}

impl Credit {
    /// An account that starts at an offset.
    #[must_use]
    pub fn new(start: u64, window: u32, visible: bool) -> Self {
        Self {
            window: bounded(window),
            sent: start,
            parsed: start,
            gaps: VecDeque::new(),
            visible,
            waiting_since_ms: None,
        }
    }

    /// Offset after the last byte sent or skipped.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes sent and not yet parsed.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let skipped: u64 = self
            .gaps
            .iter()
            .map(|(from, to)| to - (*from).max(self.parsed).min(*to))
            .sum();
        self.sent - self.parsed - skipped
    }

    /// Bytes that may be sent now.
    #[must_use]
    pub fn available(&self) -> u64 {
        u64::from(self.window).saturating_sub(self.in_flight())
    }

    /// Notes bytes as sent.
    ///
    /// # Panics
    /// Never, if no more than `available` is sent.
    pub fn send(&mut self, bytes: u64, now_ms: u64) {
        debug_assert!(bytes <= self.available());
        if bytes > 0 {
            self.sent += bytes;
            self.waiting_since_ms.get_or_insert(now_ms);
        }
    }

    /// Notes that the bytes up to an offset will never be sent.
    pub fn skip(&mut self, to: u64) {
        if to <= self.sent {
            return;
        }
        match self.gaps.back_mut() {
            Some(last) if last.1 == self.sent => last.1 = to,
            _ => self.gaps.push_back((self.sent, to)),
        }
        self.sent = to;
        self.settle();
    }

    /// Takes an acknowledgement; one from the past or from beyond what was sent is cut to size.
    pub fn acknowledge(&mut self, parsed: u64, window: u32, now_ms: u64) {
        self.window = bounded(window);
        let parsed = parsed.min(self.sent);
        if parsed > self.parsed {
            self.parsed = parsed;
            self.waiting_since_ms = Some(now_ms);
        }
        self.settle();
    }

    /// Notes whether the viewer is on a screen.
    pub fn set_visible(&mut self, visible: bool) {
        self.visible = visible;
    }

    /// Whether the viewer is on a screen.
    #[must_use]
    pub fn visible(&self) -> bool {
        self.visible
    }

    /// Whether it acknowledged nothing for too long although bytes are in flight.
    #[must_use]
    pub fn stalled(&self, now_ms: u64) -> bool {
        self.stall_at_ms().is_some_and(|at| now_ms >= at)
    }

    /// When it will count as stalled if nothing is acknowledged until then.
    #[must_use]
    pub fn stall_at_ms(&self) -> Option<u64> {
        self.waiting_since_ms.map(|since| since + TERMINAL_STALL_MS)
    }

    /// Whether the program waits for this viewer.
    #[must_use]
    pub fn paces(&self, now_ms: u64) -> bool {
        self.visible && !self.stalled(now_ms)
    }

    fn settle(&mut self) {
        while self.gaps.front().is_some_and(|(_, to)| *to <= self.parsed) {
            self.gaps.pop_front();
        }
        if self.in_flight() == 0 {
            // Everything that was sent is parsed: a gap at the end needs no acknowledgement of its own.
            self.parsed = self.sent;
            self.gaps.clear();
            self.waiting_since_ms = None;
        }
    }
}

fn bounded(window: u32) -> u32 {
    if window == 0 {
        TERMINAL_WINDOW_BYTES
    } else {
        window.min(TERMINAL_WINDOW_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_viewer_that_acknowledges_nothing_stalls_and_recovers() {
        let mut credit = Credit::new(0, 100, true);
        credit.send(10, 1_000);
        assert!(credit.paces(1_000 + TERMINAL_STALL_MS - 1));
        assert!(!credit.paces(1_000 + TERMINAL_STALL_MS));
        credit.acknowledge(5, 100, 9_000);
        assert!(credit.paces(9_000));
        credit.acknowledge(10, 100, 9_001);
        assert!(credit.paces(1_000_000));
    }

    #[test]
    fn a_hidden_viewer_does_not_pace() {
        let mut credit = Credit::new(0, 100, true);
        credit.set_visible(false);
        assert!(!credit.paces(0));
    }

    #[test]
    fn bytes_that_were_skipped_are_not_in_flight() {
        let mut credit = Credit::new(0, 100, true);
        credit.send(60, 0);
        credit.skip(1_000_000);
        assert_eq!(credit.available(), 40);
        credit.send(40, 0);
        assert_eq!(credit.available(), 0);
        credit.acknowledge(60, 100, 1);
        assert_eq!(credit.available(), 60);
        credit.acknowledge(1_000_040, 100, 2);
        assert_eq!(credit.available(), 100);
    }

    #[test]
    fn a_lying_acknowledgement_is_cut_to_what_was_sent() {
        let mut credit = Credit::new(0, 100, true);
        credit.send(50, 0);
        credit.acknowledge(u64::MAX, u32::MAX, 0);
        assert_eq!(credit.in_flight(), 0);
        assert_eq!(credit.available(), u64::from(TERMINAL_WINDOW_BYTES_MAX));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Send(u64),
        Skip(u64),
        Ack(u64),
        OldAck(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0u64..300).prop_map(Step::Send),
            (0u64..5_000).prop_map(Step::Skip),
            (0u64..300).prop_map(Step::Ack),
            (0u64..300).prop_map(Step::OldAck),
        ]
    }

    proptest! {
        #[test]
        fn never_more_than_the_window_is_in_flight_and_lost_acks_heal(
            steps in prop::collection::vec(step(), 0..200),
            window in 1u32..1_000,
        ) {
            let mut credit = Credit::new(7, window, true);
            // The truth: which bytes were really sent.
            let mut sent: Vec<u64> = Vec::new();
            let mut parsed = 7;
            for step in steps {
                match step {
                    Step::Send(wish) => {
                        let bytes = wish.min(credit.available());
                        sent.extend(credit.sent()..credit.sent() + bytes);
                        credit.send(bytes, 0);
                    }
                    Step::Skip(bytes) => credit.skip(credit.sent() + bytes),
                    Step::Ack(more) => {
                        parsed = (parsed + more).min(credit.sent());
                        credit.acknowledge(parsed, window, 0);
                    }
                    Step::OldAck(less) => credit.acknowledge(parsed.saturating_sub(less), window, 0),
                }
                let in_flight = sent.iter().filter(|at| **at >= parsed).count() as u64;
                prop_assert_eq!(credit.in_flight(), in_flight);
                prop_assert!(in_flight <= u64::from(window));
            }
            credit.acknowledge(credit.sent(), window, 0);
            prop_assert_eq!(credit.available(), u64::from(window));
        }
    }
}
