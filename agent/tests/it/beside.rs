//! The agent on a person's own machine, where nothing but what it started is its own.
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal};
use slipway_agent::process;
use slipway_proto::v1;

use crate::harness::{DEADLINE, TestAgent, Viewer, id};

/// A terminal with a job that was put into the background to stay; its process.
async fn with_a_job(agent: &TestAgent) -> (Viewer, i32) {
    let script = "set -m; nohup sleep 1000 >/dev/null 2>&1 & echo job=$!.; read line";
    let mut viewer = agent.sh(script).await;
    viewer.until(".\r\n").await;
    let text = viewer.text();
    let (_, job) = text.split_once("job=").unwrap();
    (viewer, job.trim_end_matches(".\r\n").parse().unwrap())
}

async fn close(agent: &TestAgent, viewer: &Viewer) {
    let request = v1::CloseTerminalRequest {
        terminal_id: viewer.terminal.clone(),
    };
    agent
        .terminals()
        .close(agent.request(request))
        .await
        .unwrap();
}

fn lives(pid: i32) -> bool {
    process::read(pid).is_some_and(|process| !process.ended)
}

#[tokio::test]
async fn what_was_left_behind_on_purpose_outlives_its_terminal() {
    let agent = TestAgent::beside().await;
    let (viewer, job) = with_a_job(&agent).await;
    let shell = agent.agent.terminals.find(&viewer.terminal).unwrap().pid();
    close(&agent, &viewer).await;
    assert!(!lives(shell.as_raw_nonzero().get()), "the shell has ended");
    assert!(lives(job), "the job stays");
    rustix::process::kill_process(Pid::from_raw(job).unwrap(), Signal::KILL).unwrap();

    let session = TestAgent::start().await;
    let (viewer, job) = with_a_job(&session).await;
    // The signal has been sent when the call returns; the system carries it out in its own time.
    let job = Pid::from_raw(job).unwrap();
    let job = rustix::process::pidfd_open(job, PidfdFlags::empty()).unwrap();
    close(&session, &viewer).await;
    let mut ended = [PollFd::new(&job, PollFlags::IN)];
    let patience = DEADLINE.try_into().unwrap();
    assert_eq!(
        rustix::event::poll(&mut ended, Some(&patience)),
        Ok(1),
        "in a session everything ends with its terminal"
    );
}

#[tokio::test]
async fn an_agent_that_ends_opens_no_terminal() {
    let agent = TestAgent::beside().await;
    agent.agent.stop.cancel();
    let refused = agent.open(&["/bin/cat"]).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn runs_need_a_session() {
    let agent = TestAgent::beside().await;
    let request = v1::StartRunRequest {
        run_id: id(),
        command: vec!["/bin/true".to_owned()],
        ..v1::StartRunRequest::default()
    };
    let refused = agent.api().start_run(agent.request(request)).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::FailedPrecondition);
}

#[tokio::test]
async fn programs_run_as_those_of_any_terminal_do() {
    let agent = TestAgent::beside().await;
    let script = "nice; cat /proc/self/oom_score_adj; echo home=$HOME session=$SLIPWAY_SESSION.";
    let mut viewer = agent.sh(script).await;
    viewer.end().await;
    let own = |name: &str| agent.agent.config.inherited.get(name).cloned();
    let home = own("HOME").unwrap_or_default();
    let score = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let nice = rustix::process::nice(0).unwrap();
    let expected = format!("{nice}\r\n{}\r\nhome={home} session=.\r\n", score.trim());
    assert_eq!(viewer.text(), expected);
}

#[tokio::test]
async fn a_folder_that_is_gone_is_told_and_what_runs_goes_on() {
    let agent = TestAgent::beside().await;
    let mut before = agent.sh("exec cat").await;
    std::fs::remove_dir(&agent.agent.config.workspace).unwrap();
    let refused = agent.open(&[]).await.unwrap_err();
    assert!(refused.message().contains("does not exist"), "{refused}");
    before.key(b"still here\n").await;
    before.until("still here\r\nstill here\r\n").await;
}
