//! When a session was last active, from what its agent reports. An open connection is no activity.
use std::time::Duration;

use slipway_proto::v1;
use tokio::time::Instant;

/// Reports of the same activity differ by scheduling; only a later one than this is a new one.
const SLACK: Duration = Duration::from_millis(750);

/// What the agent's reports say about activity.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activity {
    last: Option<Instant>,
    /// None until the agent has said so.
    busy: Option<bool>,
}

impl Activity {
    /// Whether a foreground program other than the shell may run: nothing is ended because nobody has asked yet.
    pub(super) fn is_busy(self) -> bool {
        self.busy.unwrap_or(true)
    }

    /// Takes a report; how long ago the session was active, if it was since the last report.
    pub(super) fn heard(&mut self, usage: &v1::Usage, now: Instant) -> Option<Duration> {
        self.busy = Some(usage.busy);
        let quiet = Duration::from_millis(usage.quiet_ms);
        let at = now.checked_sub(quiet)?;
        let is_new = self.last.is_none_or(|last| at > last + SLACK);
        if is_new {
            self.last = Some(at);
        }
        is_new.then_some(quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(ms: u64) -> v1::Usage {
        v1::Usage {
            quiet_ms: ms,
            ..v1::Usage::default()
        }
    }

    #[test]
    fn a_session_of_which_nothing_was_heard_yet_is_busy() {
        let mut activity = Activity::default();
        assert!(activity.is_busy());
        activity.heard(&quiet(1), Instant::now());
        assert!(!activity.is_busy());
    }

    #[test]
    fn the_same_activity_reported_again_is_not_new() {
        let start = Instant::now() + Duration::from_secs(3600);
        let mut activity = Activity::default();
        assert_eq!(
            activity.heard(&quiet(100), start),
            Some(Duration::from_millis(100))
        );
        assert_eq!(
            activity.heard(&quiet(2_050), start + Duration::from_secs(2)),
            None
        );
        assert_eq!(
            activity.heard(&quiet(10), start + Duration::from_secs(4)),
            Some(Duration::from_millis(10))
        );
    }
}
