//! The carrier against a socket that fills, one that closes, and many writers.
use std::collections::HashSet;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// poll(2)'s and epoll's bit for room.
const OUT: u32 = 0x4;

fn pair() -> (Carrier, Carrier) {
    let (a, b) = tokio::net::UnixStream::pair().unwrap();
    (Carrier::new(a).unwrap(), Carrier::new(b).unwrap())
}

/// What each of these descriptors is listened to for, by any epoll of this process.
fn events_of(descriptors: &HashSet<i32>) -> Vec<u32> {
    let mut events = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fdinfo").unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        for line in text.lines().filter(|line| line.starts_with("tfd:")) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if descriptors.contains(&words[1].parse().unwrap()) {
                events.push(u32::from_str_radix(words[3], 16).unwrap());
            }
        }
    }
    events
}

fn descriptors(carrier: &Carrier) -> HashSet<i32> {
    HashSet::from([carrier.reader.as_raw_fd(), carrier.writer.as_raw_fd()])
}

#[tokio::test]
async fn room_is_listened_for_only_when_there_was_none() {
    let (mut near, mut far) = pair();
    let mine = descriptors(&near);
    near.write_all(b"key").await.unwrap();
    let events = events_of(&mine);
    assert!(!events.is_empty(), "it is listened to for reading");
    assert!(events.iter().all(|events| events & OUT == 0), "{events:x?}");

    let much = vec![7; 8 << 20];
    let (sent, ()) = tokio::join!(near.write_all(&much), async {
        while !events_of(&mine).iter().any(|events| events & OUT != 0) {
            tokio::task::yield_now().await;
        }
        let mut all = vec![0; much.len() + 3];
        far.read_exact(&mut all).await.unwrap();
        assert_eq!(&all[..3], b"key");
        assert!(all[3..].iter().all(|byte| *byte == 7));
    });
    sent.unwrap();
    let events = events_of(&mine);
    assert!(events.iter().all(|events| events & OUT == 0), "{events:x?}");
}

#[tokio::test]
async fn pieces_of_any_size_arrive_whole_and_in_order_both_ways() {
    let (near, far) = pair();
    let send = |mut half: tokio::io::WriteHalf<Carrier>| async move {
        let mut next = 0_u8;
        for size in (1..3_000_usize).step_by(7) {
            let piece: Vec<u8> = std::iter::repeat_with(|| {
                next = next.wrapping_add(1);
                next
            })
            .take(size)
            .collect();
            half.write_all(&piece).await.unwrap();
        }
        half.shutdown().await.unwrap();
    };
    let receive = |mut half: tokio::io::ReadHalf<Carrier>| async move {
        let mut all = Vec::new();
        half.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), (1..3_000).step_by(7).sum::<usize>());
        let expected = (1..=255_u8).chain([0]).cycle();
        assert!(all.iter().copied().zip(expected).all(|(a, b)| a == b));
    };
    let (near_in, near_out) = tokio::io::split(near);
    let (far_in, far_out) = tokio::io::split(far);
    tokio::join!(
        send(near_out),
        send(far_out),
        receive(near_in),
        receive(far_in)
    );
}

#[tokio::test]
async fn an_end_that_goes_away_is_noticed() {
    let (mut near, far) = pair();
    drop(far);
    assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(near.write_all(b"key").await.is_err());
}
