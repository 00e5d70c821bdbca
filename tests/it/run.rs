//! Runs with real agents: output and exit kept, queue, stop, tasks, what happens when agent or server go away.
use bytes::Bytes;
use slipway_api::run::{RunState, RunTarget, StartRun};
use slipway_api::session::SessionState;
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::code::Code;
use slipway_core::id::{Id as _, RunId, WorkspaceId};
use slipway_core::path::RelPath;
use slipway_proto::v1;

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE, code};

mod ended;
mod stored;

#[tokio::test]
async fn a_run_starts_its_session_waits_for_it_and_its_output_and_exit_are_kept() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let run = ana
        .command(workspace, "echo tide=$((6*7)); exit 3")
        .await
        .unwrap();
    assert_eq!(run.state, RunState::Queued);
    let done = ana.finished(&socket, workspace, run.id).await;
    assert_eq!(done.state, RunState::Done, "{:?}", done.reason);
    assert_eq!(done.exit.and_then(|exit| exit.code), Some(3));
    assert!(done.duration_ms.is_some() && done.started_at.is_some());
    assert!(!done.output_truncated);
    let output = ana.run_output(run.id).await.unwrap();
    assert_eq!(output.len() as u64, done.output_bytes);
    assert_eq!(&output[..], b"tide=42\r\n");
    // The session ends, the output stays.
    ana.stop_session(workspace).await.unwrap();
    ana.until(&socket, workspace, SessionState::Stopped).await;
    assert_eq!(ana.run_output(run.id).await.unwrap(), output);
    let listed = ana.runs(workspace).await.unwrap().runs;
    assert_eq!(
        listed.iter().map(|run| run.id).collect::<Vec<_>>(),
        [run.id]
    );
}

#[tokio::test]
async fn of_a_long_output_the_end_is_kept_and_that_is_said() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let run = ana
        .command(workspace, "seq 1 600000; echo the-end")
        .await
        .unwrap();
    let done = ana.finished(&socket, workspace, run.id).await;
    assert!(done.output_truncated);
    let output = ana.run_output(run.id).await.unwrap();
    assert!(output.ends_with(b"600000\r\nthe-end\r\n"));
    assert!((output.len() as u64) < done.output_bytes);
}

#[tokio::test]
async fn a_running_run_shows_its_output_and_stops_when_asked() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let run = ana
        .command(workspace, "echo first; exec sleep 600")
        .await
        .unwrap();
    ana.until_run(&socket, workspace, run.id, RunState::Running)
        .await;
    while !ana.run_output(run.id).await.unwrap().starts_with(b"first") {
        tokio::task::yield_now().await;
    }
    ana.stop_run(run.id).await.unwrap();
    let done = ana.finished(&socket, workspace, run.id).await;
    assert_eq!(done.state, RunState::Done);
    assert_eq!(done.exit.and_then(|exit| exit.signal), Some(2));
    assert_eq!(code(ana.stop_run(run.id).await), Code::RunFinished);
}

#[tokio::test]
async fn a_run_whose_agent_was_killed_fails_with_a_reason() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let run = ana.command(workspace, "exec sleep 600").await.unwrap();
    let running = ana
        .until_run(&socket, workspace, run.id, RunState::Running)
        .await;
    lab.kill_agent(running.session.unwrap()).await;
    let failed = ana.finished(&socket, workspace, run.id).await;
    assert_eq!(failed.state, RunState::Failed);
    assert!(failed.reason.is_some_and(|reason| !reason.is_empty()));
}

#[tokio::test]
async fn a_run_that_ends_while_no_server_runs_is_stored_by_the_next_one() {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let run = ana
        .command(workspace, "echo before; sleep 0.3; echo after")
        .await
        .unwrap();
    ana.until_run(&socket, workspace, run.id, RunState::Running)
        .await;
    lab.kill();
    drop(socket);
    lab.restart(true).await;
    let ana = lab.again(&ana);
    let socket = Socket::connect(&ana).await.unwrap();
    let done = ana.finished(&socket, workspace, run.id).await;
    assert_eq!(done.state, RunState::Done, "{:?}", done.reason);
    assert_eq!(
        &ana.run_output(run.id).await.unwrap()[..],
        b"before\r\nafter\r\n"
    );
}

#[tokio::test]
async fn a_file_runs_on_what_was_saved_and_what_it_writes_is_in_the_workspace_when_it_is_done() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let target = RunTarget::File {
        path: RelPath::parse("main.py").unwrap(),
    };
    let mut base = None;
    for n in 1..=3 {
        let program = format!("open('out.txt', 'w').write('tide {n}')\nprint('tide', {n})\n");
        let content = Bytes::from(program);
        let written = ana
            .write_file(workspace, "main.py", base.as_ref(), content)
            .await
            .unwrap();
        base = written.entry.and_then(|entry| entry.hash);
        let revision = Some(written.revision);
        let start = StartRun {
            target: target.clone(),
            revision,
            cols: None,
            rows: None,
        };
        let run = ana.start_run(workspace, &start).await.unwrap();
        assert_eq!(run.command, "python3 -u main.py");
        let done = ana.finished(&socket, workspace, run.id).await;
        assert_eq!(
            (done.state, done.revision),
            (RunState::Done, written.revision),
            "{:?}",
            done.reason
        );
        assert_eq!(
            ana.run_output(run.id).await.unwrap(),
            format!("tide {n}\r\n")
        );
        let out = ana.read_file(workspace, "out.txt").await.unwrap();
        assert_eq!(out, format!("tide {n}"));
    }
}

#[tokio::test]
async fn runs_that_wait_for_the_session_all_come_to_their_turn_and_one_can_be_run_again() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let mut runs = Vec::new();
    for n in 0..4 {
        runs.push(
            ana.command(workspace, &format!("echo turn {n}"))
                .await
                .unwrap()
                .id,
        );
    }
    for (n, run) in runs.iter().enumerate() {
        let done = ana.finished(&socket, workspace, *run).await;
        assert_eq!(done.state, RunState::Done, "{:?}", done.reason);
        assert_eq!(ana.run_output(*run).await.unwrap(), format!("turn {n}\r\n"));
    }
    let path = format!("/runs/{}/rerun", runs[2]);
    let again: slipway_api::run::Run = ana.call(reqwest::Method::POST, &path, &()).await.unwrap();
    let done = ana.finished(&socket, workspace, again.id).await;
    assert_eq!(ana.run_output(done.id).await.unwrap(), "turn 2\r\n");
}

#[tokio::test]
async fn a_run_that_still_waits_for_its_session_is_stopped_before_it_begins() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let run = ana.command(workspace, "touch never").await.unwrap();
    // It may have begun meanwhile; then it is stopped as any other. Either way it ends.
    match ana.stop_run(run.id).await {
        Ok(()) => {}
        refused => assert_eq!(code(refused), Code::RunFinished),
    }
    let socket = Socket::connect(&ana).await.unwrap();
    let over = ana.finished(&socket, workspace, run.id).await;
    assert!(over.reason.is_some() || over.exit.is_some());
}

#[tokio::test]
async fn what_cannot_run_is_refused_before_anything_starts() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let workspace = ana.empty_workspace().await;
    let csv = Bytes::from_static(b"a,b\n");
    ana.write_file(workspace, "data.csv", None, csv)
        .await
        .unwrap();
    let file = |path: &str| RunTarget::File {
        path: RelPath::parse(path).unwrap(),
    };
    let cases = [
        (file("data.csv"), None, Code::InvalidRequest),
        (file("missing.py"), None, Code::NotFound),
        (
            RunTarget::Task {
                name: "build".into(),
            },
            None,
            Code::NotFound,
        ),
        (
            RunTarget::Command { line: " ".into() },
            None,
            Code::InvalidRequest,
        ),
        (
            RunTarget::Command {
                line: "true".into(),
            },
            Some(99),
            Code::RevisionUnknown,
        ),
    ];
    for (target, revision, expected) in cases {
        let start = StartRun {
            target,
            revision,
            cols: None,
            rows: None,
        };
        assert_eq!(
            code(ana.start_run(workspace, &start).await),
            expected,
            "{start:?}"
        );
    }
    assert_eq!(ana.session(workspace).await.unwrap(), None);
    assert_eq!(code(bo.command(workspace, "true").await), Code::NotFound);
    assert_eq!(code(bo.runs(workspace).await), Code::NotFound);
    let unknown = RunId::from_parts(1, [1; 10]);
    assert_eq!(code(ana.run(unknown).await), Code::NotFound);
    assert_eq!(code(ana.run_output(unknown).await), Code::NotFound);
}

#[tokio::test]
async fn tasks_are_listed_and_broken_files_reported() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    write(
        &ana,
        workspace,
        "slipway.toml",
        "[tasks]\ntrain = \"python3 train.py\"\n",
    )
    .await;
    write(&ana, workspace, "Makefile", "all:\n\ttrue\n").await;
    write(&ana, workspace, "package.json", "{").await;
    let tasks = ana.tasks(workspace).await.unwrap();
    let names: Vec<&str> = tasks.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["train", "all"]);
    assert_eq!(tasks.problems.len(), 1);
}

#[tokio::test]
async fn pip_installs_for_the_user_and_into_a_virtual_environment() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let wheel = r#"import zipfile
info = "tide-1.0.dist-info/"
with zipfile.ZipFile("tide-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("tide.py", "")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tide\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "tide.py,,\n" + info + "RECORD,,\n")
"#;
    write(&ana, workspace, "wheel.py", wheel).await;
    let line = "set -e; python3 wheel.py; install='pip install -q --no-index ./tide-1.0-py3-none-any.whl'; \
                $install; python3 -c 'import tide; print(tide.__file__)'; \
                python3 -m venv $HOME/own; $HOME/own/bin/$install; $HOME/own/bin/python -c 'import tide; print(tide.__file__)'";
    let run = ana.command(workspace, line).await.unwrap();
    let done = ana.finished(&socket, workspace, run.id).await;
    let output = ana.run_output(run.id).await.unwrap();
    let output = String::from_utf8_lossy(&output);
    assert_eq!(done.exit.and_then(|exit| exit.code), Some(0), "{output}");
    let places: Vec<&str> = output
        .lines()
        .filter(|line| line.ends_with("tide.py"))
        .collect();
    let [base, own] = places[..] else {
        panic!("{output}")
    };
    assert!(base.contains("/.local/lib/"), "{output}");
    assert!(own.contains("/own/lib/"), "{output}");
}

/// Holds back what the driver writes of runs, but not what people wish.
const WAITS: &str = "create function hold() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(42); return null; end $$;
    create trigger hold before update of started_at on runs for each statement execute function hold();";

#[tokio::test]
async fn a_run_that_is_stopped_while_the_agent_takes_it_does_not_go_on() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let agent = lab.app().sessions.agent(session.id).await.unwrap();
    let terminals = async || {
        let listed = agent.terminals().list(v1::ListTerminalsRequest {}).await;
        listed.unwrap().into_inner().terminals
    };
    sqlx::raw_sql(WAITS).execute(&lab.app().db).await.unwrap();
    let mut holder = lab.app().db.begin().await.unwrap();
    sqlx::raw_sql("select pg_advisory_xact_lock(42)")
        .execute(&mut *holder)
        .await
        .unwrap();
    let run = ana
        .command(workspace, "trap '' INT TERM; while :; do sleep 600; done")
        .await
        .unwrap();
    let within = async |wanted: usize| {
        let reached = async {
            // waits: an agent is asked, as it tells only its driver
            while terminals()
                .await
                .iter()
                .filter(|one| one.exit.is_none())
                .count()
                != wanted
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .expect("in time");
    };
    within(1).await;
    ana.stop_run(run.id).await.unwrap();
    assert_eq!(ana.run(run.id).await.unwrap().state, RunState::Failed);
    holder.rollback().await.unwrap();
    within(0).await;
}

async fn write(client: &Client, workspace: WorkspaceId, path: &str, text: &str) {
    let content = Bytes::copy_from_slice(text.as_bytes());
    client
        .write_file(workspace, path, None, content)
        .await
        .expect("written");
}

/// Lets the database refuse a run's change to this state twice; what it refused is counted where no rollback reaches.
async fn refuse_twice(lab: &Lab, state: &str) {
    let trigger = format!(
        "create sequence refused;
        create function refuse() returns trigger language plpgsql as $$
        begin
            if nextval('refused') <= 2 then raise exception 'not now'; end if;
            return new;
        end $$;
        create trigger refuse before update on runs for each row when (new.state = '{state}') execute function refuse();"
    );
    let made = sqlx::raw_sql(sqlx::AssertSqlSafe(trigger));
    made.execute(&lab.app().db)
        .await
        .expect("the trigger is made");
}
