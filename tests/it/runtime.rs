//! What every `SessionRuntime` must do: the contract, which knows no runtime by name. Each one runs the very same tests.
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use slipway_backend::session::runtime::{Observed, Place, PlaceSpec, SessionRuntime};
use slipway_core::code::Code;
use slipway_core::id::{Id as _, SessionId, WorkspaceId};
use slipway_core::secret::Secret;
use slipway_proto::agent::AgentHandle;
use slipway_proto::v1;

use crate::lab::PATIENCE;

mod local;

/// A kind of runtime, and what only its own kind can do or see.
trait Subject {
    /// A runtime; made again it finds what it made before.
    fn runtime(&self) -> Arc<dyn SessionRuntime>;
    /// Ends the agent of a place the way a crash does.
    async fn crash(&self, place: &Place);
    /// Whether a workspace's volume is kept.
    async fn has_volume(&self, workspace: WorkspaceId) -> bool;
    /// What is left of places that were ended, in words.
    async fn left_behind(&self) -> Vec<String>;
}

/// Runs the contract against a subject.
macro_rules! contract {
    ($subject:expr) => {
        $crate::runtime::contract!($subject;
            a_place_is_made_found_and_ended,
            starts_at_once_make_one_place,
            a_killed_agent_is_told_of_and_followed_at_once,
            a_volume_outlives_its_places_until_it_is_forgotten,
            a_place_holds_nothing_of_those_that_were_there_before_it,
            nothing_is_left_behind
        );
    };
    ($subject:expr; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::runtime::$name(&$subject).await;
            }
        )*
    };
}
pub(crate) use contract;

/// A session of a workspace of its own. The system's control groups bear its id, so it is never used twice.
fn spec() -> PlaceSpec {
    static SPECS: AtomicU8 = AtomicU8::new(0);
    let mut random = [SPECS.fetch_add(1, Ordering::Relaxed); 10];
    random[..4].copy_from_slice(&std::process::id().to_be_bytes());
    PlaceSpec {
        session: SessionId::from_parts(1, random),
        workspace: WorkspaceId::from_parts(1, random),
        agent_key: Secret::new("ab".repeat(32)),
    }
}

/// What the agent of a place answers to whoever shows this key.
async fn ask(runtime: &dyn SessionRuntime, place: &Place, key: &Secret) -> Result<(), tonic::Code> {
    let channel = runtime.dial(place).await;
    let channel = match channel {
        Ok(channel) => channel,
        Err(error) => panic!("{error}; {:?}", runtime.observe(place).await),
    };
    let agent = AgentHandle::new(channel, key.clone());
    let answer = agent.terminals().list(v1::ListTerminalsRequest {}).await;
    answer.map(drop).map_err(|status| status.code())
}

async fn answers(runtime: &dyn SessionRuntime, place: &Place, key: &Secret) -> bool {
    // Before it is bound it may refuse, in words of its own.
    matches!(
        ask(runtime, place, key).await,
        Ok(()) | Err(tonic::Code::FailedPrecondition)
    )
}

fn gone(observed: &Observed) -> bool {
    matches!(observed, Observed::Gone { text, .. } if !text.is_empty())
}

async fn a_place_is_made_found_and_ended(subject: &impl Subject) {
    let runtime = subject.runtime();
    runtime.check().await.expect("the contract holds");
    assert!(!runtime.protections().is_empty());
    let spec = spec();
    let place = runtime.start(&spec).await.expect("the contract holds");
    assert!(answers(&*runtime, &place, &spec.agent_key).await);
    let wrong = Secret::new("cd".repeat(32));
    assert_eq!(
        ask(&*runtime, &place, &wrong).await,
        Err(tonic::Code::Unauthenticated)
    );
    assert_eq!(runtime.observe(&place).await, Observed::Running);
    // A second start of the same spec is the same place.
    assert_eq!(
        runtime.start(&spec).await.expect("the contract holds"),
        place
    );
    assert_eq!(
        runtime.list().await.expect("the contract holds"),
        [(spec.session, place.clone())]
    );
    // Another server finds it.
    let other = subject.runtime();
    assert_eq!(
        other.list().await.expect("the contract holds"),
        [(spec.session, place.clone())]
    );
    assert!(answers(&*other, &place, &spec.agent_key).await);
    other.stop(&place).await.expect("the contract holds");
    assert!(gone(&runtime.observe(&place).await));
    runtime.stop(&place).await.expect("the contract holds");
    assert!(runtime.list().await.expect("the contract holds").is_empty());
    assert!(runtime.dial(&place).await.is_err());
}

async fn starts_at_once_make_one_place(subject: &impl Subject) {
    let runtime = subject.runtime();
    let spec = spec();
    let (one, two) = tokio::join!(runtime.start(&spec), runtime.start(&spec));
    let place = one.expect("the contract holds");
    assert_eq!(two.expect("the contract holds"), place);
    runtime.stop(&place).await.expect("the contract holds");
}

async fn a_killed_agent_is_told_of_and_followed_at_once(subject: &impl Subject) {
    let runtime = subject.runtime();
    let spec = spec();
    let mut place = runtime.start(&spec).await.expect("the contract holds");
    for round in 0..20 {
        subject.crash(&place).await;
        let observed = async {
            // waits: the kernel tells nobody but the parent
            while runtime.observe(&place).await == Observed::Running {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, observed)
            .await
            .expect("the contract holds");
        let Observed::Gone { code, text } = runtime.observe(&place).await else {
            panic!("it was killed");
        };
        assert!(matches!(code, Code::SessionLost), "{code:?}: {text}");
        // Its volume is the same file system: mounted twice it would be damaged.
        place = runtime
            .start(&spec)
            .await
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(answers(&*runtime, &place, &spec.agent_key).await);
    }
    runtime.stop(&place).await.expect("the contract holds");
}

async fn a_volume_outlives_its_places_until_it_is_forgotten(subject: &impl Subject) {
    let runtime = subject.runtime();
    let first = spec();
    let second = PlaceSpec {
        workspace: first.workspace,
        ..spec()
    };
    let place = runtime.start(&first).await.expect("the contract holds");
    assert!(
        runtime.forget(first.workspace).await.is_err(),
        "it is in use"
    );
    runtime.stop(&place).await.expect("the contract holds");
    assert!(subject.has_volume(first.workspace).await);
    let place = runtime.start(&second).await.expect("the contract holds");
    runtime.stop(&place).await.expect("the contract holds");
    runtime
        .forget(first.workspace)
        .await
        .expect("the contract holds");
    assert!(!subject.has_volume(first.workspace).await);
    runtime
        .forget(first.workspace)
        .await
        .expect("the contract holds");
}

async fn a_place_holds_nothing_of_those_that_were_there_before_it(subject: &impl Subject) {
    let runtime = subject.runtime();
    let (first, second) = (spec(), spec());
    let place = runtime.start(&first).await.expect("the contract holds");
    let other = runtime.start(&second).await.expect("the contract holds");
    runtime.stop(&place).await.expect("the contract holds");
    // The second one still runs, and must not keep the first one's volume from being used or removed.
    let place = runtime.start(&first).await.expect("the contract holds");
    assert!(answers(&*runtime, &place, &first.agent_key).await);
    runtime.stop(&place).await.expect("the contract holds");
    runtime
        .forget(first.workspace)
        .await
        .expect("the contract holds");
    assert!(answers(&*runtime, &other, &second.agent_key).await);
    runtime.stop(&other).await.expect("the contract holds");
}

async fn nothing_is_left_behind(subject: &impl Subject) {
    let runtime = subject.runtime();
    let mut places = Vec::new();
    for _ in 0..3 {
        places.push(runtime.start(&spec()).await.expect("the contract holds"));
    }
    assert_eq!(runtime.list().await.expect("the contract holds").len(), 3);
    for place in &places {
        runtime.stop(place).await.expect("the contract holds");
    }
    assert_eq!(subject.left_behind().await, Vec::<String>::new());
}
