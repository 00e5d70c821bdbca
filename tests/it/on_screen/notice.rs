//! A long run ends while nobody looks at the window: the system tells of it.
use super::bus::Bus;
use super::window::Window;
use super::{Scene, holds};

/// Longer than anybody waits for whom it is not told; in two halves, for those who wait for the program.
const LONG: &str = "import time
print('ebb', flush=True)
time.sleep(16)
print('flood', flush=True)
time.sleep(16)
";

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_long_run_is_told_by_the_system() {
    let scene = Scene::set().await;
    scene.write("long.py", LONG).await;
    let notices = scene.desk.path("notices.log");
    let mut bus = Bus::start(&scene.desk, true);
    bus.keeps_notices(&scene.desk, &notices);
    let window = Window::open_on(bus, &scene.desk, &["open", "tides"]).await;
    window.edit("long.py", "import").await;
    window.act("Run this file").await;
    window.part_says(".panel", "ebb").await;
    window.part_says(".panel", "flood").await;
    window.is_put_away().await;
    holds(&notices, "The run in tides is done").await;
    holds(&notices, "python").await;
    window.close().await;
}
