//! Which folders are watched anew, and what is heard.
use std::collections::HashSet;

use notify::event::{EventKind, ModifyKind, RemoveKind, RenameMode};

use super::*;

type Calls = Arc<Mutex<Vec<String>>>;

/// A folder `a` that is always there.
struct Noting(Calls);

impl Source for Noting {
    fn inode(&self, _: &Path) -> Option<u64> {
        Some(1)
    }
    fn watch(&mut self, folder: &Path) -> notify::Result<()> {
        self.note("watch", folder);
        Ok(())
    }
    fn unwatch(&mut self, folder: &Path) {
        self.note("unwatch", folder);
    }
}

impl Noting {
    fn note(&self, call: &str, folder: &Path) {
        let call = format!("{call} {}", folder.display());
        self.0.lock().unwrap().push(call);
    }
}

#[test]
fn only_a_folder_that_may_be_another_by_now_is_forgotten_by_the_source() {
    let (calls, ear) = (Calls::default(), Ear::default());
    let source = Box::new(Noting(Arc::clone(&calls)));
    let mut watch = Watch::with(Some(source), ear.clone());
    let called = || std::mem::take(&mut *calls.lock().unwrap());
    let folder = Path::new("a");
    watch.add(folder);
    watch.add(folder);
    assert_eq!(called(), ["watch a"]);
    let gone = Event::new(EventKind::Remove(RemoveKind::Folder));
    ear.hear(Ok(gone.add_path(folder.to_owned())));
    assert!(watch.take().is_some());
    watch.add(folder);
    assert_eq!(called(), ["unwatch a", "watch a"]);
    watch.distrust();
    watch.add(folder);
    assert_eq!(called(), ["unwatch a", "watch a"]);
    watch.distrust();
    watch.distrust();
    watch.add(folder);
    assert_eq!(called(), ["unwatch a", "watch a"]);
}

#[test]
fn of_too_much_to_remember_no_watch_is_begun_anew() {
    let (calls, ear) = (Calls::default(), Ear::default());
    let source = Box::new(Noting(Arc::clone(&calls)));
    let mut watch = Watch::with(Some(source), ear.clone());
    let folder = Path::new("a");
    watch.add(folder);
    for number in 0..=DIRTY_MAX {
        let event = Event::new(EventKind::Modify(ModifyKind::Name(RenameMode::To)));
        ear.hear(Ok(event.add_path(folder.join(number.to_string()))));
    }
    assert!(matches!(watch.take(), Some(Hint::Everything)));
    watch.add(folder);
    assert_eq!(*calls.lock().unwrap(), ["watch a"]);
    ear.hear(Err(notify::Error::generic("lost")));
    assert!(matches!(watch.take(), Some(Hint::Everything)));
    watch.add(folder);
    assert_eq!(calls.lock().unwrap().len(), 3);
}

#[test]
fn a_file_that_is_read_is_no_news() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let mut watch = Watch::new();
    watch.add(folder.path());
    std::fs::read(&file).unwrap();
    let other = folder.path().join("other");
    std::fs::write(&other, "text").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let heard = runtime.unwrap().block_on(async {
        let mut all = HashSet::new();
        // Events come in order: what is told of the first would come before this.
        while !all.contains(&other) {
            watch.heard().await;
            if let Some(Hint::Paths(paths)) = watch.take() {
                all.extend(paths.into_iter().map(|(path, _)| path));
            }
        }
        all
    });
    assert!(!heard.contains(&file));
}
