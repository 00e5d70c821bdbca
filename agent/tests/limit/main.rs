//! Limits that the system does not hold here: no cgroup, no file system of the session's own. In a process of their own and
//! one after the other, since an agent answers for everything that its process has started.
#![expect(
    clippy::unwrap_used,
    reason = "the harness of tests fails loudly, as tests do"
)]
#![expect(dead_code, reason = "the harness does more than is asked of it here")]
use slipway_core::code::Code;
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event;

#[path = "../it/harness.rs"]
mod harness;

use harness::{DEADLINE, TestAgent};

/// Runs a script until it is ended; how, and what was told.
async fn ended(limits: v1::Limits, script: &str, code: Code) -> (v1::Exit, String) {
    let agent = TestAgent::unbound().await;
    let bind = agent.request(v1::BindRequest {
        session_id: "session".to_owned(),
        limits: Some(limits),
    });
    agent.api().bind(bind).await.unwrap();
    let request = agent.request(v1::WatchRequest {});
    let mut events = agent.api().watch(request).await.unwrap().into_inner();
    let bystander = agent.open(&["/bin/sh", "-c", "exec sleep 1000"]).await;
    let exit = agent.sh(script).await.end().await;
    let told = async {
        loop {
            let event = events.message().await.unwrap().unwrap().event;
            if let Some(Event::Notice(notice)) = event
                && notice.code == code.as_str()
            {
                return notice.message;
            }
        }
    };
    let told = tokio::time::timeout(DEADLINE, told).await.unwrap();
    let bystander = agent.agent.terminals.find(&bystander.unwrap()).unwrap();
    assert!(!bystander.is_finished(), "nobody else is ended");
    (exit, told)
}

#[tokio::test]
async fn who_takes_more_than_a_session_may_have_is_ended() {
    let limits = v1::Limits {
        disk_bytes: 32 << 20,
        ..Default::default()
    };
    let fill = "for n in $(seq 200); do dd if=/dev/zero of=big bs=1M count=8 oflag=append conv=notrunc 2>&-; done; sleep 60";
    let (exit, told) = ended(limits, fill, Code::DiskFull).await;
    assert_eq!(exit.signal, Some(9));
    assert_eq!(exit.reason, "disk full: 32 MiB");
    assert!(told.starts_with("disk full: 32 MiB"), "{told}");

    let limits = v1::Limits {
        processes: 64,
        ..Default::default()
    };
    let many = "for n in $(seq 120); do sleep 1000 & done; wait";
    let (exit, told) = ended(limits, many, Code::TooManyProcesses).await;
    assert_eq!(exit.signal, Some(9));
    assert_eq!(exit.reason, "too many processes: 64");
    assert!(told.starts_with("too many processes: 64"), "{told}");
}
