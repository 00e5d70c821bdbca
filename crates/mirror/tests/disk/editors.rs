//! How editors save: whatever they do beside it, the hub hears of one change of the file, and never that it went.
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use slipway_core::path::RelPath;
use slipway_sync::node::Node;

use super::{Seat, tree, tree_of};

const BEFORE: &str = "one\n";
const AFTER: &str = "two\n";

/// Saves `main.py` in this folder.
type Save = fn(&Path);

fn truncate_and_write(folder: &Path) {
    fs::write(folder.join("main.py"), AFTER).unwrap();
}

/// As a program does that is slow between the two.
fn truncate_and_write_later(folder: &Path) {
    let mut file = File::create(folder.join("main.py")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50)); // waits: longer than changes gather
    file.write_all(AFTER.as_bytes()).unwrap();
}

/// A large buffer goes out in several writes.
fn truncate_and_write_in_pieces(folder: &Path) {
    let mut file = File::create(folder.join("main.py")).unwrap();
    for byte in AFTER.as_bytes() {
        file.write_all(&[*byte]).unwrap();
    }
}

fn write_beside_and_rename(folder: &Path) {
    let side = folder.join(".main.py.swp");
    fs::write(&side, AFTER).unwrap();
    fs::rename(&side, folder.join("main.py")).unwrap();
}

/// With `backupcopy=no`: a probe for what the folder allows, the old file renamed away, the new one made.
fn vim(folder: &Path) {
    let (file, backup) = (folder.join("main.py"), folder.join("main.py~"));
    let swap = folder.join(".main.py.swp");
    fs::write(&swap, "swap").unwrap();
    drop(File::create_new(folder.join("4913")).unwrap());
    fs::remove_file(folder.join("4913")).unwrap();
    fs::rename(&file, &backup).unwrap();
    let mut new = File::create_new(&file).unwrap();
    new.write_all(AFTER.as_bytes()).unwrap();
    new.sync_all().unwrap();
    fs::remove_file(&backup).unwrap();
    fs::remove_file(&swap).unwrap();
}

/// A link that leads nowhere says who edits; the backup stays.
fn emacs(folder: &Path) {
    let (file, lock) = (folder.join("main.py"), folder.join(".#main.py"));
    symlink("ana@laptop.4711:1700000000", &lock).unwrap();
    fs::write(folder.join("#main.py#"), "unsaved").unwrap();
    fs::rename(&file, folder.join("main.py~")).unwrap();
    let mut new = File::create_new(&file).unwrap();
    new.write_all(AFTER.as_bytes()).unwrap();
    new.sync_all().unwrap();
    fs::remove_file(folder.join("#main.py#")).unwrap();
    fs::remove_file(&lock).unwrap();
    fs::remove_file(folder.join("main.py~")).unwrap();
}

fn jetbrains(folder: &Path) {
    let file = folder.join("main.py");
    let (new, old) = (
        folder.join("main.py___jb_tmp___"),
        folder.join("main.py___jb_old___"),
    );
    fs::write(&new, AFTER).unwrap();
    fs::rename(&file, &old).unwrap();
    fs::rename(&new, &file).unwrap();
    fs::remove_file(&old).unwrap();
}

fn sed(folder: &Path) {
    let mut sed = Command::new("sed");
    sed.args(["-i", "s/one/two/", "main.py"])
        .current_dir(folder);
    assert!(sed.status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_is_one_change_however_it_is_made() {
    let ways: [(&str, Save); 8] = [
        ("truncate and write", truncate_and_write),
        ("truncate, and write later", truncate_and_write_later),
        ("in pieces", truncate_and_write_in_pieces),
        ("beside, then over it", write_beside_and_rename),
        ("vim", vim),
        ("emacs", emacs),
        ("jetbrains", jetbrains),
        ("sed", sed),
    ];
    for (name, save) in ways {
        let seat = Seat::open();
        seat.write("main.py", BEFORE);
        seat.hub.rest().await;
        let before = seat.hub.inner().head;
        save(&seat.file(""));
        seat.hub.rest().await;
        let main = RelPath::parse("main.py").unwrap();
        let told: Vec<_> = {
            let inner = seat.hub.inner();
            let rows = inner.journal.iter();
            let rows = rows.filter(|row| row.revision > before && row.path == main);
            rows.map(|row| row.node.as_ref().and_then(Node::hash))
                .collect()
        };
        let after = slipway_core::hash::ContentHash::of(AFTER.as_bytes());
        assert_eq!(told, [Some(after)], "{name}");
        assert_eq!(tree(&seat.file("")), tree_of(&seat.hub), "{name}");
        assert_eq!(tree_of(&seat.hub).len(), 1, "{name} leaves nothing else");
    }
}
