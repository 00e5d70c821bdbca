//! A plan that deletes most of a workspace is more often an accident than a wish.

/// A workspace with fewer entries is soon emptied on purpose.
pub const TRACKED_MIN: usize = 20;

/// Whether so many deletions of so many entries are a reason to stop and tell, where there are as many as that.
#[must_use]
pub const fn is_mass_deletion(deleted: usize, tracked: usize, tracked_min: usize) -> bool {
    tracked >= tracked_min && deleted * 2 > tracked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_of_many_is_a_reason_to_stop() {
        assert!(is_mass_deletion(11, 20, TRACKED_MIN));
        assert!(!is_mass_deletion(10, 20, TRACKED_MIN));
        assert!(!is_mass_deletion(19, 19, TRACKED_MIN));
    }
}
