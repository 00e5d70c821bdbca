//! A disk that is full: nothing is torn, everybody is told, and it goes on by itself when there is room.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::path::RelPath;
use slipway_mirror::local::Expect;
use slipway_mirror::notice::Notice;

use super::{Seat, tree, tree_of};

/// A wait for a condition, bounded so that a failure ends.
const BOUND: Duration = Duration::from_secs(20);
const DISK: &str = "/tmp/small";

/// In memory, in a namespace where we may mount one.
#[test]
fn a_full_disk_tears_nothing_and_goes_on_when_there_is_room() {
    let left_out = on_a_disk_of_its_own(
        &["--user", "--map-root-user", "--mount"],
        &format!("mount -t tmpfs -o size=16m none {DISK}"),
    );
    if let Some(why) = left_out {
        println!("SKIP a_full_disk_tears_nothing_and_goes_on_when_there_is_room: {why}");
    }
}

/// A real one, which gives out its room late; only root may have it.
#[test]
fn a_full_disk_on_a_loop_device_does_no_harm_either() {
    let left_out = on_a_disk_of_its_own(
        &["--mount"],
        &format!(
            "truncate -s 16m /tmp/image && mkfs.ext4 -q -m 0 /tmp/image && mount -o loop /tmp/image {DISK}"
        ),
    );
    if let Some(why) = left_out {
        println!("SKIP a_full_disk_on_a_loop_device_does_no_harm_either: {why}");
    }
}

/// Runs the test below where `mount` put a disk of its own; tells why where that cannot be.
fn on_a_disk_of_its_own(namespaces: &[&str], mount: &str) -> Option<String> {
    let program = std::env::current_exe().unwrap();
    let script = format!(
        "mount -t tmpfs none /tmp && mkdir {DISK} && {mount} || exit 77
        exec {} --ignored --exact full::on_a_small_disk --nocapture",
        program.display()
    );
    let run = Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", &script])
        .output();
    match run {
        Ok(output) if output.status.success() => None,
        Ok(output) if output.status.code() == Some(77) || output.stdout.is_empty() => {
            Some("it cannot be mounted here".to_owned())
        }
        Err(error) => Some(error.to_string()),
        Ok(output) => panic!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn large(byte: u8) -> Bytes {
    vec![byte; 1 << 20].into()
}

fn fill(disk: &Path) -> PathBuf {
    let filler = disk.join("filler");
    // It ends with the last byte of the disk.
    std::fs::write(&filler, vec![0; 32 << 20]).unwrap_err();
    filler
}

/// Not a test by itself: it wants a disk of sixteen mebibytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the process of another test"]
async fn on_a_small_disk() {
    let disk = Path::new(DISK);
    if !disk.exists() {
        return;
    }
    let folder = tempfile::tempdir_in(disk).unwrap();
    std::fs::create_dir(folder.path().join("work")).unwrap();
    let seat = Seat::on(folder);
    let mut notices = seat.engine.notices();
    seat.write("kept.txt", "kept\n");
    seat.hub.edit(&path("theirs.bin"), Some(large(1)));
    seat.hub.rest().await;
    let before = tree(&seat.file(""));
    let filler = fill(disk);
    // Of the hub.
    seat.hub.edit(&path("theirs.bin"), Some(large(2)));
    let told = tokio::time::timeout(BOUND, notices.recv()).await;
    let told = told.expect("within the bound").unwrap();
    assert!(
        matches!(
            &told,
            Notice::Blocked {
                code: Code::DiskFull,
                ..
            }
        ),
        "{told:?}"
    );
    // Of a person.
    let saved = seat
        .engine
        .write(path("kept.txt"), large(3), Expect::Any, None);
    assert_eq!(saved.await.unwrap_err().code(), Code::DiskFull);
    assert_eq!(tree(&seat.file("")), before, "nothing was touched");
    std::fs::remove_file(&filler).unwrap();
    seat.hub.rest().await;
    assert_eq!(tree(&seat.file("")), tree_of(&seat.hub));
    assert_eq!(tree_of(&seat.hub)["theirs.bin"], Some(large(2).to_vec()));
    let saved = seat.engine.write(
        path("kept.txt"),
        Bytes::from_static(b"changed\n"),
        Expect::Any,
        None,
    );
    saved.await.unwrap();
    seat.hub.rest().await;
    assert_eq!(tree_of(&seat.hub)["kept.txt"], Some(b"changed\n".to_vec()));
}
