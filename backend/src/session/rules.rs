//! A session's life as a pure function: what was, what happened and what time it is give what is now.
//! Nothing here acts; the driver looks at the state that comes out.
use slipway_api::session::{Reason, SessionState};
use slipway_core::code::Code;
use slipway_core::limits::{
    SESSION_IDLE_COUNTDOWN_S, SESSION_IDLE_S, SESSION_LIFETIME_S, SESSION_PROVISIONING_S,
    SESSION_REQUESTED_S, SESSION_STOPPING_S,
};
use time::{Duration, OffsetDateTime};

/// Crashes within [`CRASH_WINDOW_S`] after which a session is given up.
pub const CRASHES_MAX: usize = 3;
/// Crashes longer ago do not count.
pub const CRASH_WINDOW_S: u64 = 300;

/// What decides about a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    /// Where it is.
    pub state: SessionState,
    /// How often its place was made again.
    pub attempt: u32,
    /// When it was asked for.
    pub created_at: OffsetDateTime,
    /// When its state must be left; every live state has one.
    pub deadline_at: Option<OffsetDateTime>,
    /// Last input, output, CPU use or wish to keep it.
    pub last_activity_at: OffsetDateTime,
    /// When it is stopped unless something happens.
    pub idle_stop_at: Option<OffsetDateTime>,
    /// No idle stop while programs run.
    pub keep_until_done: bool,
    /// Recent losses of its place.
    pub crashes: Vec<OffsetDateTime>,
    /// Why it ended or is ending.
    pub reason: Option<Reason>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A driver has begun to make its place.
    TakenUp,
    /// The start went a step further.
    Progress,
    /// The agent is bound: terminals and runs work.
    Bound,
    /// Time passed; `busy` says whether a program runs.
    Tick {
        /// A foreground program other than the shell runs, or may.
        busy: bool,
    },
    /// Something was typed, printed or computed, or a person wants to keep it.
    Active {
        /// When.
        at: OffsetDateTime,
    },
    /// It shall stop.
    StopWished,
    /// Its place or agent is gone.
    PlaceGone(Reason),
    /// Its place cannot be made, and trying again would not help.
    CannotStart(Reason),
    /// Its place was ended.
    PlaceEnded,
}

/// Whether a session in this state has, or may have, a place.
#[must_use]
pub const fn is_live(state: SessionState) -> bool {
    match state {
        SessionState::Requested
        | SessionState::Provisioning
        | SessionState::Ready
        | SessionState::Idle
        | SessionState::Stopping => true,
        SessionState::Stopped | SessionState::Failed => false,
    }
}

impl Life {
    /// A session that was just asked for.
    #[must_use]
    pub fn requested(now: OffsetDateTime) -> Self {
        Self {
            state: SessionState::Requested,
            attempt: 0,
            created_at: now,
            deadline_at: Some(now + seconds(SESSION_REQUESTED_S)),
            last_activity_at: now,
            idle_stop_at: None,
            keep_until_done: false,
            crashes: Vec::new(),
            reason: None,
        }
    }

    /// Why it ended or is ending, for people; without a reason of its own, somebody wished it.
    #[must_use]
    pub fn why(&self) -> &str {
        let reason = self.reason.as_ref();
        reason.map_or("The session was stopped.", |reason| &reason.text)
    }

    /// Its life after `event`, at `now`. An event that means nothing in this state changes nothing.
    #[must_use]
    pub fn after(self, event: Event, now: OffsetDateTime) -> Self {
        use SessionState::{Failed, Idle, Provisioning, Ready, Requested, Stopped, Stopping};
        match (self.state, event) {
            (Stopped | Failed, _) => self,
            (Requested | Provisioning, Event::TakenUp | Event::Progress) => self.provisioning(now),
            (Requested | Provisioning | Ready | Idle, Event::Bound) => self.ready(now),
            (Requested | Provisioning | Ready | Idle, Event::StopWished) => {
                self.stopping(now, None)
            }
            (Requested | Provisioning | Ready | Idle, Event::CannotStart(reason)) => {
                self.ended(Failed, Some(reason))
            }
            (Requested | Provisioning | Ready | Idle, Event::PlaceGone(reason)) => {
                self.lost(now, reason)
            }
            (Requested | Provisioning, Event::Tick { .. }) => self.started_in_time(now),
            (Ready | Idle, Event::Tick { busy }) => self.aged(now, busy),
            (Ready | Idle, Event::Active { at }) => self.active(now, at),
            (Stopping, Event::PlaceEnded | Event::PlaceGone(_)) => {
                let reason = self.reason.clone();
                self.ended(Stopped, reason)
            }
            (Stopping, Event::Tick { .. }) if self.is_overdue(now) => self.ended(
                Stopped,
                Some(reason(
                    Code::SessionUnreachable,
                    "The session did not end in time and was ended by force.",
                )),
            ),
            (Ready | Idle, Event::TakenUp | Event::Progress | Event::PlaceEnded)
            | (Requested | Provisioning, Event::Active { .. } | Event::PlaceEnded)
            | (
                Stopping,
                Event::TakenUp
                | Event::Progress
                | Event::Bound
                | Event::Tick { .. }
                | Event::Active { .. }
                | Event::StopWished
                | Event::CannotStart(_),
            ) => self,
        }
    }

    fn is_overdue(&self, now: OffsetDateTime) -> bool {
        self.deadline_at.is_some_and(|deadline| deadline <= now)
    }

    fn provisioning(mut self, now: OffsetDateTime) -> Self {
        self.state = SessionState::Provisioning;
        self.deadline_at = Some(now + seconds(SESSION_PROVISIONING_S));
        self
    }

    fn ready(mut self, now: OffsetDateTime) -> Self {
        self.last_activity_at = self.last_activity_at.max(now);
        self.back_to_ready(now)
    }

    fn back_to_ready(mut self, now: OffsetDateTime) -> Self {
        self.state = SessionState::Ready;
        self.idle_stop_at = None;
        let lifetime = self.created_at + seconds(SESSION_LIFETIME_S);
        // A kept session outlives its lifetime; what is due now is looked at again by the next tick.
        self.deadline_at = Some(lifetime.max(now));
        self.reason = None;
        self
    }

    fn active(mut self, now: OffsetDateTime, at: OffsetDateTime) -> Self {
        self.last_activity_at = self.last_activity_at.max(at);
        if now < self.last_activity_at + seconds(SESSION_IDLE_S) {
            self.back_to_ready(now)
        } else {
            self
        }
    }

    fn started_in_time(self, now: OffsetDateTime) -> Self {
        if !self.is_overdue(now) {
            return self;
        }
        let text = match self.state {
            SessionState::Requested => {
                "No place was free for the session in time. Start it again later."
            }
            SessionState::Provisioning
            | SessionState::Ready
            | SessionState::Idle
            | SessionState::Stopping
            | SessionState::Stopped
            | SessionState::Failed => {
                "The session made no progress for two minutes while starting. Start it again."
            }
        };
        self.ended(SessionState::Failed, Some(reason(Code::StartFailed, text)))
    }

    fn aged(mut self, now: OffsetDateTime, busy: bool) -> Self {
        let kept = self.keep_until_done && busy;
        if kept {
            return self.back_to_ready(now);
        }
        if now >= self.created_at + seconds(SESSION_LIFETIME_S) {
            return self.stopping(
                now,
                Some(reason(
                    Code::LifetimeReached,
                    "The session reached its longest life of 12 hours. Your files are kept; start it again to go on.",
                )),
            );
        }
        match self.idle_stop_at {
            Some(stop_at) if stop_at <= now => self.stopping(
                now,
                Some(reason(
                    Code::IdleStop,
                    "Nothing happened in the session for half an hour, so it was stopped. Your files are kept.",
                )),
            ),
            Some(_) => self,
            None if now >= self.last_activity_at + seconds(SESSION_IDLE_S) => {
                let stop_at = now + seconds(SESSION_IDLE_COUNTDOWN_S);
                self.state = SessionState::Idle;
                self.idle_stop_at = Some(stop_at);
                self.deadline_at = Some(stop_at);
                self
            }
            None => self,
        }
    }

    fn lost(mut self, now: OffsetDateTime, why: Reason) -> Self {
        self.crashes
            .retain(|at| *at + seconds(CRASH_WINDOW_S) > now);
        self.crashes.push(now);
        if self.crashes.len() >= CRASHES_MAX {
            return self.ended(SessionState::Failed, Some(why));
        }
        self.attempt += 1;
        self.idle_stop_at = None;
        self.provisioning(now)
    }

    fn stopping(mut self, now: OffsetDateTime, why: Option<Reason>) -> Self {
        self.state = SessionState::Stopping;
        self.deadline_at = Some(now + seconds(SESSION_STOPPING_S));
        self.idle_stop_at = None;
        self.reason = why;
        self
    }

    fn ended(mut self, state: SessionState, why: Option<Reason>) -> Self {
        self.state = state;
        self.deadline_at = None;
        self.idle_stop_at = None;
        self.reason = why;
        self
    }
}

/// A limit in seconds as a span.
fn seconds(limit_s: u64) -> Duration {
    Duration::seconds(i64::try_from(limit_s).unwrap_or(i64::MAX))
}

fn reason(code: Code, text: &str) -> Reason {
    Reason {
        code,
        text: text.to_owned(),
    }
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
