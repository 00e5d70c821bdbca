//! One window of the program, and what a person does and sees there.
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::MOMENT;
use super::bus::Bus;
use super::driver::{Driver, Fault};
use crate::command_line::desk::Desk;
use crate::lab::PATIENCE;

/// Whether what matches a selector says something.
const SAYS: &str = "[...document.querySelectorAll(given[0])].filter(shown)\
                    .some((one) => one.textContent.replaceAll('\\u00a0', ' ').includes(given[1]))";

/// A window of the program.
pub(super) struct Window {
    driver: Driver,
    pictures: Pictures,
    /// Ends after the program.
    _bus: Option<Bus>,
}

/// Where a test leaves its pictures, which are looked at.
#[derive(Clone)]
struct Pictures {
    test: String,
    folder: PathBuf,
}

impl Pictures {
    fn of_this_test() -> Self {
        let test = std::thread::current().name().unwrap_or("main").to_owned();
        let test = test.rsplit("::").next().unwrap_or_default().to_owned();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/desktop-shots");
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        Self { test, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{}-{name}", self.test))
    }
}

impl Window {
    /// Opens the window as `slipway ARGUMENTS` does, and waits for its page.
    pub(super) async fn open(desk: &Desk, arguments: &[&str]) -> Self {
        Self::open_among(desk, arguments, &[], None).await
    }

    /// Opens it on a bus with a keychain that is unlocked or not.
    pub(super) async fn open_with_keychain(desk: &Desk, unlocked: bool) -> Self {
        Self::open_on(Bus::start(desk, unlocked), desk, &[]).await
    }

    /// Opens it on a bus.
    pub(super) async fn open_on(bus: Bus, desk: &Desk, arguments: &[&str]) -> Self {
        bus.serves().await;
        let around = [("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus.address.clone())];
        Self::open_among(desk, arguments, &around, Some(bus)).await
    }

    async fn open_among(
        desk: &Desk,
        arguments: &[&str],
        around: &[(String, String)],
        bus: Option<Bus>,
    ) -> Self {
        let pictures = Pictures::of_this_test();
        let says = pictures.path("says.log");
        let driver = Driver::start(desk, arguments, around, &says).await;
        let window = Self {
            driver,
            pictures,
            _bus: bus,
        };
        window
            .until("the page", "document.querySelector('main, .ide')")
            .await;
        window
    }

    /// The display on which it is.
    pub(super) fn display(&self) -> &str {
        self.driver.display()
    }

    /// Ends the program as the kernel does when memory is out.
    pub(super) fn kill(self) {
        let program = self.driver.program().expect("the program lives");
        rustix::process::kill_process(program, rustix::process::Signal::KILL).expect("it lives");
    }

    /// Closes the window as a person does, and waits until the program has ended.
    pub(super) async fn close(self) {
        let program = self.driver.program().expect("the program lives");
        let ended = rustix::process::pidfd_open(program, rustix::process::PidfdFlags::empty());
        let ended = ended.expect("it lives");
        rustix::process::kill_process(program, rustix::process::Signal::TERM).expect("it lives");
        let wait = move || {
            use rustix::event::{PollFd, PollFlags, poll};
            let patience = PATIENCE.try_into().expect("a time");
            poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&patience))
        };
        let ended = tokio::task::spawn_blocking(wait).await;
        assert_eq!(ended.expect("no panic"), Ok(1), "it ends in time");
    }

    /// Waits for what an expression of the page says, until it says something.
    pub(super) async fn until(&self, what: &str, expression: &str) -> Value {
        self.until_with(what, expression, &[]).await
    }

    async fn until_with(&self, what: &str, expression: &str, arguments: &[Value]) -> Value {
        let end = Instant::now() + PATIENCE;
        let script = format!(
            "{}\nconst given = arguments;\ntry {{ return ({expression}) || null; }} catch {{ return null; }}",
            include_str!("page.js"),
        );
        loop {
            match self.driver.script(&script, arguments).await {
                Ok(answer) if !answer.is_null() => return answer,
                // A page that is being loaded answers nothing.
                Ok(_) | Err(_) if Instant::now() < end => tokio::time::sleep(MOMENT).await, // waits: a page tells nobody
                last => {
                    self.fail(&format!("waited in vain for {what}: {last:?}"))
                        .await;
                }
            }
        }
    }

    /// Waits until an element is shown.
    pub(super) async fn see(&self, kind: &str, name: &str) -> Value {
        let arguments = [json!(kind), json!(name)];
        let element = self
            .until_with(
                &format!("the {kind} {name:?}"),
                "by(given[0], given[1])",
                &arguments,
            )
            .await;
        assert!(Driver::is_element(&element), "{element}");
        element
    }

    /// Waits until no such element is shown.
    pub(super) async fn miss(&self, kind: &str, name: &str) {
        let arguments = [json!(kind), json!(name)];
        let what = format!("no {kind} {name:?}");
        self.until_with(&what, "!by(given[0], given[1])", &arguments)
            .await;
    }

    /// Waits until the page says something, wherever.
    pub(super) async fn says(&self, text: &str) {
        let what = format!("the words {text:?}");
        self.until_with(
            &what,
            "plain(document.body.innerText).includes(given[0])",
            &[json!(text)],
        )
        .await;
    }

    /// Waits until what matches a selector says something.
    pub(super) async fn part_says(&self, selector: &str, text: &str) {
        let what = format!("the words {text:?} in {selector}");
        self.until_with(&what, SAYS, &[json!(selector), json!(text)])
            .await;
    }

    /// Whether what matches a selector says something now.
    pub(super) async fn shows(&self, selector: &str, text: &str) -> bool {
        let script = format!(
            "{}\nconst given = arguments;\nreturn {SAYS}",
            include_str!("page.js")
        );
        let arguments = [json!(selector), json!(text)];
        let shown = self.driver.script(&script, &arguments).await;
        shown.is_ok_and(|shown| shown == true)
    }

    /// Gives the window another size, as a person does who pulls at its edge, and waits until its page has it.
    pub(super) async fn resize(&self, width: u32, height: u32) {
        let (wide, high) = (width.to_string(), height.to_string());
        assert!(self.finds("Slipway", &["windowsize", &wide, &high]).await);
        self.has_size(width, height).await;
    }

    /// Waits until its page is so large.
    pub(super) async fn has_size(&self, width: u32, height: u32) {
        let what = format!("{width} by {height}");
        let expression = "innerWidth === given[0] && innerHeight === given[1]";
        self.until_with(&what, expression, &[json!(width), json!(height)])
            .await;
    }

    /// Clicks.
    pub(super) async fn click(&self, kind: &str, name: &str) {
        let element = self.see(kind, name).await;
        self.done(self.driver.click(&element, 1).await).await;
    }

    /// Clicks twice.
    pub(super) async fn double_click(&self, kind: &str, name: &str) {
        let element = self.see(kind, name).await;
        self.done(self.driver.click(&element, 2).await).await;
    }

    /// Clicks on what a selector finds.
    pub(super) async fn click_on(&self, selector: &str) {
        let expression = "[...document.querySelectorAll(given[0])].find(shown)";
        let element = self
            .until_with(selector, expression, &[json!(selector)])
            .await;
        self.done(self.driver.click(&element, 1).await).await;
    }

    /// Types into a field what it shall hold.
    pub(super) async fn fill(&self, name: &str, text: &str) {
        self.click("textbox", name).await;
        self.press("Control+a").await;
        self.keys(text).await;
    }

    /// Types at whatever has the focus.
    pub(super) async fn keys(&self, text: &str) {
        let keys: Vec<Vec<char>> = text.chars().map(|one| vec![of_character(one)]).collect();
        self.done(self.driver.keys(&keys).await).await;
    }

    /// Presses keys together, as in "Control+Shift+F".
    pub(super) async fn press(&self, chord: &str) {
        let keys = chord.split('+').map(of_name).collect();
        self.done(self.driver.keys(&[keys]).await).await;
    }

    /// Opens a file of the tree and puts the caret at its start.
    pub(super) async fn edit(&self, name: &str, holds: &str) {
        self.double_click("treeitem", &format!("~{name}")).await;
        self.part_says(".monaco-editor .view-lines", holds).await;
        self.click_on(".monaco-editor .view-lines").await;
        self.press("Control+Home").await;
    }

    /// Waits until the terminal shows something.
    pub(super) async fn terminal_says(&self, text: &str) {
        self.part_says(".xterm-rows", text).await;
    }

    /// Waits until the system's own dialog with this title stands before the window.
    pub(super) async fn opens_dialog(&self, title: &str) {
        let found = async || self.finds(title, &[]).await;
        super::eventually(&format!("the dialog {title:?}"), found).await;
    }

    /// Takes the window off the display, as a person does who turns to something else.
    pub(super) async fn is_put_away(&self) {
        assert!(self.finds("Slipway", &["windowunmap"]).await);
    }

    /// Whether the display shows a window of this title, with which something is done.
    async fn finds(&self, title: &str, then: &[&str]) -> bool {
        let mut search = tokio::process::Command::new("xdotool");
        search.args(["search", "--onlyvisible", "--name", title]);
        let search = search.args(then).env("DISPLAY", self.display());
        let search = search.output().await;
        search.expect("xdotool is installed").status.success()
    }

    /// Takes an action of the command box.
    pub(super) async fn act(&self, title: &str) {
        self.press("F1").await;
        self.see("combobox", "~Search").await;
        self.keys(title).await;
        self.click("option", &format!("~{title}")).await;
    }

    /// Keeps a picture of the window, to be looked at.
    pub(super) async fn picture(&self, name: &str) {
        // What is still fading in is neither here nor there.
        let still = "document.getAnimations().every((one) => one.playState !== 'running' \
                     || one.effect?.getComputedTiming().iterations === Infinity)";
        self.until("a still picture", still).await;
        self.keep(name).await.expect("a picture");
    }

    async fn keep(&self, name: &str) -> Result<(), Fault> {
        let picture = self.driver.picture().await?;
        let picture = base64::engine::general_purpose::STANDARD.decode(picture);
        let path = self.pictures.path(&format!("{name}.png"));
        std::fs::write(path, picture.expect("base64")).expect("a file");
        Ok(())
    }

    async fn done(&self, result: Result<(), Fault>) {
        if let Err(fault) = result {
            self.fail(&format!("{fault:?}")).await;
        }
    }

    async fn fail(&self, why: &str) -> ! {
        self.keep("failed").await.ok();
        let words = self
            .driver
            .script("return document.body.innerText", &[])
            .await;
        panic!(
            "{why}\nThe page says: {words:?}\nA picture: {}",
            self.pictures.path("failed.png").display()
        );
    }
}

/// WebDriver's character of a key that is one.
fn of_character(character: char) -> char {
    match character {
        '\n' | '\r' => of_name("Enter"),
        '\t' => of_name("Tab"),
        other => other,
    }
}

/// WebDriver's character of a key that has a name.
fn of_name(name: &str) -> char {
    match name {
        "Alt" => '\u{e00a}',
        "ArrowDown" => '\u{e015}',
        "ArrowLeft" => '\u{e012}',
        "ArrowRight" => '\u{e014}',
        "ArrowUp" => '\u{e013}',
        "Backspace" => '\u{e003}',
        "Control" => '\u{e009}',
        "Delete" => '\u{e017}',
        "End" => '\u{e010}',
        "Enter" => '\u{e007}',
        "Escape" => '\u{e00c}',
        "F1" => '\u{e031}',
        "F6" => '\u{e036}',
        "F7" => '\u{e037}',
        "Home" => '\u{e011}',
        "Shift" => '\u{e008}',
        "Tab" => '\u{e004}',
        one => one.chars().next().expect("a key"),
    }
}
