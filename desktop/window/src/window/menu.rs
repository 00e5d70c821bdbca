//! The menu: names of the page's own actions, which the page does. Keys are the page's, too, so that a terminal gets what
//! is typed at it; only macOS wants its own for what every program there has.
use std::sync::Arc;

use slipway_api::desktop::Told;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use tauri::{AppHandle, Manager as _, Runtime, WebviewWindow};

use super::{Shell, frame};

/// macOS has this in the program's own menu.
pub(super) const QUIT: &str = "app.quit";
/// Stands for a line between items.
const LINE: (&str, &str) = ("", "");

/// A menu's title and its items: the words, and the id of the page's action.
type Entries = (&'static str, &'static [(&'static str, &'static str)]);

const MENUS: &[Entries] = &[
    (
        "&File",
        &[
            ("&New File", "file.new"),
            ("New F&older", "folder.new"),
            LINE,
            ("O&pen a Folder…", "app.open"),
            ("New &Workspace…", "app.new"),
            ("Workspaces of This &Computer", "app.start"),
            ("Workspaces of the Se&rver", "app.workspaces"),
            LINE,
            ("&Save Everything", "editor.save"),
            ("&Close File", "editor.close"),
            ("Show in the File &Manager", "sync.folder"),
            ("&Export as Zip…", "workspace.export"),
            LINE,
            ("&Quit", QUIT),
        ],
    ),
    (
        "&Edit",
        &[
            ("&Find in File", "editor.find"),
            ("Go to &Line…", "editor.line"),
            LINE,
            ("&History of This File", "history.show"),
        ],
    ),
    (
        "&View",
        &[
            ("&Go to File…", "find.file"),
            ("All &Commands…", "find.command"),
            LINE,
            ("&Explorer", "view.explorer"),
            ("&Side Bar", "view.side"),
            ("&Panel", "view.panel"),
            ("&Terminal", "view.terminal"),
            LINE,
            ("&Next Region", "view.next"),
            ("Pre&vious Region", "view.previous"),
        ],
    ),
    (
        "&Run",
        &[
            ("&Run This File", "run.start"),
            ("Run a &Command…", "run.command"),
            ("Run a &Task…", "run.task"),
            ("&Stop", "run.stop"),
            LINE,
            ("Show R&uns", "run.show"),
        ],
    ),
    (
        "&Terminal",
        &[
            ("New Terminal on This &Computer", "terminal.here"),
            ("New Terminal in the &Session", "terminal.session"),
            LINE,
            ("Ne&xt Terminal", "terminal.next"),
            ("&Previous Terminal", "terminal.previous"),
        ],
    ),
    (
        "&Sync",
        &[
            ("&Show Sync", "sync.show"),
            ("Next &Conflict", "sync.conflict"),
            ("&Try the Server Now", "sync.retry"),
            LINE,
            ("&Upload to the Server…", "sync.upload"),
        ],
    ),
    (
        "&Help",
        &[
            ("&Keyboard Shortcuts", "find.keys"),
            LINE,
            ("Sign &in to a Server…", "app.signIn"),
            ("&Account and Devices", "app.account"),
        ],
    ),
];

/// Makes the menu.
pub(super) fn build<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<Menu<R>> {
    let menu = Menu::new(app)?;
    if cfg!(target_os = "macos") {
        menu.append(&of_program(app)?)?;
    }
    for (title, entries) in MENUS {
        let submenu = Submenu::new(app, title, true)?;
        if cfg!(target_os = "macos") && *title == "&Edit" {
            edit(app, &submenu)?;
        }
        for (words, action) in *entries {
            if *action == QUIT && cfg!(target_os = "macos") {
                continue;
            }
            if action.is_empty() {
                submenu.append(&PredefinedMenuItem::separator(app)?)?;
            } else {
                submenu.append(&MenuItem::with_id(app, action, words, true, None::<&str>)?)?;
            }
        }
        menu.append(&submenu)?;
    }
    Ok(menu)
}

/// The menu that bears the program's name on macOS.
fn of_program<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<Submenu<R>> {
    Submenu::with_items(
        app,
        "Slipway",
        true,
        &[
            &PredefinedMenuItem::about(app, None, None)?,
            &PredefinedMenuItem::separator(app)?,
            &PredefinedMenuItem::services(app, None)?,
            &PredefinedMenuItem::separator(app)?,
            &PredefinedMenuItem::hide(app, None)?,
            &PredefinedMenuItem::hide_others(app, None)?,
            &PredefinedMenuItem::show_all(app, None)?,
            &PredefinedMenuItem::separator(app)?,
            &PredefinedMenuItem::quit(app, None)?,
        ],
    )
}

/// macOS gives the keys of these to a program only through its menu.
fn edit<R: Runtime>(app: &AppHandle<R>, submenu: &Submenu<R>) -> tauri::Result<()> {
    submenu.append_items(&[
        &PredefinedMenuItem::undo(app, None)?,
        &PredefinedMenuItem::redo(app, None)?,
        &PredefinedMenuItem::separator(app)?,
        &PredefinedMenuItem::cut(app, None)?,
        &PredefinedMenuItem::copy(app, None)?,
        &PredefinedMenuItem::paste(app, None)?,
        &PredefinedMenuItem::select_all(app, None)?,
        &PredefinedMenuItem::separator(app)?,
    ])
}

/// Somebody chose an item.
pub(super) fn chosen<R: Runtime>(app: &AppHandle<R>, event: &MenuEvent) {
    let id = event.id().as_ref();
    let mut actions = MENUS.iter().flat_map(|(_, entries)| *entries);
    if id == QUIT {
        frame::close(app);
    } else if actions.any(|(_, action)| *action == id) {
        let action = id.to_owned();
        app.state::<Arc<Shell>>().voice.tell(Told::Menu { action });
    }
}

/// Hides the menu until it is asked for, where it would take room from the page.
#[cfg(target_os = "linux")]
pub(super) fn attach<R: Runtime>(window: &WebviewWindow<R>) {
    use gtk::prelude::*;
    let bar = window.default_vbox().ok().and_then(|vbox| {
        let mut children = vbox.children().into_iter();
        children.find_map(|child| child.downcast::<gtk::MenuBar>().ok())
    });
    if let (Some(bar), Ok(frame)) = (bar, window.gtk_window()) {
        by_alt(&frame, &bar);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn attach<R: Runtime>(_window: &WebviewWindow<R>) {}

/// Alt, pressed and let go with nothing in between, shows the bar and goes into it; it hides when it is left.
#[cfg(target_os = "linux")]
fn by_alt(frame: &gtk::ApplicationWindow, bar: &gtk::MenuBar) {
    use std::cell::Cell;
    use std::rc::Rc;

    use gtk::gdk::keys::constants::Alt_L;
    use gtk::glib::Propagation;
    use gtk::prelude::*;

    bar.set_no_show_all(true);
    bar.hide();
    bar.connect_deactivate(|bar| bar.hide());
    let alone = Rc::new(Cell::new(false));
    let pressed = Rc::clone(&alone);
    frame.connect_key_press_event(move |_, key| {
        pressed.set(key.keyval() == Alt_L);
        Propagation::Proceed
    });
    let clicked = Rc::clone(&alone);
    frame.connect_button_press_event(move |_, _| {
        clicked.set(false);
        Propagation::Proceed
    });
    let bar = bar.clone();
    frame.connect_key_release_event(move |_, key| {
        if alone.take() && key.keyval() == Alt_L {
            bar.show();
            bar.select_first(false);
        }
        Propagation::Proceed
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every string of the page's sources that looks like an action's id.
    fn ids_of_the_page() -> String {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src-ui/src");
        let mut all = String::new();
        for entry in walkdir::WalkDir::new(page).into_iter().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if (name.ends_with(".ts") || name.ends_with(".tsx")) && !name.contains(".test.") {
                all.push_str(&std::fs::read_to_string(entry.path()).unwrap());
            }
        }
        all
    }

    #[test]
    fn every_item_names_an_action_that_the_page_has() {
        let page = ids_of_the_page();
        for (title, entries) in MENUS {
            for (words, action) in entries.iter().filter(|entry| **entry != LINE) {
                let found = page.contains(&format!("\"{action}\""));
                assert!(found, "{title}, {words}: the page has no action {action}");
            }
        }
    }
}
