//! Tests of `Attachment`: cuts, credits, marks, gaps and the end, against a model of the viewer.
use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { cols: 80, rows: 24 };

/// A viewer that keeps what it was shown, as bytes and sizes in one stream.
#[derive(Default)]
struct Screen {
    seen: Vec<Seen>,
    offset: u64,
    gaps: u64,
    restored: Vec<u8>,
    exited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Byte(u8),
    Size(Size),
}

impl Screen {
    fn attach(&mut self, log: &mut ByteLog, window: u32) -> Attachment {
        let hello = Hello {
            same_log: true,
            have_offset: self.offset,
            window,
            visible: true,
        };
        let (viewer, attached) = Attachment::new(hello, log);
        if attached.mode == Mode::Replay {
            self.seen.clear();
        }
        assert_eq!(attached.end_offset, log.end());
        self.offset = attached.start_offset;
        self.size(attached.size);
        viewer
    }

    fn size(&mut self, size: Size) {
        let current = self.seen.iter().rev().find_map(|seen| match seen {
            Seen::Size(size) => Some(*size),
            Seen::Byte(_) => None,
        });
        if current != Some(size) {
            if matches!(self.seen.last(), Some(Seen::Size(_))) {
                self.seen.pop();
            }
            self.seen.push(Seen::Size(size));
        }
    }

    fn take(&mut self, frame: Frame) {
        assert!(!self.exited, "nothing follows the exit");
        match frame {
            Frame::Output { offset, data } => {
                assert_eq!(offset, self.offset);
                assert!(!data.is_empty());
                self.offset += data.len() as u64;
                self.seen.extend(data.iter().map(|byte| Seen::Byte(*byte)));
            }
            Frame::Resized { at, size } => {
                assert_eq!(at, self.offset);
                self.size(size);
            }
            Frame::Restored { at, size, data } => {
                assert_eq!(at, self.offset);
                self.size(size);
                self.restored.extend_from_slice(&data);
            }
            Frame::Gap { from: _, to } => {
                self.gaps += 1;
                self.offset = to;
                self.restored.clear();
            }
            Frame::Exited => self.exited = true,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |seen: &Seen| match seen {
            Seen::Byte(byte) => Some(*byte),
            Seen::Size(_) => None,
        };
        self.seen.iter().filter_map(byte).collect()
    }
}

#[test]
fn a_viewer_of_another_log_starts_anew() {
    let mut log = ByteLog::new(100, SIZE);
    log.push(b"hello");
    let hello = Hello {
        same_log: false,
        have_offset: 3,
        window: 0,
        visible: true,
    };
    let (_, attached) = Attachment::new(hello, &mut log);
    assert_eq!((attached.mode, attached.start_offset), (Mode::Replay, 0));
}

#[test]
fn an_offset_beyond_the_end_starts_anew() {
    let mut log = ByteLog::new(100, SIZE);
    log.push(b"hello");
    let hello = Hello {
        same_log: true,
        have_offset: 6,
        window: 0,
        visible: true,
    };
    let (_, attached) = Attachment::new(hello, &mut log);
    assert_eq!((attached.mode, attached.start_offset), (Mode::Replay, 0));
}

#[test]
fn a_replay_of_a_cut_log_shows_a_gap_and_begins_with_the_screen_before_it() {
    let mut log = ByteLog::new(12, SIZE);
    log.push(b"first line\nsecond\n");
    let mut screen = Screen::default();
    let hello = Hello {
        same_log: false,
        have_offset: 0,
        window: 0,
        visible: true,
    };
    let (mut viewer, attached) = Attachment::new(hello, &mut log);
    assert_eq!(
        viewer.next(&mut log, false, 0),
        Some(Frame::Gap { from: 0, to: 6 })
    );
    screen.offset = attached.start_offset;
    while let Some(frame) = viewer.next(&mut log, false, 0) {
        screen.take(frame);
    }
    let restored = String::from_utf8_lossy(&screen.restored).into_owned();
    assert!(restored.contains("first "), "{restored:?}");
    assert_eq!(screen.bytes(), b"line\nsecond\n");
}

#[test]
fn a_viewer_that_fell_behind_sees_one_gap() {
    let mut log = ByteLog::new(1_000, SIZE);
    let mut screen = Screen::default();
    let mut viewer = screen.attach(&mut log, 10);
    for n in 0..1_000 {
        log.push(format!("line {n}\n").as_bytes());
        while let Some(frame) = viewer.next(&mut log, false, 0) {
            screen.take(frame);
        }
    }
    assert_eq!(screen.bytes(), b"line 0\nlin");
    while screen.offset < log.end() {
        viewer.credit_mut().acknowledge(screen.offset, 10, 0);
        while let Some(frame) = viewer.next(&mut log, false, 0) {
            screen.take(frame);
        }
    }
    assert_eq!(screen.gaps, 1);
    let restored = String::from_utf8_lossy(&screen.restored).into_owned();
    assert!(restored.contains("line 8"), "{restored:?}");
    assert!(screen.bytes().ends_with(b"\nline 999\n"));
}

#[derive(Clone, Debug)]
enum Step {
    Print(Vec<u8>),
    Resize(u32, u32),
    Send(usize),
    Ack,
    RepeatAck,
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..400).prop_map(Step::Print),
        1 => (1u32..200, 1u32..90).prop_map(|(cols, rows)| Step::Resize(cols, rows)),
        4 => (1usize..6).prop_map(Step::Send),
        3 => Just(Step::Ack),
        1 => Just(Step::RepeatAck),
        2 => Just(Step::Cut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn cuts_anywhere_lose_and_double_nothing(
        steps in prop::collection::vec(step(), 0..120),
        window in 1u32..700,
    ) {
        let mut log = ByteLog::new(1 << 20, SIZE);
        let mut truth: Vec<Seen> = vec![Seen::Size(SIZE)];
        let mut screen = Screen::default();
        let mut viewer = screen.attach(&mut log, window);
        let mut acknowledged = 0;
        for step in steps {
            match step {
                Step::Print(data) => {
                    log.push(&data);
                    truth.extend(data.iter().map(|byte| Seen::Byte(*byte)));
                }
                Step::Resize(cols, rows) => {
                    let size = Size { cols, rows };
                    log.resize(size);
                    let mut model = Screen { seen: std::mem::take(&mut truth), ..Screen::default() };
                    model.size(size);
                    truth = model.seen;
                }
                Step::Send(frames) => for _ in 0..frames {
                    // A frame that was sent arrives, or the connection was cut before it: both are `Cut` below.
                    if let Some(frame) = viewer.next(&mut log, false, 0) { screen.take(frame); }
                },
                Step::Ack => {
                    acknowledged = screen.offset;
                    viewer.credit_mut().acknowledge(acknowledged, window, 0);
                }
                Step::RepeatAck => viewer.credit_mut().acknowledge(acknowledged, window, 0),
                Step::Cut => {
                    // Frames on their way are lost with the connection.
                    drop(viewer.next(&mut log, false, 0));
                    viewer = screen.attach(&mut log, window);
                }
            }
            prop_assert!(viewer.credit().in_flight() <= u64::from(window));
        }
        // Whatever happened, acknowledging what was shown makes progress until the exit.
        for _ in 0..200_000 {
            if screen.exited { break; }
            match viewer.next(&mut log, true, 0) {
                Some(frame) => screen.take(frame),
                None => viewer.credit_mut().acknowledge(screen.offset, window, 0),
            }
        }
        prop_assert!(screen.exited && viewer.ended());
        prop_assert_eq!(normal(&screen.seen), normal(&truth));
    }
}

/// Sizes that no byte was printed at leave no trace.
fn normal(seen: &[Seen]) -> Vec<Seen> {
    let mut out: Vec<Seen> = Vec::new();
    let mut size = None;
    let mut told = None;
    for item in seen {
        match item {
            Seen::Size(new) => size = Some(*new),
            Seen::Byte(_) => {
                if size != told {
                    out.extend(size.map(Seen::Size));
                    told = size;
                }
                out.push(*item);
            }
        }
    }
    out
}
