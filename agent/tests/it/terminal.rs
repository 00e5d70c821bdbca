//! Terminals: echo, exact resume, exactly-once input, floods, signals, exits, limits.
use slipway_core::code::Code;
use slipway_proto::v1;
use slipway_proto::v1::terminal_client::Frame as In;

use crate::harness::{DEADLINE, TestAgent, Viewer};

fn code(status: &tonic::Status) -> &str {
    status
        .metadata()
        .get("slipway-code")
        .map_or("", |code| code.to_str().unwrap())
}

#[tokio::test]
async fn keys_are_echoed() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("exec cat").await;
    viewer.key("grüße\n".as_bytes()).await;
    viewer.until("grüße\r\ngrüße\r\n").await;
}

#[tokio::test]
async fn a_key_and_its_echo_come_back_as_one_frame() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("stty raw -echo; echo ready; exec cat").await;
    viewer.until("ready").await;
    let mut together = 0;
    for key in 1..=20 {
        viewer.key(b"k").await;
        let before = viewer.offset;
        while viewer.offset == before || viewer.written < key {
            let (offset, written) = (viewer.offset, viewer.written);
            viewer.step().await;
            together += u32::from(viewer.offset > offset && viewer.written > written);
        }
    }
    // An echo that is late is not waited for.
    assert!(together > 10, "{together} of 20 came together");
}

#[tokio::test]
async fn input_that_nothing_answers_is_acknowledged_nevertheless() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("stty raw -echo; echo ready; exec sleep 60").await;
    viewer.until("ready").await;
    for key in 1..=3 {
        viewer.key(b"k").await;
        while viewer.written < key {
            assert!(viewer.step().await);
        }
    }
}

#[tokio::test]
async fn a_hundred_cuts_lose_and_double_nothing() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("stty -opost; seq 300000").await;
    for _ in 0..100 {
        viewer.step().await;
        viewer.reattach(&agent).await;
    }
    assert_eq!(viewer.end().await.code, Some(0));
    let expected: String = (1..=300_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(
        blake3::hash(&viewer.seen),
        blake3::hash(expected.as_bytes())
    );
}

#[tokio::test]
async fn input_that_is_sent_again_is_applied_once() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("stty -echo; echo ready; exec cat").await;
    viewer.until("ready").await;
    viewer.type_at(0, b"one ").await;
    viewer.type_at(0, b"one two ").await;
    viewer.type_at(4, b"two three\n").await;
    viewer.type_at(0, b"one two three\n").await;
    viewer.type_at(14, b"\x04").await;
    viewer.end().await;
    assert_eq!(viewer.text().replace("ready\r\n", ""), "one two three\r\n");
}

#[tokio::test]
async fn invalid_bytes_pass_unchanged() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh(r"stty -opost; printf '\377\376a\0b\303('").await;
    viewer.end().await;
    assert_eq!(viewer.seen, b"\xff\xfea\0b\xc3(");
}

#[tokio::test]
async fn a_command_that_cannot_start_is_an_error_in_words() {
    let agent = TestAgent::start().await;
    let folder = agent.folder.path().join("workspace");
    std::fs::write(folder.join("plain"), "echo\n").unwrap();
    let bad = folder.join("bad");
    std::fs::write(&bad, "#!/nonexistent/shell\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&bad, executable).unwrap();
    for command in ["no-such-program", "./plain", "./bad", "/nonexistent"] {
        let error = agent.open(&[command]).await.unwrap_err();
        assert_eq!(
            code(&error),
            Code::ExecFailed.as_str(),
            "{command}: {error}"
        );
        assert!(error.message().contains(command), "{error}");
    }
    assert!(agent.agent.terminals.all().is_empty());
}

#[tokio::test]
async fn exit_codes_and_signals_are_told_as_numbers() {
    let agent = TestAgent::start().await;
    assert_eq!(agent.sh("exit 0").await.end().await.code, Some(0));
    assert_eq!(agent.sh("exit 255").await.end().await.code, Some(255));
    let exit = agent.sh("kill -TERM $$").await.end().await;
    assert_eq!((exit.code, exit.signal), (None, Some(15)));
}

#[tokio::test]
async fn a_resize_reaches_the_program() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("read line; stty size").await;
    viewer
        .say(In::Resize(v1::Resize {
            cols: 132,
            rows: 43,
        }))
        .await;
    viewer.key(b"\n").await;
    viewer.until("43 132").await;
}

#[tokio::test]
async fn control_c_stops_a_flood() {
    let agent = TestAgent::start().await;
    let mut viewer = agent
        .sh("trap 'echo stopped; exit 3' INT; while :; do yes; done")
        .await;
    viewer.until("y\r\ny").await;
    viewer.key(b"\x03").await;
    assert_eq!(viewer.end().await.code, Some(3));
}

#[tokio::test]
async fn a_reader_that_stops_holds_back_only_its_own_program() {
    let agent = TestAgent::start().await;
    let stopped = agent.sh("yes").await;
    let mut other = agent.sh("exec cat").await;
    other.key(b"alive\n").await;
    other.until("alive\r\nalive").await;
    let flood = agent.agent.terminals.find(&stopped.terminal).unwrap();
    assert!(flood.end_offset() <= 512 * 1024, "paced by the window");
    stopped
        .say(In::Signal(v1::Signal {
            name: "KILL".to_owned(),
        }))
        .await;
    let mut finished = flood.finished();
    finished.wait_for(Option::is_some).await.unwrap();
}

#[tokio::test]
async fn a_large_paste_to_a_program_that_does_not_read_leaves_signals_through() {
    let agent = TestAgent::start().await;
    let mut viewer = agent
        .sh("stty raw -echo isig; echo ready; sleep 1000")
        .await;
    viewer.until("ready").await;
    let block = vec![b'x'; 32 * 1024];
    for _ in 0..2 {
        viewer.key(&block).await;
    }
    viewer
        .say(In::Signal(v1::Signal {
            name: "TERM".to_owned(),
        }))
        .await;
    assert_eq!(viewer.end().await.code.or(Some(143)), Some(143));
}

#[tokio::test]
async fn the_seventeenth_terminal_is_refused() {
    let agent = TestAgent::start().await;
    for _ in 0..16 {
        agent.open(&["/bin/sleep", "1000"]).await.unwrap();
    }
    let error = agent.open(&["/bin/sleep", "1000"]).await.unwrap_err();
    assert_eq!(code(&error), Code::TooManyTerminals.as_str());
}

#[tokio::test]
async fn a_second_hello_of_a_viewer_takes_over() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("exec cat").await;
    viewer.reattach(&agent).await;
    viewer.reattach(&agent).await;
    viewer.key(b"here\n").await;
    viewer.until("here\r\nhere").await;
}

#[tokio::test]
async fn a_late_viewer_sees_the_whole_log_and_the_exit() {
    let agent = TestAgent::start().await;
    let mut first = agent.sh("echo early; exit 4").await;
    first.end().await;
    let mut late = Viewer::attach(&agent, &first.terminal).await;
    assert_eq!(late.end().await.code, Some(4));
    assert_eq!(late.text(), "early\r\n");
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let mut agent = TestAgent::start().await;
    agent.forget_key();
    let error = agent.open(&["/bin/true"]).await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::Unauthenticated);
}

#[tokio::test]
async fn binding_is_repeatable_and_exclusive() {
    let mut agent = TestAgent::start().await;
    let reply = agent.bind("session").await.unwrap();
    assert_eq!(reply, agent.bind("session").await.unwrap());
    let error = agent.bind("another").await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::FailedPrecondition);
}

#[tokio::test]
async fn programs_see_no_key_and_a_utf8_terminal() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("env").await;
    viewer.end().await;
    let text = viewer.text();
    assert!(text.contains("TERM=xterm-256color") && text.contains("LANG=C.UTF-8"));
    assert!(text.contains("SLIPWAY_SESSION=session") && !text.contains("AGENT_KEY"));
}

#[tokio::test]
async fn a_program_that_asks_its_terminal_is_answered_once_whoever_looks_on() {
    let agent = TestAgent::start().await;
    // Reads each answer up to its last character, which is not a line.
    let ask = r#"stty raw -echo
printf '\033[2;7H\033[6n'; dd bs=1 count=6 2>&- | od -An -c
printf '\033[c'; dd bs=1 count=7 2>&- | od -An -c
stty raw -echo min 0 time 1; more=$(dd bs=64 count=1 2>&-); stty sane; echo "more:${more}end""#;
    let nobody = agent.open(&["/bin/sh", "-c", ask]).await.unwrap();
    let terminal = agent.agent.terminals.find(&nobody).unwrap();
    let finished = terminal.finished().wait_for(Option::is_some).await.is_ok();
    assert!(finished);
    let mut late = Viewer::attach(&agent, &nobody).await;
    late.end().await;
    let gate = agent.folder.path().join("gate");
    let gated = format!("until [ -e {} ]; do :; done; {ask}", gate.display());
    let mut viewers = vec![agent.sh(&gated).await];
    for _ in 0..2 {
        let terminal = viewers[0].terminal.clone();
        viewers.push(Viewer::attach(&agent, &terminal).await);
    }
    std::fs::write(gate, "").unwrap();
    for mut viewer in viewers.into_iter().chain([late]) {
        while viewer.step().await {}
        let seen: String = viewer.text().split_whitespace().collect();
        assert!(seen.contains(r"033[2;7R"), "{seen}");
        assert!(seen.contains(r"033[?1;2c"), "{seen}");
        assert!(seen.ends_with("more:end"), "{seen}");
    }
}

#[tokio::test]
async fn a_late_viewer_of_a_cut_log_is_given_the_screen() {
    let agent = TestAgent::start().await;
    let mut first = agent
        .sh("printf 'a title that stays\\r\\n\\033[2;24r\\033[2;1H'; seq 400000; printf done; exec cat")
        .await;
    first.until("400000\r\ndone").await;
    let mut late = Viewer::attach(&agent, &first.terminal).await;
    late.until("400000\r\ndone").await;
    let screen = String::from_utf8_lossy(&late.restored).into_owned();
    assert!(screen.contains("a title that stays"), "{screen:?}");
}

#[tokio::test]
async fn control_c_stops_a_flood_whose_viewer_takes_nothing() {
    let agent = TestAgent::start().await;
    let mut viewer = agent.sh("exec yes").await;
    let terminal = agent.agent.terminals.find(&viewer.terminal).unwrap();
    // The log stands still once the viewer's window is used up.
    while terminal.end_offset() < 256 * 1024 {
        tokio::task::yield_now().await;
    }
    viewer.key(b"\x03").await;
    let mut finished = terminal.finished();
    let ended = tokio::time::timeout(DEADLINE, finished.wait_for(Option::is_some)).await;
    let exit = ended.unwrap().unwrap().clone().unwrap().exit;
    assert_eq!(exit.signal, Some(2));
}
