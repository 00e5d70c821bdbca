//! The memory of a program that mostly waits: what a long bout of work took is given back when it is over.
use std::collections::BTreeMap;
use std::time::Duration;

use slipway_core::path::RelPath;
use tokio::time::Instant;

/// A bout is over when nothing was to do for this long.
const QUIET: Duration = Duration::from_secs(2);
/// Turns of a loop that make a bout: saves of a person are shorter, and leave little behind.
const BOUT: u32 = 100;

/// What is larger is asked of the system by itself, and given back at once. The allocator would raise this bound by itself
/// with each such piece, and the holes that large pieces leave between small ones are memory that nobody has.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const PIECE_BYTES: std::ffi::c_int = 128 * 1024;

/// Keeps few pools of free memory. Each thread may have one of its own otherwise, and what a thread took in a burst of work
/// stays in its pool.
pub fn share_pools() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(
        unsafe_code,
        reason = "a setting of the allocator, by a call without memory of ours"
    )]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, PIECE_BYTES);
    }
}

/// Packs a tree: paths that came in order left each of its nodes half empty.
pub(crate) fn pack<V>(tree: &mut BTreeMap<RelPath, V>) {
    *tree = std::mem::take(tree).into_iter().collect();
}

/// Packs a tree whose paths share their text with those of another one from now on.
pub(crate) fn pack_like<V, W>(tree: &mut BTreeMap<RelPath, V>, other: &BTreeMap<RelPath, W>) {
    let shared = std::mem::take(tree).into_iter().map(|(path, value)| {
        let same = other.get_key_value(&path).map(|(same, _)| same.clone());
        (same.unwrap_or(path), value)
    });
    *tree = shared.collect();
}

/// Gives free memory back to the system.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(
        unsafe_code,
        reason = "the allocator gives up what nobody has; it may be called at any time"
    )]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Sees when a bout of work is over.
#[derive(Debug, Default)]
pub(crate) struct Bout {
    turns: u32,
    over_at: Option<Instant>,
}

impl Bout {
    /// Something was done.
    pub(crate) fn turn(&mut self, now: Instant) {
        self.turns = self.turns.saturating_add(1);
        if self.turns >= BOUT {
            self.over_at = Some(now + QUIET);
        }
    }

    /// When it is over, unless something is to do before.
    pub(crate) const fn over_at(&self) -> Option<Instant> {
        self.over_at
    }

    /// Whether it is over now; another one may begin.
    pub(crate) fn ends(&mut self, now: Instant) -> bool {
        let is_over = self.over_at.is_some_and(|at| at <= now);
        if is_over {
            *self = Self::default();
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_as_before_and_shares_the_text_of_its_paths() {
        let path = |n: u32| RelPath::parse(&format!("folder/{n}")).unwrap();
        let tree = |to: u32| (0..to).map(|n| (path(n), n)).collect::<BTreeMap<_, _>>();
        let (mut one, other) = (tree(100), tree(50));
        pack(&mut one);
        assert_eq!(one, tree(100));
        pack_like(&mut one, &other);
        assert_eq!(one, tree(100));
        let of = |tree: &BTreeMap<RelPath, u32>| {
            let (path, _) = tree.get_key_value(&path(7)).unwrap();
            path.as_str().as_ptr()
        };
        assert_eq!(of(&one), of(&other));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_bout_is_over_after_a_quiet_moment_and_a_save_is_none() {
        let mut bout = Bout::default();
        let begin = Instant::now();
        for _ in 1..BOUT {
            bout.turn(begin);
        }
        assert_eq!(bout.over_at(), None);
        bout.turn(begin);
        assert!(!bout.ends(begin));
        bout.turn(begin + QUIET / 2);
        assert!(!bout.ends(begin + QUIET));
        assert!(bout.ends(begin + QUIET / 2 + QUIET));
        assert_eq!(bout.over_at(), None);
    }
}
