//! What every `SessionRuntime` must do: the contract, run against the local sandbox.
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use slipway_backend::session::agent::AgentHandle;
use slipway_backend::session::runtime::local::Local;
use slipway_backend::session::runtime::{Observed, Place, PlaceSpec, SessionRuntime};
use slipway_core::code::Code;
use slipway_core::id::{Id as _, SessionId, WorkspaceId};
use slipway_core::secret::Secret;
use slipway_proto::v1;

use crate::lab::{PATIENCE, config};

/// A runtime on a folder; made again it finds what it made before.
fn local(folder: &Path) -> Arc<dyn SessionRuntime> {
    Arc::new(Local::from_config(&config(folder, &[])).expect("a runtime"))
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_is_made_found_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = local(folder.path());
    runtime.check().await.unwrap();
    assert!(!runtime.protections().is_empty());
    let spec = spec();
    let place = runtime.start(&spec).await.unwrap();
    assert!(answers(&*runtime, &place, &spec.agent_key).await);
    let wrong = Secret::new("cd".repeat(32));
    assert_eq!(
        ask(&*runtime, &place, &wrong).await,
        Err(tonic::Code::Unauthenticated)
    );
    assert_eq!(runtime.observe(&place).await, Observed::Running);
    // A second start of the same spec is the same place.
    assert_eq!(runtime.start(&spec).await.unwrap(), place);
    assert_eq!(
        runtime.list().await.unwrap(),
        [(spec.session, place.clone())]
    );
    // Another server finds it.
    let other = local(folder.path());
    assert_eq!(other.list().await.unwrap(), [(spec.session, place.clone())]);
    assert!(answers(&*other, &place, &spec.agent_key).await);
    other.stop(&place).await.unwrap();
    assert!(gone(&runtime.observe(&place).await));
    runtime.stop(&place).await.unwrap();
    assert!(runtime.list().await.unwrap().is_empty());
    assert!(runtime.dial(&place).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_at_once_make_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = local(folder.path());
    let spec = spec();
    let (one, two) = tokio::join!(runtime.start(&spec), runtime.start(&spec));
    let place = one.unwrap();
    assert_eq!(two.unwrap(), place);
    runtime.stop(&place).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_agent_is_told_of_and_followed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = local(folder.path());
    let spec = spec();
    let mut place = runtime.start(&spec).await.unwrap();
    for round in 0..20 {
        kill_agent(&place);
        let observed = async {
            // waits: the kernel tells nobody but the parent
            while runtime.observe(&place).await == Observed::Running {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, observed).await.unwrap();
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
    runtime.stop(&place).await.unwrap();
}

fn kill_agent(place: &Place) {
    let pid = place.0["process"][0].as_i64().expect("a process");
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("the agent's process"))
        .expect("the agent's process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("the agent's process");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_outlives_its_places_until_it_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = local(folder.path());
    let first = spec();
    let second = PlaceSpec {
        workspace: first.workspace,
        ..spec()
    };
    let place = runtime.start(&first).await.unwrap();
    assert!(
        runtime.forget(first.workspace).await.is_err(),
        "it is in use"
    );
    runtime.stop(&place).await.unwrap();
    let volume = folder
        .path()
        .join("volumes")
        .join(first.workspace.to_string());
    assert!(volume.exists());
    let place = runtime.start(&second).await.unwrap();
    runtime.stop(&place).await.unwrap();
    runtime.forget(first.workspace).await.unwrap();
    assert!(!volume.exists());
    runtime.forget(first.workspace).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_holds_nothing_of_those_that_were_there_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = local(folder.path());
    let (first, second) = (spec(), spec());
    let place = runtime.start(&first).await.unwrap();
    let other = runtime.start(&second).await.unwrap();
    runtime.stop(&place).await.unwrap();
    // The second one still runs, and must not keep the first one's volume from being used or removed.
    let place = runtime.start(&first).await.unwrap();
    assert!(answers(&*runtime, &place, &first.agent_key).await);
    runtime.stop(&place).await.unwrap();
    runtime.forget(first.workspace).await.unwrap();
    assert!(answers(&*runtime, &other, &second.agent_key).await);
    runtime.stop(&other).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = local(folder.path());
    let mut places = Vec::new();
    for _ in 0..3 {
        places.push(runtime.start(&spec()).await.unwrap());
    }
    assert_eq!(runtime.list().await.unwrap().len(), 3);
    for place in &places {
        runtime.stop(place).await.unwrap();
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let own = folder.path().display().to_string();
    assert!(!mounts.contains(&own), "{mounts}");
    assert_eq!(
        std::fs::read_dir(folder.path().join("run"))
            .unwrap()
            .count(),
        0
    );
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&own)
        });
    assert_eq!(processes.count(), 0);
}
