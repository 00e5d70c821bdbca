//! The window: the same page as in a browser, shown by the system's web view.
use tauri::{Builder, Runtime, WebviewUrl, WebviewWindowBuilder};

/// The window's name in capabilities.
const MAIN: &str = "main";

/// Shows the window until it is closed.
///
/// # Errors
/// When the system cannot show one.
pub fn show() -> tauri::Result<()> {
    with_plugins(Builder::default())
        .setup(|app| {
            WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
                .title("Slipway")
                .inner_size(1280.0, 800.0)
                .min_inner_size(640.0, 400.0)
                .disable_drag_drop_handler()
                .build()?;
            Ok(())
        })
        .run(tauri::generate_context!())
}

/// What a window of any runtime has.
fn with_plugins<R: Runtime>(builder: Builder<R>) -> Builder<R> {
    builder
}
