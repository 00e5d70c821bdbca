//! Terminals of this computer: they outlive the window, and a flood is stopped by a key.
use super::window::Window;
use crate::command_line::desk::Desk;

/// Ends the agents of a desk, which outlive its windows.
struct Agents(std::path::PathBuf);

impl Drop for Agents {
    fn drop(&mut self) {
        for record in std::fs::read_dir(self.0.join("terminals"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let record = std::fs::read(record.path().join("agent.json")).unwrap_or_default();
            let record: serde_json::Value = serde_json::from_slice(&record).unwrap_or_default();
            let pid = record["pid"]
                .as_i64()
                .and_then(|pid| i32::try_from(pid).ok());
            if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
            }
        }
    }
}

async fn with_a_terminal(desk: &Desk) -> Window {
    std::fs::create_dir(desk.path("tides")).expect("a folder");
    std::fs::write(desk.path("tides/notes.md"), "# Notes\n").expect("a file");
    let window = Window::open(desk, &["open", "tides"]).await;
    window.see("treeitem", "~notes.md").await;
    window.act("New terminal on this computer").await;
    window.click_on(".xterm").await;
    // What a prompt looks like is the machine's own affair.
    window.keys("echo re\"\"ady\n").await;
    window.terminal_says("ready").await;
    window
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_outlives_the_window() {
    let desk = Desk::new();
    let _agents = Agents(desk.state());
    let window = with_a_terminal(&desk).await;
    window
        .keys("pwd; echo be\"\"fore; read line; echo af\"\"ter=$line\n")
        .await;
    window.terminal_says("before").await;
    window.terminal_says("work/tides").await;
    window.picture("before").await;
    window.kill();

    let window = Window::open(&desk, &[]).await;
    window.terminal_says("before").await;
    window.picture("again").await;
    window.click_on(".xterm").await;
    window.keys("tide\n").await;
    window.terminal_says("after=tide").await;
    // And once more, when the window was closed as it should be.
    window.close().await;
    let window = Window::open(&desk, &[]).await;
    window.terminal_says("after=tide").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_stopped_by_a_key() {
    let desk = Desk::new();
    let _agents = Agents(desk.state());
    let window = with_a_terminal(&desk).await;
    window.keys("yes\n").await;
    window.terminal_says("yyyyyyyy").await;
    // Meanwhile the page goes on.
    for _ in 0..100 {
        window.until("the page", "document.body !== null").await;
    }
    window.press("Control+c").await;
    window.keys("echo cal\"\"m\n").await;
    window.terminal_says("calm").await;
    window.picture("calm").await;
}
