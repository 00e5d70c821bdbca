//! `Age`: what passes between a folder and its hub, as if the other side were of another version.
use std::sync::atomic::{AtomicU64, Ordering};

use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
use slipway_proto::v1::{self, hub_frame, spoke_bulk, spoke_frame};

/// Of which version the two take each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Age {
    /// Of this one.
    #[default]
    Same,
    /// Of the first: each hears nothing of what was added to the schema since.
    First,
    /// Of the next: each hears kinds of frames and fields that nobody here knows.
    Next,
}

/// What a message of tomorrow has: fields that this schema does not.
#[derive(Clone, PartialEq, Message)]
struct Tomorrow {
    #[prost(string, tag = "1000")]
    said: String,
    #[prost(uint64, tag = "1001")]
    counted: u64,
    #[prost(message, optional, tag = "1002")]
    within: Option<Within>,
}

#[derive(Clone, PartialEq, Message)]
struct Within {
    #[prost(string, tag = "1")]
    said: String,
}

fn tomorrow() -> Vec<u8> {
    let said = "high water".to_owned();
    let all = Tomorrow {
        said: said.clone(),
        counted: u64::MAX,
        within: Some(Within { said }),
    };
    all.encode_to_vec()
}

/// A frame of an unknown kind.
fn of_tomorrow<F: Message + Default>() -> F {
    F::decode(&*tomorrow()).expect("what is not known is passed over")
}

/// A frame with unknown fields, its own and those of what it carries.
fn with_more<F: Message + Default>(frame: &F) -> F {
    let bytes = frame.encode_to_vec();
    let (mut rest, mut more) = (&bytes[..], Vec::new());
    let (tag, kind) = decode_key(&mut rest).expect("a kind");
    assert_eq!(kind, WireType::LengthDelimited);
    let size = decode_varint(&mut rest).expect("a size");
    assert_eq!(size, rest.len() as u64, "a frame has one field");
    encode_key(tag, kind, &mut more);
    encode_varint(size + tomorrow().len() as u64, &mut more);
    more.extend_from_slice(rest);
    more.extend(tomorrow());
    more.extend(tomorrow());
    F::decode(&*more).expect("what is not known is passed over")
}

fn between<F: Message + Default>(age: Age, frame: F) -> Vec<F> {
    match age {
        Age::Same | Age::First => vec![frame],
        Age::Next => vec![of_tomorrow(), with_more(&frame)],
    }
}

/// What passed by that the other side would not have understood.
#[derive(Debug, Default)]
pub(super) struct Odd(AtomicU64);

impl Odd {
    pub(super) fn many(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn note(&self, is_odd: bool) {
        self.0.fetch_add(u64::from(is_odd), Ordering::Relaxed);
    }
}

impl Age {
    /// What a folder hears of the hub.
    pub(super) fn heard(self, mut frame: v1::HubFrame) -> Vec<v1::HubFrame> {
        if let (Self::First, Some(frame)) = (self, &mut frame.frame) {
            match frame {
                hub_frame::Frame::Hello(hello) => {
                    (hello.ranges, hello.compares, hello.gathers) = (false, false, false);
                }
                hub_frame::Frame::Changes(changes) => {
                    changes.moment = None;
                    changes.changes.iter_mut().for_each(|one| one.made = 0);
                }
                hub_frame::Frame::Result(result) => result.made = 0,
                hub_frame::Frame::Need(need) => need.begun.clear(),
                hub_frame::Frame::Flush(_)
                | hub_frame::Frame::Arrived(_)
                | hub_frame::Frame::Digest(_) => {}
            }
        }
        between(self, frame)
    }

    /// What the hub hears of a folder.
    pub(super) fn said(self, mut frame: v1::SpokeFrame, odd: &Odd) -> Vec<v1::SpokeFrame> {
        match (self, &mut frame.frame) {
            (Self::First, Some(spoke_frame::Frame::Hello(hello))) => {
                (hello.protocol, hello.seen, hello.moment) = (hello.protocol - 1, 0, None);
            }
            (Self::First, Some(spoke_frame::Frame::Propose(propose))) => {
                odd.note(propose.more);
                propose
                    .operations
                    .iter_mut()
                    .for_each(|one| one.from = None);
            }
            (Self::First, Some(spoke_frame::Frame::Need(need))) => {
                need.bases.clear();
                need.offsets.clear();
            }
            (Self::First, Some(spoke_frame::Frame::Compare(_))) => odd.note(true),
            (Self::Next, Some(spoke_frame::Frame::Hello(hello))) => {
                hello.protocol += 1;
                // A hello comes first.
                return vec![with_more(&frame)];
            }
            _ => {}
        }
        between(self, frame)
    }

    /// Contents that a folder hears.
    pub(super) fn came(self, blob: v1::HubBulk) -> Vec<v1::HubBulk> {
        between(self, blob)
    }

    /// Contents that the hub hears.
    pub(super) fn went(self, blob: v1::SpokeBulk, odd: &Odd) -> Vec<v1::SpokeBulk> {
        if let (Self::First, Some(spoke_bulk::Frame::Blob(blob))) = (self, &blob.frame) {
            odd.note(!blob.from.is_empty());
        }
        between(self, blob)
    }
}
