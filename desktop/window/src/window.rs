//! The window: the page of `src-ui` in the system's web view, with the gateway of this process behind it.
//!
//! Reading order: `open` makes everything and runs until the window is closed; `frame` is the window itself, `page` what
//! the page may ask for (and `permissions/page.toml` says the same to Tauri), `wires` its socket, `voice` what it is told
//! unasked. `doorbell` lets one process own the window, `graphics` and `watchdog` see to
//! it that something is shown at all. `menu`, `dialogs` and `notices` are the system's own.
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slipway_desktop::config::Config;
use slipway_desktop::error::CliError;
use slipway_desktop::gateway::Gateway;
use slipway_desktop::opening::Opening;
use slipway_desktop::state::State;
use tauri::{Manager as _, Runtime};
use tokio::sync::watch;

mod dialogs;
mod doorbell;
mod frame;
pub(crate) mod graphics;
mod menu;
mod notices;
mod page;
mod voice;
mod watchdog;
mod wires;

#[cfg(test)]
mod tests;

/// How long the folders may take to put down what they hold when the window is closed.
const STOP_AFTER: Duration = Duration::from_secs(5);

/// What is to be done after the window has closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing.
    Leave,
    /// The program is begun again with these arguments.
    Again(Vec<OsString>),
}

/// What the parts of the window share.
struct Shell {
    gateway: Gateway,
    voice: voice::Voice,
    wires: wires::Wires,
    /// Whether the page has shown its first frame.
    painted: watch::Sender<bool>,
    config: Config,
    /// Set by whoever wants the program begun again.
    after: Mutex<After>,
}

impl Shell {
    fn new(gateway: Gateway, config: Config) -> Arc<Self> {
        Arc::new(Self {
            voice: voice::Voice::new(&gateway),
            gateway,
            wires: wires::Wires::default(),
            painted: watch::Sender::new(false),
            config,
            after: Mutex::new(After::Leave),
        })
    }

    /// What is to be done when the window has closed.
    fn leave(&self, after: After) {
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = after;
    }
}

/// Opens the window and stays until it is closed. Where another process has it already, that one is asked to show it.
///
/// # Errors
/// When there is no display, or the state of this machine cannot be used.
pub(crate) fn open(
    config: Config,
    mut opening: Opening,
    runtime: &tokio::runtime::Runtime,
) -> Result<After, CliError> {
    if !config.display {
        return Err(CliError::NoDisplay);
    }
    // The doorbell lies in it.
    State::open(&config.state)?;
    let answer = runtime.block_on(doorbell::take(&config.state, &opening));
    let Some(bell) = answer.map_err(CliError::file(&config.state))? else {
        return Ok(After::Leave);
    };
    open_display()?;
    tauri::async_runtime::set(runtime.handle().clone());
    let gateway = runtime
        .block_on(Gateway::start(&config))
        .inspect_err(|error| dialogs::tell_before(&error.to_string()))?;
    // Before there is a page that would show another one; what is wrong with it is told when there is a window.
    opening
        .server
        .take_if(|server| gateway.choose(server).is_ok());
    let shell = Shell::new(gateway.clone(), config);

    let builder = tauri::Builder::default()
        .menu(menu::build)
        .on_menu_event(|app, event| menu::chosen(app, &event));
    let app = build(builder, Arc::clone(&shell))
        .build(tauri::generate_context!())
        .map_err(no_window)?;
    // Before there is a window that somebody could wish to end.
    let ended = {
        let _within = runtime.enter();
        slipway_desktop::tty::ended()
    };
    // Shown at once where it can be; what it cannot be is told when there is a window.
    let shown = match &opening.wish {
        Some(wish) => runtime.block_on(gateway.address_of(wish)).ok(),
        None => None,
    };
    if shown.is_some() {
        opening.wish = None;
    }
    let window = frame::open(app.handle(), &shell.config.state, shown).map_err(no_window)?;
    menu::attach(&window);
    let handle = app.handle().clone();
    let doors = Arc::clone(&shell);
    let attendants = [
        runtime.spawn(voice::relay(Arc::clone(&shell))),
        runtime.spawn(notices::tell(handle.clone(), Arc::clone(&shell))),
        runtime.spawn(watchdog::guard(handle.clone(), Arc::clone(&shell))),
        runtime.spawn(close_after(handle.clone(), ended)),
        runtime.spawn(async move { attend(handle, doors, bell, opening).await }),
    ];
    app.run_return(|app, event| arrived(app, &event));
    for attendant in attendants {
        attendant.abort();
    }
    runtime.block_on(async {
        // Whatever takes longer is found again at the next start: the base never leads the disk.
        drop(tokio::time::timeout(STOP_AFTER, gateway.stop()).await);
    });
    let mut after = shell.after.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::replace(&mut *after, After::Leave))
}

/// Takes part in the display that was named: the toolkit itself ends a program that cannot, without a word for a person.
#[cfg(target_os = "linux")]
fn open_display() -> Result<(), CliError> {
    gtk::init().map_err(|_| CliError::ClosedDisplay)
}

#[cfg(not(target_os = "linux"))]
fn open_display() -> Result<(), CliError> {
    Ok(())
}

fn no_window(error: tauri::Error) -> CliError {
    CliError::Window(error.into())
}

/// The program around the window, the same in tests.
fn build<R: Runtime>(builder: tauri::Builder<R>, shell: Arc<Shell>) -> tauri::Builder<R> {
    let kept = shell.config.state.join("window.json");
    let flags = {
        use tauri_plugin_window_state::StateFlags;
        StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN
    };
    builder
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_state_flags(flags)
                // Joined to a folder of its own choice, which an absolute path replaces.
                .with_filename(kept.to_string_lossy())
                .build(),
        )
        .manage(shell)
        .invoke_handler(tauri::generate_handler![
            page::exchange,
            page::dial,
            page::send,
            page::hang_up,
            page::listen,
            page::retry,
            page::painted,
            page::title,
            page::leave,
            page::native::pick_folder,
            page::native::save_file,
            page::native::download,
            page::native::copy,
            page::native::paste,
            page::native::open_external,
            page::native::show_folder,
        ])
}

/// Fulfils the wish of this start, then those of later ones.
async fn attend(
    app: tauri::AppHandle,
    shell: Arc<Shell>,
    mut bell: doorbell::Bell,
    opening: Opening,
) {
    fulfil(&app, &shell, opening).await;
    while let Some(opening) = bell.rung().await {
        frame::to_front(&app);
        fulfil(&app, &shell, opening).await;
    }
}

/// Does what somebody started the program for; what cannot be done is told to the person.
async fn fulfil<R: Runtime>(app: &tauri::AppHandle<R>, shell: &Shell, opening: Opening) {
    if let Some(server) = opening.server
        && let Err(error) = shell.gateway.choose(&server)
    {
        tell(app, "This server cannot be used", &error);
    }
    show(app, shell, opening.wish).await;
}

/// Shows what was wished for.
async fn show<R: Runtime>(app: &tauri::AppHandle<R>, shell: &Shell, wish: Option<String>) {
    let Some(wish) = wish else { return };
    match shell.gateway.address_of(&wish).await {
        Ok(address) => shell.voice.show(address),
        Err(error) => tell(app, "This cannot be opened", &error),
    }
}

/// Whoever reads it holds up nobody who starts the program meanwhile.
fn tell<R: Runtime>(app: &tauri::AppHandle<R>, title: &'static str, error: &CliError) {
    let (app, text) = (app.clone(), error.to_string());
    tokio::spawn(async move { dialogs::tell(&app, title, text).await });
}

/// What the system tells the program while it runs.
fn arrived<R: Runtime>(app: &tauri::AppHandle<R>, event: &tauri::RunEvent) {
    // Elsewhere a link is an argument of a second start.
    #[cfg(target_os = "macos")]
    if let tauri::RunEvent::Opened { urls } = event {
        for url in urls {
            let (app, shell) = (app.clone(), Arc::clone(&app.state::<Arc<Shell>>()));
            let wish = slipway_desktop::opening::of_argument(url.as_str());
            tauri::async_runtime::spawn(async move { show(&app, &shell, Some(wish)).await });
        }
    }
    let tauri::RunEvent::WindowEvent { event, .. } = event else {
        return;
    };
    match event {
        // Whoever looks at the window wants to know now: the machine may have slept.
        tauri::WindowEvent::Focused(true) => app.state::<Arc<Shell>>().gateway.retry(),
        tauri::WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            frame::close(app);
        }
        _ => {}
    }
}

async fn close_after(app: tauri::AppHandle, ended: impl Future<Output = i32>) {
    ended.await;
    frame::close(&app);
}
