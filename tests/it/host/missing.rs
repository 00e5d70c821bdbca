//! What a server cannot do without, or must share: it says what is wrong and what to do, and ends or goes on.
use bytes::Bytes;
use slipway_api::session::SessionState;
use slipway_api::workspace::Template;
use slipway_client::error::ClientError;
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::code::Code;
use tokio::process::Command;

use super::{Home, beneath, can_mount, ended, parts, write};
use slipway_tests::server::Server;

#[tokio::test]
async fn a_second_server_on_the_same_data_directory_is_refused() {
    let home = Home::start().await;
    let pid = home.server().pid().unwrap();
    let mut second = Command::new(parts().server);
    let (code, _, words) = ended(second.args(parts().arguments(home.path()))).await;
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains(&format!("the server with pid {pid} uses it already")),
        "{words}"
    );
    assert!(words.contains("--data-dir"), "{words}");
    // The first one did not notice.
    let ana = home.user("ana").await;
    assert!(ana.workspaces().await.unwrap().workspaces.is_empty());
}

#[tokio::test]
async fn a_port_in_use_is_said_before_anything_is_started() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = Home::empty();
    let mut server = Command::new(parts().server);
    let data = home.path().join("data");
    let (code, _, words) =
        ended(server.args(["--listen", &address, "--data-dir"]).arg(&data)).await;
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains(&address) && words.contains("--listen"),
        "{words}"
    );
    assert!(!data.exists(), "nothing was made");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_said() {
    let home = Home::empty();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut server = Command::new(parts().server);
    let data = file.join("below");
    let (code, _, words) = ended(
        server
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data),
    )
    .await;
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("below") && words.contains("--data-dir"),
        "{words}"
    );
}

#[tokio::test]
async fn without_postgres_the_package_to_install_is_named() {
    if !can_mount("without_postgres_the_package_to_install_is_named") {
        return;
    }
    let home = Home::empty();
    let hide = "if [ -d /usr/lib/postgresql ]; then mount -t tmpfs none /usr/lib/postgresql; fi";
    let mut server = beneath(hide, home.path(), &[]);
    let (code, _, words) = ended(server.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")).await;
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("apt-get install postgresql"), "{words}");
    let mut doctor = beneath(hide, home.path(), &["doctor"]);
    let (code, report, _) = ended(doctor.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")).await;
    assert_eq!(code, Some(1), "{report}");
    assert!(report.contains("MISSING  Postgres"), "{report}");
}

#[tokio::test]
async fn without_bubblewrap_the_server_serves_and_a_session_says_what_to_do() {
    if !can_mount("without_bubblewrap_the_server_serves_and_a_session_says_what_to_do") {
        return;
    }
    let hide = "for at in /usr/bin /bin /usr/local/bin; do \
        if [ -f $at/bwrap ]; then mount --bind /dev/null $at/bwrap; fi; done";
    let mut home = Home::empty();
    let launched = Server::launch(beneath(hide, home.path(), &[]), home.path()).await;
    home.server = Some(launched.expect("the server starts"));
    let ana = home.user("ana").await;
    let info: slipway_api::server::ServerInfo = ana.get("/server").await.unwrap();
    assert!(!info.can_run);
    assert!(info.cannot_run_reason.unwrap().contains("bubblewrap"));
    let workspace = ana
        .create_workspace("w", Template::Python)
        .await
        .unwrap()
        .id;
    write(&ana, workspace, "a.txt").await;
    let (code, words) = started(&ana, workspace).await;
    assert_eq!(code, Code::SandboxUnavailable, "{words}");
    assert!(
        words.contains("bubblewrap") && words.contains("install"),
        "{words}"
    );
    assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), "a.txt");

    let doctor_home = Home::empty();
    let mut doctor = beneath(hide, doctor_home.path(), &["doctor"]);
    let (code, report, _) = ended(&mut doctor).await;
    assert_eq!(code, Some(1), "{report}");
    let line = report
        .lines()
        .find(|line| line.contains("sandbox"))
        .unwrap();
    assert!(
        line.starts_with("MISSING") && line.contains("bubblewrap"),
        "{report}"
    );
}

/// How the start of a session is refused, at once or as its end.
async fn started(ana: &Client, workspace: slipway_core::id::WorkspaceId) -> (Code, String) {
    match ana.start_session(workspace).await {
        Err(ClientError::Problem(problem)) => (problem.code, problem.detail),
        Err(other) => panic!("{other}"),
        Ok(_) => {
            let socket = Socket::connect(ana).await.unwrap();
            let over = |state| state == SessionState::Failed;
            let failed = ana
                .wait_for_session(&socket, workspace, over)
                .await
                .unwrap();
            let reason = failed.reason.unwrap();
            (reason.code, reason.text)
        }
    }
}

#[tokio::test]
async fn on_a_full_disk_a_write_is_refused_and_after_it_all_goes_on() {
    if !can_mount("on_a_full_disk_a_write_is_refused_and_after_it_all_goes_on") {
        return;
    }
    let mut home = Home::empty();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mount = format!("mount -t tmpfs -o size=256m none '{}'", data.display());
    let launched = Server::launch(beneath(&mount, home.path(), &[]), home.path()).await;
    home.server = Some(launched.expect("the server starts"));
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    write(&ana, workspace, "before.txt").await;

    let filler = home.data().join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut file, &[7; 4096]).is_ok() {}
    drop(file);
    // An import is laid down beside the database first.
    let zip = Bytes::from(vec![b'P'; 4 << 20]);
    let refused = ana.import_workspace("full", zip).await;
    assert_eq!(crate::lab::code(refused), Code::ServerDiskFull);
    // What the database already has room for may pass; then it is refused, too.
    let mut passed = Vec::new();
    let refused = loop {
        let path = format!("{}.bin", passed.len());
        let noise = (0..500_000_u32 + passed.len() as u32)
            .flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes());
        let noise = Bytes::from_iter(noise);
        match ana.write_file(workspace, &path, None, noise.clone()).await {
            Ok(_) => passed.push((path, noise)),
            Err(refused) => break refused,
        }
        assert!(passed.len() < 100, "the disk is full");
    };
    // Postgres itself may have fallen over when not even its journal had room.
    let code = refused.code();
    assert!(
        matches!(code, Some(Code::ServerDiskFull | Code::DatabaseUnavailable)),
        "{refused}"
    );
    let lives = reqwest::get(format!("{}/livez", home.server().base))
        .await
        .unwrap();
    assert_eq!(lives.status(), 200);

    std::fs::remove_file(&filler).unwrap();
    home.ready().await;
    for (path, noise) in passed {
        assert_eq!(ana.read_file(workspace, &path).await.unwrap(), noise);
    }
    assert_eq!(
        ana.read_file(workspace, "before.txt").await.unwrap(),
        "before.txt"
    );
    write(&ana, workspace, "after.txt").await;
}
