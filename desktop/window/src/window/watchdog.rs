//! A window that stays blank: with some graphics drivers WebKit draws nothing and does not know it. The page says when
//! it has shown its first frame; if it never does, the person is asked.
use std::sync::Arc;
use std::time::Duration;

use tauri::{AppHandle, Runtime};
use tokio::sync::watch;

use super::dialogs::{self, Question};
use super::{After, Shell, graphics};

/// A page is there within one or two seconds, on a slow machine within five.
const PATIENCE: Duration = Duration::from_secs(8);

const SAFE: &str = "Start with safe graphics";
const BROWSER: &str = "Use the browser";
const WAIT: &str = "Wait";

/// Waits for the first frame, and asks when it does not come.
pub(super) async fn guard<R: Runtime>(app: AppHandle<R>, shell: Arc<Shell>) {
    let mut painted = shell.painted.subscribe();
    if has_painted(&mut painted, PATIENCE).await {
        return;
    }
    let is_safe = graphics::is_kept_safe(&shell.config.state);
    let server = shell.gateway.server();
    let question = question(is_safe, server.is_some());
    let answers = question.answers.clone();
    match answers[dialogs::ask(&app, question).await] {
        SAFE => {
            // If it cannot be kept, this start is safe at least.
            drop(graphics::keep_safe(&shell.config.state, true));
            shell.leave(After::Again(vec!["--safe-graphics".into()]));
            app.exit(0);
        }
        BROWSER => {
            if let Some(server) = server {
                drop(tauri_plugin_opener::open_url(server.as_str(), None::<&str>));
            }
        }
        _ => {}
    }
}

/// Whether the page has shown something in time.
async fn has_painted(painted: &mut watch::Receiver<bool>, patience: Duration) -> bool {
    let shown = painted.wait_for(|painted| *painted);
    matches!(tokio::time::timeout(patience, shown).await, Ok(Ok(_)))
}

/// What is asked, with only those answers that can help.
fn question(is_safe: bool, has_server: bool) -> Question {
    let mut answers = Vec::new();
    if !is_safe {
        answers.push(SAFE);
    }
    if has_server {
        answers.push(BROWSER);
    }
    answers.push(WAIT);
    let text = "Nothing has been drawn for eight seconds. Some graphics drivers do this. Files are not touched by it: \
                what was kept in folders goes on in step.";
    Question {
        title: "The window stays empty",
        text: text.to_owned(),
        answers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_page_that_paints_in_time_is_left_alone_and_one_that_never_does_is_not() {
        let page = watch::Sender::new(false);
        let mut painted = page.subscribe();
        assert!(!has_painted(&mut painted, PATIENCE).await);
        let later = tokio::spawn(async move { has_painted(&mut painted, PATIENCE).await });
        tokio::time::sleep(PATIENCE / 2).await; // waits: the clock is paused
        page.send_replace(true);
        assert!(later.await.unwrap());
    }

    #[test]
    fn only_what_can_help_is_offered() {
        let answers = |is_safe, has_server| question(is_safe, has_server).answers;
        assert_eq!(answers(false, true), [SAFE, BROWSER, WAIT]);
        assert_eq!(answers(true, true), [BROWSER, WAIT]);
        assert_eq!(answers(false, false), [SAFE, WAIT]);
        assert_eq!(answers(true, false), [WAIT]);
    }
}
