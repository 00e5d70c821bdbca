//! `slipway run`: output, exit codes, signals.
use slipway_api::run::RunState;
use slipway_client::socket::Socket;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::signed_in;
use crate::journey::Journey as _;
use crate::lab::PATIENCE;

#[tokio::test]
async fn a_run_passes_on_output_and_exit_code() {
    let (_lab, ana, workspace, desk) = signed_in().await;
    ana.write_file(workspace, "main.py", None, "print('high tide')\n".into())
        .await
        .unwrap();
    // No session yet: it is started.
    let run = desk
        .slipway(&["run", "tides", "--", "python3", "main.py"])
        .await;
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "high tide\n"),
        "{run:?}"
    );

    let failed = desk
        .slipway(&["run", "tides", "--", "echo 'a  b'; echo c >&2; exit 7"])
        .await;
    assert_eq!(
        (failed.code, failed.stdout.as_str()),
        (7, "a  b\nc\n"),
        "{failed:?}"
    );
    let words = desk
        .slipway(&["run", "tides", "--", "printf", "%s|", "a  b", "it's"])
        .await;
    assert_eq!(
        (words.code, words.stdout.as_str()),
        (0, "a  b|it's|"),
        "{words:?}"
    );
    let killed = desk.slipway(&["run", "tides", "--", "kill -9 $$"]).await;
    assert_eq!(killed.code, 137, "{killed:?}");
    // Nobody types: a program that reads finds the end.
    let reads = desk
        .slipway(&["run", "tides", "--", "cat; echo over"])
        .await;
    assert_eq!(
        (reads.code, reads.stdout.as_str()),
        (0, "over\n"),
        "{reads:?}"
    );
}

#[tokio::test]
async fn a_long_output_arrives_whole() {
    let (_lab, _ana, _workspace, desk) = signed_in().await;
    let run = desk.slipway(&["run", "tides", "--", "seq 1 100000"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(
        (lines.len(), lines.first(), lines.last()),
        (100_000, Some(&"1"), Some(&"100000"))
    );
}

#[tokio::test]
async fn programs_are_told_in_json() {
    let (_lab, _ana, _workspace, desk) = signed_in().await;
    let run = desk
        .slipway(&["run", "tides", "--json", "--", "printf 'grün\\n'; exit 3"])
        .await;
    let objects = run.objects();
    let text: String = objects
        .iter()
        .filter(|object| object["event"] == "output")
        .filter_map(|object| object["text"].as_str())
        .collect();
    assert_eq!((run.code, text.as_str()), (3, "grün\n"), "{run:?}");
    let last = objects.last().unwrap();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&"exit".into(), &3.into())
    );
}

#[tokio::test]
async fn a_signal_to_us_stops_the_run() {
    let (_lab, ana, workspace, desk) = signed_in().await;
    let socket = Socket::connect(&ana).await.unwrap();
    let mut child = desk
        .command(&["run", "tides", "--", "echo begun; sleep 600"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let begun = tokio::time::timeout(PATIENCE, lines.next_line());
    assert_eq!(
        begun.await.expect("in time").unwrap().as_deref(),
        Some("begun")
    );
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = tokio::time::timeout(PATIENCE, child.wait())
        .await
        .expect("in time");
    assert_eq!(status.unwrap().code(), Some(130));
    let run = ana.runs(workspace).await.unwrap().runs.remove(0);
    let run = ana.finished(&socket, workspace, run.id).await;
    assert_eq!(run.state, RunState::Done);
}
