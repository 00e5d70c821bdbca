//! The window itself: where its page comes from, and that it stays there.
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slipway_api::desktop::Told;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{
    AppHandle, Manager as _, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
};

use super::{Shell, menu};

/// The window's label, which the capabilities name.
pub(super) const LABEL: &str = "main";
/// How long the page may take to put down what was typed last.
const LEAVE_AFTER: Duration = Duration::from_secs(2);
const SIZE: (f64, f64) = (1280.0, 820.0);
const SIZE_LEAST: (f64, f64) = (480.0, 320.0);

/// Makes the window, which shows an address of the page.
pub(super) fn open<R: Runtime>(
    app: &AppHandle<R>,
    state: &Path,
    address: Option<String>,
) -> tauri::Result<WebviewWindow<R>> {
    let page = address.map_or_else(WebviewUrl::default, |address| {
        WebviewUrl::App(address.trim_start_matches('/').into())
    });
    let begun = Arc::new(AtomicBool::new(false));
    #[cfg(target_os = "linux")]
    let has_begun = Arc::clone(&begun);
    let window = WebviewWindowBuilder::new(app, LABEL, page)
        .title("Slipway")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SIZE_LEAST.0, SIZE_LEAST.1)
        // What the page keeps belongs to the person who is signed in here, as everything in the state folder does.
        .data_directory(state.join("page"))
        // Files that are dropped are the page's business.
        .disable_drag_drop_handler()
        .on_navigation(stays)
        .on_new_window(|url, _| {
            elsewhere(&url);
            NewWindowResponse::Deny
        })
        .on_page_load(move |window, load| {
            if load.event() == PageLoadEvent::Started {
                begun.store(true, Ordering::Relaxed);
                // A page that is loaded again knows nothing of what the one before had open.
                let shell = window.state::<Arc<Shell>>();
                shell.wires.hang_up_all();
                shell.voice.silence();
            }
        })
        .build()?;
    #[cfg(target_os = "linux")]
    window.with_webview(move |webview| draw_later(&webview.inner(), has_begun))?;
    Ok(window)
}

/// Lets a view draw nothing before its page has begun. WebKit, asked for a picture earlier, waits for it half a second:
/// the process that would draw it is just being started, and may wait for this one itself.
#[cfg(target_os = "linux")]
fn draw_later(view: &impl gtk::prelude::IsA<gtk::Widget>, has_begun: Arc<AtomicBool>) {
    use gtk::glib::Propagation;
    use gtk::prelude::WidgetExt as _;

    view.connect_draw(move |_, _| match has_begun.load(Ordering::Relaxed) {
        true => Propagation::Proceed,
        false => Propagation::Stop,
    });
}

/// Shows the window to whoever asked for it.
pub(super) fn to_front<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    // A window manager may refuse any of these; then it shows the window in its own way.
    drop(window.unminimize());
    drop(window.show());
    drop(window.set_focus());
}

/// Closes the window as a person does: the page puts down what was typed last, and leaves. A page that does not is left.
pub(super) fn close<R: Runtime>(app: &AppHandle<R>) {
    let action = menu::QUIT.to_owned();
    let told = app.state::<Arc<Shell>>().voice.tell(Told::Menu { action });
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if told {
            tokio::time::sleep(LEAVE_AFTER).await;
        }
        app.exit(0);
    });
}

/// Whether the page may go there: only within itself. Addresses of the web are shown by the system's browser.
fn stays(url: &Url) -> bool {
    let ours = is_ours(url);
    if !ours {
        elsewhere(url);
    }
    ours
}

/// Whether the page comes from this address. On Windows a web view has no schemes but those of the web; elsewhere whatever
/// has the name there is another program.
fn is_ours(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) => true,
        ("http" | "https", Some("tauri.localhost")) => cfg!(windows) && url.port().is_none(),
        // A page that is being worked on.
        ("http", Some("localhost")) => cfg!(debug_assertions),
        _ => false,
    }
}

/// Gives an address of the web to the system's browser.
fn elsewhere(url: &Url) {
    if is_of_the_web(url) {
        // Without a browser there is nothing to show it with.
        drop(tauri_plugin_opener::open_url(url.as_str(), None::<&str>));
    }
}

/// Addresses that another program may be given: they open something, and do nothing.
pub(super) fn is_of_the_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "mailto")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stays_in_its_own_house() {
        for (address, expected) in [
            ("tauri://localhost/w/1?open=a", true),
            ("http://tauri.localhost/", cfg!(windows)),
            ("http://tauri.localhost:8000/", false),
            ("tauri://elsewhere/", false),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
        ] {
            let found = is_ours(&address.parse().unwrap());
            assert_eq!(found, expected, "{address}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_given_to_other_programs() {
        for (address, expected) in [
            ("https://example.org/", true),
            ("http://localhost:1/", true),
            ("mailto:ada@example.org", true),
            ("file:///usr/bin/true", false),
            ("ssh://example.org", false),
            ("slipway://workspaces", false),
            ("javascript:alert(1)", false),
            ("smb://host/share", false),
        ] {
            assert_eq!(
                is_of_the_web(&address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }
}
