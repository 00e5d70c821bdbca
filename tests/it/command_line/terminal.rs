//! `slipway terminal` at a real terminal: typing, resizing, leaving, coming back, and a connection that breaks.
use super::desk::{Desk, PASSWORD};
use super::seat::Seat;
use super::signed_in;
use crate::way::Way;

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_typed_into_left_and_come_back_to() {
    let (_lab, _ana, _workspace, desk) = signed_in().await;
    let mut seat = Seat::at(&desk, &["terminal", "tides"]);
    seat.until("Ctrl-] three times leaves");
    seat.press("echo up=$((40+2))\r");
    seat.until("up=42");
    // The window grows, and the shell hears of it.
    seat.resize(100, 30);
    seat.press("while [ \"$(stty size)\" != '30 100' ]; do :; done; echo gro''wn\r");
    seat.until("grown");
    // Ctrl-C is the program's.
    seat.press("sh -c 'echo be\"\"gun; exec sleep 600'\r");
    seat.until("begun");
    seat.press("\x03");
    seat.press("echo on=$((40+3))\r");
    seat.until("on=43");
    seat.press("\x1d\x1d\x1d");
    seat.until("--attach ");
    let id = seat.word();
    assert_eq!(seat.left(), 0);
    assert!(seat.is_as_before(), "lines are edited and shown again");

    let listed = desk
        .slipway(&["terminal", "tides", "--list", "--json"])
        .await;
    assert_eq!(listed.objects()[0]["id"], id, "{listed:?}");
    let mut seat = Seat::at(&desk, &["terminal", "tides", "--attach", &id[..18]]);
    // What was shown is shown again.
    seat.until("up=42");
    seat.press("exit 3\r");
    assert_eq!(seat.left(), 3);
    assert!(seat.is_as_before());
    let listed = desk
        .slipway(&["terminal", "tides", "--list", "--json"])
        .await;
    assert_eq!((listed.code, listed.stdout.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_asks_is_not_typed_by_our_terminal_and_what_it_set_is_undone() {
    let (_lab, _ana, _workspace, desk) = signed_in().await;
    let mut seat = Seat::at(&desk, &["terminal", "tides"]);
    seat.until("leaves");
    seat.press("printf '\\033[?1049h\\033[?25l\\033[6n'; echo as''ked\r");
    seat.until("asked");
    assert!(!seat.seen().contains("\x1b[6n"), "{:?}", seat.seen());
    seat.press("\x1d\x1d\x1d");
    seat.until("\x1b[?1049l");
    seat.until("\x1b[?25h");
    assert_eq!(seat.left(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_goes_on_over_a_broken_connection() {
    let (lab, _ana, _workspace, _) = signed_in().await;
    let way = Way::to(lab.base()).await;
    let desk = Desk::new();
    let login = desk
        .login(&way.base, "ana@example.org", PASSWORD, &[])
        .await;
    assert_eq!(login.code, 0, "{login:?}");
    let mut seat = Seat::at(&desk, &["terminal", "tides"]);
    seat.until("leaves");
    seat.press("echo up=$((40+2))\r");
    seat.until("up=42");
    seat.press("read go; echo go=$go\r");
    seat.until("read go");
    way.cut();
    // Typed without a connection, and read with the next.
    seat.press("ahead\r");
    seat.until("go=ahead");
    assert_eq!(seat.seen().matches("go=ahead").count(), 1);
    seat.press("exit\r");
    assert_eq!(seat.left(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_to_us_puts_the_terminal_back() {
    let (_lab, _ana, _workspace, desk) = signed_in().await;
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut seat = Seat::at(&desk, &["terminal", "tides"]);
        seat.until("leaves");
        seat.press("echo up=$((40+2))\r");
        seat.until("up=42");
        seat.signal(signal);
        assert_eq!(seat.left(), 128 + signal.as_raw().cast_unsigned());
        assert!(seat.is_as_before());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_at_a_terminal_is_given_it() {
    let (_lab, _ana, _workspace, desk) = signed_in().await;
    let mut seat = Seat::at(
        &desk,
        &[
            "run",
            "tides",
            "--",
            "read -p 'name? ' n; echo hi $n; exit 4",
        ],
    );
    seat.until("name? ");
    seat.press("ada\r");
    seat.until("hi ada");
    assert_eq!(seat.left(), 4);
    assert!(seat.is_as_before());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_typed_unseen() {
    let (lab, _ana, _workspace, _) = signed_in().await;
    let desk = Desk::new();
    let login = ["login", lab.base(), "--token-store", "file"];
    let mut seat = Seat::at(&desk, &login);
    seat.until("E-mail: ");
    seat.press("ana@example.org\r");
    seat.until("Password: ");
    seat.press(&format!("{PASSWORD}\r"));
    seat.until("Signed in");
    assert_eq!(seat.left(), 0);
    assert!(!seat.seen().contains(PASSWORD));
    assert!(seat.is_as_before());

    let mut seat = Seat::at(&desk, &login);
    seat.until("E-mail: ");
    seat.press("ana@example.org\r");
    seat.until("Password: ");
    seat.press("\x03");
    assert_eq!(seat.left(), 130);
    assert!(seat.is_as_before(), "what is typed is shown again");
}

#[tokio::test]
async fn a_terminal_needs_a_terminal() {
    let (_lab, _ana, _workspace, desk) = signed_in().await;
    let refused = desk.slipway(&["terminal", "tides"]).await;
    assert_eq!(refused.code, 125, "{refused:?}");
    assert!(refused.stderr.contains("slipway run"), "{refused:?}");
}
