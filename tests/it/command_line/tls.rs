//! A server that is spoken to in TLS: signing in, a folder's streams, a run's events and its terminal.
use slipway_api::workspace::Template;

use super::desk::{Desk, PASSWORD};
use crate::front::Front;
use crate::lab::Lab;

#[tokio::test]
async fn a_server_in_tls_is_worked_with_as_any_other_and_one_that_nobody_vouches_for_is_not() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let made = ana.create_workspace("tides", Template::Empty).await;
    let workspace = made.expect("a workspace").id;
    let written = ana
        .write_file(workspace, "a.txt", None, "one\n".into())
        .await;
    written.expect("written");
    let front = Front::before(lab.base()).await;
    let desk = Desk::new().trusting(front.anchor());
    let email = "ana@example.org";
    let login = desk.login(&front.base, email, PASSWORD, &[]).await;
    assert_eq!(login.code, 0, "{login:?}");
    let cloned = desk.slipway(&["clone", "tides"]).await;
    assert_eq!(cloned.code, 0, "{cloned:?}");
    assert_eq!(std::fs::read(desk.path("tides/a.txt")).unwrap(), b"one\n");
    let run = desk.slipway(&["run", "tides", "--", "cat", "a.txt"]).await;
    assert_eq!((run.code, run.stdout.as_str()), (0, "one\n"), "{run:?}");

    let stranger = Desk::new();
    let refused = stranger
        .login(&front.base, email, PASSWORD, &["--json"])
        .await;
    let told = (refused.code, refused.error_code());
    assert_eq!(told, (4, "unreachable".to_owned()), "{refused:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_by_the_clock_here_is_told_as_such() {
    for years in [1990..1991, 3990..3991] {
        let front = Front::valid("127.0.0.1:0", years).await;
        let desk = Desk::new().trusting(front.anchor());
        let email = "ana@example.org";
        let login = desk.login(&front.base, email, PASSWORD, &["--json"]).await;
        let told = (login.code, login.error_code());
        assert_eq!(told, (4, "unreachable".to_owned()), "{login:?}");
        let words = "not valid at the time that the clock of this computer shows";
        assert!(login.stderr.contains(words), "{login:?}");
    }
}
