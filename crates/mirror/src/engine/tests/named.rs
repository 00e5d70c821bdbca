//! What the hub put on the disk is not looked at again for the sake of the name that it got there.
use slipway_core::path::RelPath;

use super::deaf::Deaf;
use super::*;
use crate::engine::around::Surroundings;
use crate::watch::{Ear, Source, Touch, Watch};

/// A source that is told to watch and hears nothing.
struct Silent;

impl Source for Silent {
    fn inode(&self, folder: &std::path::Path) -> Option<u64> {
        use std::os::unix::fs::MetadataExt as _;
        Some(std::fs::symlink_metadata(folder).ok()?.ino())
    }
    fn watch(&mut self, _: &std::path::Path) -> notify::Result<()> {
        Ok(())
    }
    fn unwatch(&mut self, _: &std::path::Path) {}
}

/// A folder `d` with a file `d/a`, both of the hub.
async fn lab() -> Deaf {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("work")).unwrap();
    let around = Surroundings {
        watch: Watch::with(Some(Box::new(Silent)), Ear::default()),
        ..Surroundings::deaf()
    };
    let mut lab = Deaf::among(folder, around);
    lab.connect().await;
    lab.hub(greeting("e", true)).await;
    let listed = vec![hub::folder(1, "d"), change(1, "d/a", Some("one"))];
    lab.hub(listing(1, listed)).await;
    lab.state.sight.dirty.clear();
    lab
}

fn dirty(lab: &mut Deaf, name: &str, touch: Touch) -> bool {
    lab.state.mark([(lab.file(name), touch)]);
    let path = RelPath::parse(name).unwrap();
    lab.state.sight.dirty.remove(&path)
}

#[tokio::test]
async fn what_is_as_it_was_put_there_is_not_looked_at() {
    let mut lab = lab().await;
    assert!(!dirty(&mut lab, "d/a", Touch::Name));
    assert!(!dirty(&mut lab, "d", Touch::Name));
    assert!(dirty(&mut lab, "d/a", Touch::Any), "somebody wrote");
    assert!(dirty(&mut lab, "d/b", Touch::Name), "nobody knows it");
}

#[tokio::test]
async fn another_of_the_same_name_is_looked_at() {
    let mut lab = lab().await;
    let other = lab.file("other");
    std::fs::write(&other, "two").unwrap();
    std::fs::rename(&other, lab.file("d/a")).unwrap();
    assert!(dirty(&mut lab, "d/a", Touch::Name));
    std::fs::remove_file(lab.file("d/a")).unwrap();
    assert!(dirty(&mut lab, "d/a", Touch::Name));
    std::fs::rename(lab.file("d"), lab.file("e")).unwrap();
    assert!(dirty(&mut lab, "d", Touch::Name));
    // The number of the one that was removed may be free for it.
    std::fs::create_dir(lab.file("d")).unwrap();
    std::fs::create_dir(lab.file("f")).unwrap();
    assert!(dirty(&mut lab, "d", Touch::Name));
}

#[tokio::test]
async fn what_came_into_a_folder_before_it_was_watched_is_found() {
    let mut lab = lab().await;
    let path = RelPath::parse("d").unwrap();
    std::fs::write(lab.file("d/early"), "early").unwrap();
    lab.state.watch_made(&path);
    assert!(lab.state.sight.dirty.contains(&path));
}
