//! The system's own dialogs. They are made on the main thread and waited for elsewhere.
use std::path::PathBuf;

use rfd::{AsyncFileDialog, AsyncMessageDialog, MessageButtons, MessageDialogResult, MessageLevel};
use tauri::{AppHandle, Runtime};
use tokio::sync::oneshot;

/// Lets the person choose a folder; none when they think better of it.
pub(super) async fn folder<R: Runtime>(app: &AppHandle<R>) -> Option<PathBuf> {
    let chosen = on_main(app, || {
        AsyncFileDialog::new()
            .set_title("Open a folder")
            .pick_folder()
    });
    Some(chosen.await??.path().to_owned())
}

/// Lets the person choose where a file is put.
pub(super) async fn save<R: Runtime>(app: &AppHandle<R>, name: String) -> Option<PathBuf> {
    let chosen = on_main(app, move || {
        AsyncFileDialog::new()
            .set_title("Save a file")
            .set_file_name(name)
            .save_file()
    });
    Some(chosen.await??.path().to_owned())
}

/// A question with up to three answers.
pub(super) struct Question {
    pub(super) title: &'static str,
    pub(super) text: String,
    /// The last one is that of a person who closes the dialog.
    pub(super) answers: Vec<&'static str>,
}

/// Asks; the number of the answer.
pub(super) async fn ask<R: Runtime>(app: &AppHandle<R>, question: Question) -> usize {
    let Question {
        title,
        text,
        answers,
    } = question;
    let last = answers.len().saturating_sub(1);
    let labels: Vec<String> = answers.iter().map(|&answer| answer.to_owned()).collect();
    let result = on_main(app, move || {
        let buttons = match labels.as_slice() {
            [a, b, c] => MessageButtons::YesNoCancelCustom(a.clone(), b.clone(), c.clone()),
            [a, b] => MessageButtons::OkCancelCustom(a.clone(), b.clone()),
            _ => MessageButtons::Ok,
        };
        AsyncMessageDialog::new()
            .set_title(title)
            .set_description(text)
            .set_level(MessageLevel::Warning)
            .set_buttons(buttons)
            .show()
    });
    match result.await {
        // Some systems answer with the button's text, others with its kind.
        Some(MessageDialogResult::Custom(chosen)) => answers
            .iter()
            .position(|answer| **answer == chosen)
            .unwrap_or(last),
        Some(MessageDialogResult::Yes | MessageDialogResult::Ok) => 0,
        Some(MessageDialogResult::No) if last == 2 => 1,
        _ => last,
    }
}

/// Tells something that has no place on the page.
pub(super) async fn tell<R: Runtime>(app: &AppHandle<R>, title: &'static str, text: String) {
    ask(
        app,
        Question {
            title,
            text,
            answers: vec!["OK"],
        },
    )
    .await;
}

/// Tells why there will be no window at all.
pub(super) fn tell_before(text: &str) {
    rfd::MessageDialog::new()
        .set_title("Slipway cannot start")
        .set_description(text)
        .set_level(MessageLevel::Error)
        .show();
}

async fn on_main<R: Runtime, T: Send + 'static, F>(
    app: &AppHandle<R>,
    make: impl FnOnce() -> F + Send + 'static,
) -> Option<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let (made, dialog) = oneshot::channel();
    app.run_on_main_thread(move || drop(made.send(make())))
        .ok()?;
    Some(dialog.await.ok()?.await)
}
