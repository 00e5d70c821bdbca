//! What the system tells a person who does not look at the window: a long run has ended.
use std::sync::Arc;
use std::time::Duration;

use slipway_desktop::gateway::RunEnded;
use tauri::{AppHandle, Manager as _, Runtime};
use tokio::sync::broadcast::error::RecvError;

use super::{Shell, frame};

/// Whoever waits shorter than this is still there.
const LONG: Duration = Duration::from_secs(30);

/// Tells of every long run, for ever.
pub(super) async fn tell<R: Runtime>(app: AppHandle<R>, shell: Arc<Shell>) {
    let mut runs = shell.gateway.runs_ended();
    loop {
        let ended = match runs.recv().await {
            Ok(ended) => ended,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if ended.took >= LONG && !is_looked_at(&app) {
            let app = app.clone();
            // Waits, for as long as the notice stands, for somebody to click on it.
            std::thread::spawn(move || show(&app, &ended));
        }
    }
}

fn is_looked_at<R: Runtime>(app: &AppHandle<R>) -> bool {
    let window = app.get_webview_window(frame::LABEL);
    window.is_some_and(|window| window.is_focused().unwrap_or(false))
}

fn show<R: Runtime>(app: &AppHandle<R>, ended: &RunEnded) {
    let (summary, body) = words(ended);
    let shown = notify_rust::Notification::new()
        .appname("Slipway")
        .icon("slipway-window")
        .summary(&summary)
        .body(&plain(&body))
        .action("default", "Show")
        .show();
    // A system without notices has none.
    let Ok(notice) = shown else { return };
    notice.wait_for_action(|action| {
        if action == "default" {
            frame::to_front(app);
        }
    });
}

/// A text that no system takes for markup: those of Linux say whether they would.
fn plain(text: &str) -> String {
    #[cfg(target_os = "linux")]
    if notify_rust::get_capabilities().is_ok_and(|can| can.iter().any(|can| can == "body-markup")) {
        return text.replace('&', "&amp;").replace('<', "&lt;");
    }
    text.to_owned()
}

/// A head and a line.
fn words(ended: &RunEnded) -> (String, String) {
    let outcome = match ended.exit {
        Some(0) => "is done".to_owned(),
        Some(code) => format!("ended with {code}"),
        None => "was stopped".to_owned(),
    };
    let seconds = ended.took.as_secs();
    let took = match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    };
    (
        format!("The run in {} {outcome}", ended.workspace),
        format!("{}\nafter {took}", ended.command),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_which_run_how_it_ended_and_how_long_it_took() {
        let ended = |exit, seconds| RunEnded {
            workspace: "tides".to_owned(),
            command: "make".to_owned(),
            exit,
            took: Duration::from_secs(seconds),
        };
        for (exit, seconds, head, line) in [
            (Some(0), 31, "The run in tides is done", "make\nafter 31 s"),
            (
                Some(2),
                61,
                "The run in tides ended with 2",
                "make\nafter 1 min 1 s",
            ),
            (
                None,
                7260,
                "The run in tides was stopped",
                "make\nafter 2 h 1 min",
            ),
        ] {
            assert_eq!(
                words(&ended(exit, seconds)),
                (head.to_owned(), line.to_owned())
            );
        }
    }
}
