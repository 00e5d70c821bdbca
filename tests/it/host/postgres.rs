//! The embedded Postgres in trouble: killed with its server, slow to come back, damaged; and a server that is not root.
use std::os::unix::fs::{PermissionsExt as _, chown};

use rustix::process::{Signal, kill_process};
use slipway_api::workspace::Template;
use slipway_tests::server::Server;
use tokio::process::Command;

use super::{Home, ended, eventually, parts, write};

#[tokio::test]
async fn a_server_and_a_postgres_that_are_killed_together_come_back_with_everything() {
    let mut home = Home::start().await;
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    for number in 0..20 {
        write(&ana, workspace, &format!("{number}.txt")).await;
    }
    let before = ana.tree(workspace).await.unwrap();
    let postgres = home.postgres().unwrap();
    home.server.take().unwrap().kill().await.unwrap();
    kill_process(postgres, Signal::KILL).unwrap();
    home.again().await;
    let ana = home.same(&ana);
    assert_eq!(ana.tree(workspace).await.unwrap(), before);
    write(&ana, workspace, "after.txt").await;
    assert_ne!(home.postgres().unwrap(), postgres);
}

#[tokio::test]
async fn a_postgres_that_does_not_answer_yet_is_waited_for() {
    let mut home = Home::start().await;
    let ana = home.user("ana").await;
    let postgres = home.postgres().unwrap();
    home.server.take().unwrap().kill().await.unwrap();
    // As one that recovers: it is there and takes connections, but says nothing yet.
    kill_process(postgres, Signal::STOP).unwrap();
    let mut command = Command::new(parts().server);
    command.args(parts().arguments(home.path()));
    let path = home.path().to_owned();
    let launched = tokio::spawn(async move { Server::launch(command, &path).await });
    eventually("it has seen the other one", async || {
        home.log().contains("Adopting the Postgres")
    })
    .await;
    kill_process(postgres, Signal::CONT).unwrap();
    home.server = Some(launched.await.unwrap().expect("the server starts"));
    assert_eq!(
        home.postgres().unwrap(),
        postgres,
        "no second one was started"
    );
    home.same(&ana).account().await.unwrap();
}

#[tokio::test]
async fn a_damaged_database_is_said_with_the_last_lines_of_its_log() {
    let mut home = Home::start().await;
    home.server.take().unwrap().stop().await.unwrap();
    let control = home.path().join("data/postgres/data/global/pg_control");
    let mut bytes = std::fs::read(&control).unwrap();
    bytes.truncate(100);
    std::fs::write(&control, bytes).unwrap();
    let mut server = Command::new(parts().server);
    let (code, _, words) = ended(server.args(parts().arguments(home.path()))).await;
    assert_eq!(code, Some(1), "{words}");
    for part in ["start Postgres", "last lines of its log", "pg_control"] {
        assert!(words.contains(part), "{part} in {words}");
    }
    assert_eq!(home.processes(), Vec::<String>::new());
}

/// The account nobody: Postgres' programs ask for the name of an account.
const NOBODY: u32 = 65_534;

#[tokio::test]
async fn a_server_that_is_not_root_keeps_its_data_under_its_own_user() {
    if !rustix::process::geteuid().is_root() {
        println!(
            "SKIP a_server_that_is_not_root_keeps_its_data_under_its_own_user: all other tests run so here"
        );
        return;
    }
    let mut home = Home::empty();
    chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    // The program lies where only its builder may look.
    let server = home.path().join("slipway-server");
    std::fs::copy(parts().server, &server).unwrap();
    std::fs::set_permissions(&server, std::fs::Permissions::from_mode(0o755)).unwrap();
    let launch = async |home: &Home| {
        let mut command = Command::new(&server);
        command.args(parts().arguments(home.path()));
        command.uid(NOBODY).gid(NOBODY);
        command.env("HOME", home.path()).current_dir(home.path());
        Server::launch(command, home.path())
            .await
            .expect("the server starts")
    };
    home.server = Some(launch(&home).await);
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    write(&ana, workspace, "a.txt").await;
    let data = std::fs::metadata(home.path().join("data/postgres/data")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&data), NOBODY);
    home.server.take().unwrap().kill().await.unwrap();
    home.server = Some(launch(&home).await);
    assert_eq!(
        home.same(&ana).read_file(workspace, "a.txt").await.unwrap(),
        "a.txt"
    );
    home.server.take().unwrap().stop().await.unwrap();
    assert_eq!(home.processes(), Vec::<String>::new());
}
