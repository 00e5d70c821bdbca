//! What the page asks of the system through us: dialogs, the clipboard, the browser, the file manager.
use std::path::{Path, PathBuf};

use tauri::ipc::Request;
use tauri::{AppHandle, Runtime, Url};
use tauri_plugin_clipboard_manager::ClipboardExt as _;

use super::super::{dialogs, frame};
use super::{Fault, Shared, body, header};

/// What a file that is saved shall be called, percent-encoded.
const NAME: &str = "slipway-name";
/// What a file is called whose name says nothing.
const NAMELESS: &str = "file";

/// Lets the person choose a folder.
#[tauri::command]
pub(crate) async fn pick_folder<R: Runtime>(app: AppHandle<R>) -> Result<Option<PathBuf>, Fault> {
    Ok(dialogs::folder(&app).await)
}

/// Gives the person the body as a file; whether they took it.
#[tauri::command]
pub(crate) async fn save_file<R: Runtime>(
    request: Request<'_>,
    app: AppHandle<R>,
) -> Result<bool, Fault> {
    let name = file_name(&plain(header(&request, NAME)?));
    let content = body(&request)?;
    let Some(path) = dialogs::save(&app, name).await else {
        return Ok(false);
    };
    tokio::fs::write(&path, content)
        .await
        .map_err(|error| cannot_write(&path, &error))?;
    Ok(true)
}

/// Gives the person what is answered at a path below `/api/v1`; whether they took it.
#[tauri::command]
pub(crate) async fn download<R: Runtime>(
    path: String,
    name: Option<String>,
    app: AppHandle<R>,
    shell: Shared<'_>,
) -> Result<bool, Fault> {
    let name = file_name(&name.unwrap_or_else(|| plain(path.split('?').next().unwrap_or(""))));
    let Some(to) = dialogs::save(&app, name).await else {
        return Ok(false);
    };
    shell
        .gateway
        .download(&path, &to)
        .await
        .map_err(Fault::system)?;
    Ok(true)
}

/// Puts a text on the clipboard.
#[tauri::command]
pub(crate) async fn copy<R: Runtime>(text: String, app: AppHandle<R>) -> Result<(), Fault> {
    blocking(move || app.clipboard().write_text(text)).await
}

/// The text on the clipboard.
#[tauri::command]
pub(crate) async fn paste<R: Runtime>(app: AppHandle<R>) -> Result<String, Fault> {
    blocking(move || app.clipboard().read_text()).await
}

/// Shows an address of the web in the system's browser.
#[tauri::command]
pub(crate) async fn open_external(url: String) -> Result<(), Fault> {
    let url: Url = url.parse().map_err(|_| Fault::NotOfTheWeb)?;
    if !frame::is_of_the_web(&url) {
        return Err(Fault::NotOfTheWeb);
    }
    blocking(move || tauri_plugin_opener::open_url(url.as_str(), None::<&str>)).await
}

/// Shows a folder, or where a file lies, in the file manager.
#[tauri::command]
pub(crate) async fn show_folder(path: PathBuf) -> Result<(), Fault> {
    blocking(move || {
        // A file is shown where it lies and never opened: it may be a program.
        if path.is_dir() {
            tauri_plugin_opener::open_path(path, None::<&str>)
        } else {
            tauri_plugin_opener::reveal_item_in_dir(path)
        }
    })
    .await
}

/// Asks the system, which may take its time.
async fn blocking<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    ask: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(ask)
        .await
        .map_err(Fault::system)?
        .map_err(Fault::system)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Fault {
    Fault::System(format!("{} cannot be written: {error}.", path.display()))
}

/// Percent-encoded text as it was.
fn plain(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = match tail {
            [a, b, ..] if *first == b'%' => std::str::from_utf8(&[*a, *b])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last part of a path, as the name that a dialog proposes.
fn file_name(path: &str) -> String {
    let last = path.rsplit(['/', '\\', '\0']).next().unwrap_or_default();
    let name = last.trim_start_matches('.');
    let name = if name.is_empty() { NAMELESS } else { name };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_proposes_a_name_and_never_a_path() {
        for (given, expected) in [
            ("tides.zip", "tides.zip"),
            ("/workspaces/1/files/a%20b.py", "a b.py"),
            ("..%2F..%2Fetc%2Fpasswd", "passwd"),
            ("..", "file"),
            ("100%", "100%"),
            ("%e4%bd%a0.md", "你.md"),
        ] {
            assert_eq!(file_name(&plain(given)), expected, "{given}");
        }
    }
}
