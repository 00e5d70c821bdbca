//! Runs: fence, measure, flush, stop.
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event;
use slipway_proto::v1::run_info::State;
use tonic::Streaming;

use crate::harness::{DEADLINE, TestAgent, Viewer, id};

async fn start(agent: &TestAgent, script: &str, revision: u64) -> String {
    let run_id = id();
    let request = v1::StartRunRequest {
        run_id: run_id.clone(),
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        revision,
        ..Default::default()
    };
    agent.api().start_run(agent.request(request)).await.unwrap();
    run_id
}

async fn watch(agent: &TestAgent) -> Streaming<v1::AgentEvent> {
    agent
        .api()
        .watch(agent.request(v1::WatchRequest {}))
        .await
        .unwrap()
        .into_inner()
}

async fn reach(events: &mut Streaming<v1::AgentEvent>, run_id: &str, state: State) -> v1::RunInfo {
    let reached = async {
        loop {
            let event = events.message().await.unwrap().unwrap().event;
            if let Some(Event::Run(run)) = event
                && run.run_id == run_id
                && run.state() == state
            {
                return run;
            }
        }
    };
    tokio::time::timeout(DEADLINE, reached)
        .await
        .expect("the state in time")
}

#[tokio::test]
async fn a_run_waits_for_its_revision_and_is_measured() {
    let agent = TestAgent::start().await;
    let mut events = watch(&agent).await;
    let run = start(&agent, "echo done; exit 7", 5).await;
    reach(&mut events, &run, State::Waiting).await;
    agent.revision.send(4).unwrap();
    assert!(agent.agent.terminals.all().is_empty());
    agent.revision.send(5).unwrap();
    reach(&mut events, &run, State::Running).await;
    let done = reach(&mut events, &run, State::Done).await;
    assert_eq!(done.exit.unwrap().code, Some(7));
    assert!(done.peak_memory_bytes > 0 && done.started_unix_ms > 0);
    let request = v1::AcknowledgeRunRequest { run_id: run };
    agent
        .api()
        .acknowledge_run(agent.request(request))
        .await
        .unwrap();
    assert!(agent.agent.runs.all().is_empty() && agent.agent.terminals.all().is_empty());
}

#[tokio::test]
async fn a_run_that_cannot_start_says_why() {
    let agent = TestAgent::start().await;
    let mut events = watch(&agent).await;
    let request = v1::StartRunRequest {
        run_id: id(),
        command: vec!["no-such-program".to_owned()],
        ..Default::default()
    };
    let run = request.run_id.clone();
    agent.api().start_run(agent.request(request)).await.unwrap();
    let failed = reach(&mut events, &run, State::Failed).await;
    assert!(failed.exit.unwrap().reason.contains("no-such-program"));
}

#[tokio::test]
async fn stopping_twice_escalates_at_once() {
    let agent = TestAgent::start().await;
    let mut events = watch(&agent).await;
    let deaf = "trap '' INT TERM; echo deaf; while :; do sleep 1000; done";
    let run = start(&agent, deaf, 0).await;
    reach(&mut events, &run, State::Running).await;
    // A signal that came before the trap would end it.
    Viewer::attach(&agent, &run).await.until("deaf").await;
    for _ in 0..3 {
        let request = v1::StopRunRequest {
            run_id: run.clone(),
        };
        agent.api().stop_run(agent.request(request)).await.unwrap();
    }
    let done = reach(&mut events, &run, State::Done).await;
    assert_eq!(done.exit.unwrap().signal, Some(9));
}

#[tokio::test]
async fn what_left_the_session_of_a_run_is_measured_and_ends_with_it() {
    let agent = TestAgent::start().await;
    let mut events = watch(&agent).await;
    let hold = "import os, time; held = bytearray(64 << 20); open(\"pid\", \"w\").write(str(os.getpid())); time.sleep(1000)";
    let script = format!("setsid -f python3 -c '{hold}'; while [ ! -s pid ]; do :; done");
    let run = start(&agent, &script, 0).await;
    let done = reach(&mut events, &run, State::Done).await;
    assert!(done.peak_memory_bytes > 64 << 20, "{done:?}");
    let pid = std::fs::read_to_string(agent.agent.config.workspace.join("pid")).unwrap();
    let left = slipway_agent::process::read(pid.parse().unwrap());
    assert!(left.is_none_or(|left| left.ended));
}
