//! The table of the session's life, and what holds on every path through it.
use super::*;
use proptest::prelude::*;
use slipway_api::session::SessionState::{
    Failed, Idle, Provisioning, Ready, Requested, Stopped, Stopping,
};

const ALL: [SessionState; 7] = [
    Requested,
    Provisioning,
    Ready,
    Idle,
    Stopping,
    Stopped,
    Failed,
];

fn start() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn why() -> Reason {
    reason(Code::OutOfMemory, "out of memory: 512 MiB")
}

/// A session in `state` that was asked for at [`start`].
fn in_state(state: SessionState) -> Life {
    let fresh = Life::requested(start());
    let ready = || fresh.clone().after(Event::Bound, start());
    let life = match state {
        Requested => fresh.clone(),
        Provisioning => fresh.clone().after(Event::TakenUp, start()),
        Ready => ready(),
        Idle => ready().after(
            Event::Tick { busy: false },
            start() + seconds(SESSION_IDLE_S),
        ),
        Stopping => ready().after(Event::StopWished, start()),
        Stopped => ready()
            .after(Event::StopWished, start())
            .after(Event::PlaceEnded, start()),
        Failed => fresh.clone().after(Event::CannotStart(why()), start()),
    };
    assert_eq!(life.state, state, "the fixture reaches the state");
    life
}

#[test]
fn every_state_answers_every_event_as_the_table_says() {
    // Columns: requested, provisioning, ready, idle, stopping, stopped, failed.
    let table = [
        (
            Event::TakenUp,
            [
                Provisioning,
                Provisioning,
                Ready,
                Idle,
                Stopping,
                Stopped,
                Failed,
            ],
        ),
        (
            Event::Progress,
            [
                Provisioning,
                Provisioning,
                Ready,
                Idle,
                Stopping,
                Stopped,
                Failed,
            ],
        ),
        (
            Event::Bound,
            [Ready, Ready, Ready, Ready, Stopping, Stopped, Failed],
        ),
        (
            Event::Tick { busy: false },
            [
                Requested,
                Provisioning,
                Ready,
                Idle,
                Stopping,
                Stopped,
                Failed,
            ],
        ),
        (
            Event::StopWished,
            [
                Stopping, Stopping, Stopping, Stopping, Stopping, Stopped, Failed,
            ],
        ),
        (
            Event::PlaceGone(why()),
            [
                Provisioning,
                Provisioning,
                Provisioning,
                Provisioning,
                Stopped,
                Stopped,
                Failed,
            ],
        ),
        (
            Event::CannotStart(why()),
            [Failed, Failed, Failed, Failed, Stopping, Stopped, Failed],
        ),
        (
            Event::PlaceEnded,
            [
                Requested,
                Provisioning,
                Ready,
                Idle,
                Stopped,
                Stopped,
                Failed,
            ],
        ),
    ];
    for (event, expected) in table {
        for (state, expected) in ALL.into_iter().zip(expected) {
            let now = start() + Duration::seconds(1);
            let after = in_state(state).after(event.clone(), now);
            assert_eq!(after.state, expected, "{state:?} after {event:?}");
        }
    }
}

#[test]
fn every_deadline_leads_on() {
    let table = [
        (Requested, Failed, Some(Code::StartFailed)),
        (Provisioning, Failed, Some(Code::StartFailed)),
        (Ready, Stopping, Some(Code::LifetimeReached)),
        (Idle, Stopping, Some(Code::IdleStop)),
        (Stopping, Stopped, Some(Code::SessionUnreachable)),
    ];
    for (state, expected, code) in table {
        let life = in_state(state);
        let due = life.deadline_at.expect("a live state has a deadline");
        let before = life
            .clone()
            .after(Event::Active { at: due }, due - Duration::seconds(1))
            .after(Event::Tick { busy: false }, due - Duration::seconds(1));
        assert!(is_live(before.state), "{state:?} before its deadline");
        let after = life.after(Event::Tick { busy: false }, due);
        assert_eq!(after.state, expected, "{state:?} at its deadline");
        assert_eq!(after.reason.map(|r| r.code), code);
    }
}

#[test]
fn a_quiet_session_counts_down_and_any_activity_ends_the_countdown() {
    let quiet = start() + seconds(SESSION_IDLE_S);
    let idle = in_state(Ready).after(Event::Tick { busy: false }, quiet);
    assert_eq!(idle.state, Idle);
    assert_eq!(
        idle.idle_stop_at,
        Some(quiet + seconds(SESSION_IDLE_COUNTDOWN_S))
    );
    let later = quiet + Duration::seconds(60);
    let active = idle.after(Event::Active { at: later }, later);
    assert_eq!((active.state, active.idle_stop_at), (Ready, None));
    let again = active.after(Event::Tick { busy: false }, later + Duration::seconds(60));
    assert_eq!(again.state, Ready);
}

#[test]
fn old_activity_that_is_reported_late_does_not_end_the_countdown() {
    let quiet = start() + seconds(SESSION_IDLE_S);
    let idle = in_state(Ready).after(Event::Tick { busy: false }, quiet);
    let after = idle.clone().after(Event::Active { at: start() }, quiet);
    assert_eq!(after, idle);
}

#[test]
fn a_kept_session_waits_until_its_programs_end() {
    let mut life = in_state(Ready);
    life.keep_until_done = true;
    let late = start() + seconds(2 * SESSION_LIFETIME_S);
    let busy = life.after(Event::Tick { busy: true }, late);
    assert_eq!(busy.state, Ready);
    assert!(busy.deadline_at.is_some());
    let done = busy.after(Event::Tick { busy: false }, late);
    assert_eq!(done.state, Stopping);
}

#[test]
fn a_place_that_is_lost_three_times_in_five_minutes_is_given_up() {
    let mut life = in_state(Ready);
    for n in 1..CRASHES_MAX {
        let at = start() + Duration::seconds(10 * i64::try_from(n).unwrap());
        life = life.after(Event::PlaceGone(why()), at);
        assert_eq!(
            (life.state, life.attempt),
            (Provisioning, u32::try_from(n).unwrap())
        );
        life = life.after(Event::Bound, at);
    }
    let given_up = life
        .clone()
        .after(Event::PlaceGone(why()), start() + Duration::seconds(60));
    assert_eq!(given_up.state, Failed);
    assert_eq!(given_up.reason, Some(why()));
    let calm = start() + seconds(2 * CRASH_WINDOW_S);
    assert_eq!(
        life.after(Event::PlaceGone(why()), calm).state,
        Provisioning
    );
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::TakenUp),
        Just(Event::Progress),
        Just(Event::Bound),
        any::<bool>().prop_map(|busy| Event::Tick { busy }),
        (0_i64..100_000).prop_map(|s| Event::Active {
            at: start() + Duration::seconds(s)
        }),
        Just(Event::StopWished),
        Just(Event::PlaceGone(why())),
        Just(Event::CannotStart(why())),
        Just(Event::PlaceEnded),
    ]
}

proptest! {
    #[test]
    fn on_every_path_live_states_have_deadlines_stop_is_legal_and_the_end_is_final(
        steps in prop::collection::vec((any_event(), 0_i64..4_000, any::<bool>()), 0..40)
    ) {
        let mut now = start();
        let mut life = Life::requested(now);
        for (event, passed, keep) in steps {
            now += Duration::seconds(passed);
            life.keep_until_done = keep;
            let was = life.clone();
            life = life.after(event, now);
            prop_assert_eq!(is_live(life.state), life.deadline_at.is_some());
            prop_assert_eq!(life.state == Idle, life.idle_stop_at.is_some());
            prop_assert!(is_live(was.state) || life == was, "an ended session stays as it is");
            if is_live(life.state) {
                let stopped = life.clone().after(Event::StopWished, now);
                prop_assert_eq!(stopped.state, Stopping);
                prop_assert_eq!(stopped.after(Event::PlaceEnded, now).state, Stopped);
            }
        }
    }

    #[test]
    fn a_session_that_is_only_looked_at_ends_by_itself(busy in any::<bool>()) {
        let mut now = start();
        let mut life = in_state(Ready);
        for _ in 0..(13 * 60) {
            now += Duration::seconds(60);
            life = life.after(Event::Tick { busy }, now);
        }
        prop_assert_eq!(life.state, Stopped);
    }
}
