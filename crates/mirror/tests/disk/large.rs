//! Large files: a small change inside one sends little, also after a restart, and without what it builds on it is sent
//! whole. One that breaks off on its way goes on, in both directions.
use std::io::{Seek as _, SeekFrom, Write as _};

use slipway_core::path::RelPath;

use super::{Seat, follow, settings, tree, tree_of};

fn noise(bytes: usize, seed: u8) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let next = || {
        state = state
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33).to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

impl Seat {
    /// Bytes of contents that the hub got until both sides are the same.
    async fn sends(&self) -> u64 {
        let before = self.hub.inner().received;
        self.hub.rest().await;
        assert!(tree(&self.file("")) == tree_of(&self.hub));
        self.hub.inner().received - before
    }

    fn change(&self, at: u64, seed: u8) {
        let mut file = std::fs::File::options()
            .write(true)
            .open(self.file("large.bin"))
            .unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&noise(4_096, seed)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_change_inside_a_large_file_sends_little() {
    const SIZE: u64 = 12 << 20;
    let mut seat = Seat::open();
    let large = noise(12 << 20, 1);
    std::fs::write(seat.file("large.bin"), &large).unwrap();
    assert!(seat.sends().await >= SIZE);
    seat.change(SIZE / 2, 2);
    let sent = seat.sends().await;
    assert!((4_096..=1 << 20).contains(&sent), "{sent}");
    // What is put in moves all that follows.
    let mut longer = std::fs::read(seat.file("large.bin")).unwrap();
    longer.splice(1_000_000..1_000_000, noise(100, 3));
    std::fs::write(seat.file("large.bin"), &longer).unwrap();
    let sent = seat.sends().await;
    assert!((100..=1 << 20).contains(&sent), "{sent}");
    seat.engine.stop().await;
    seat.engine = slipway_mirror::engine::Engine::start(settings(seat.folder.path())).unwrap();
    seat._follow = follow(&seat.engine, &seat.hub);
    seat.change(SIZE / 3, 4);
    let sent = seat.sends().await;
    assert!((4_096..=1 << 20).contains(&sent), "after a restart: {sent}");
    // A hub that forgot the versions before.
    seat.hub.inner().contents.clear();
    seat.change(SIZE / 4, 5);
    let sent = {
        let before = seat.hub.inner().received;
        seat.hub.rest().await;
        seat.hub.inner().received - before
    };
    assert!(sent >= SIZE, "whole again: {sent}");
    assert!(tree(&seat.file("")) == tree_of(&seat.hub));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_of_a_file_that_broke_off_is_not_sent_again() {
    const SIZE: u64 = 12 << 20;
    let seat = Seat::open();
    seat.hub.rest().await;
    // A hello, a batch, and then so many pieces of at most 256 KiB.
    seat.hub.end_after(30);
    // At once: half of it would be a version of its own.
    let aside = seat.folder.path().join("aside");
    std::fs::write(&aside, noise(12 << 20, 1)).unwrap();
    std::fs::rename(aside, seat.file("large.bin")).unwrap();
    let sent = seat.sends().await;
    assert!((SIZE..=SIZE + (1 << 20)).contains(&sent), "{sent}");
    assert!(seat.hub.inner().breaks > 0, "it broke off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_of_a_file_that_broke_off_is_not_asked_for_again() {
    const SIZE: u64 = 12 << 20;
    let seat = Seat::open();
    seat.hub.rest().await;
    // Of 48 pieces.
    seat.hub.end_after(30);
    let path = RelPath::parse("large.bin").unwrap();
    seat.hub.edit(&path, Some(noise(12 << 20, 1).into()));
    seat.hub.breaks().await;
    seat.hub.rest().await;
    assert!(tree(&seat.file("")) == tree_of(&seat.hub));
    let sent = seat.hub.inner().sent;
    assert!((SIZE..=SIZE + (1 << 20)).contains(&sent), "{sent}");
}
