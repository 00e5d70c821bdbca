//! Which folders are taken, and which are refused.
use super::*;

struct Lab {
    folder: tempfile::TempDir,
    folders: Folders,
}

fn workspace(id: u8) -> Workspace {
    let json = serde_json::json!({
        "id": format!("0199aaaa-0000-7000-8000-0000000000{id:02}"), "name": format!("w{id}"),
        "template": "empty", "head": 1, "entries": 0, "bytes": 0,
        "created_at": "2026-01-01T00:00:00Z", "changed_at": "2026-01-01T00:00:00Z",
    });
    serde_json::from_value(json).unwrap()
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        let folders = Folders::new(&folder.path().join("state"));
        Self { folder, folders }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn take(&self, name: &str, id: u8) -> Result<Folder, &'static str> {
        let server = Address::parse("localhost:1").unwrap();
        let taken = self.folders.take(&self.path(name), &server, &workspace(id));
        taken.map_err(|error| error.code())
    }
}

#[test]
fn a_folder_is_taken_once_and_found_again() {
    let lab = Lab::new();
    let taken = lab.take("a", 1).unwrap();
    std::fs::write(lab.path("a/mine.txt"), "mine").unwrap();
    assert_eq!(lab.take("a", 1).unwrap(), taken);
    assert_eq!(lab.take("a", 2), Err("folder_taken"));
    let inside = lab.folders.around(&lab.path("a/mine.txt")).unwrap();
    assert_eq!(inside.as_ref(), Some(&taken));
    assert_eq!(lab.folders.around(lab.folder.path()).unwrap(), None);
    let missing = lab.folders.around(&lab.path("a/never")).unwrap_err();
    assert!(matches!(missing, CliError::Folder(FolderError::Missing(_))));
}

#[test]
fn a_folder_shows_what_its_workspace_is_called_by_now_and_keeps_its_own_name() {
    let lab = Lab::new();
    let server = Address::parse("localhost:1").unwrap();
    let (first, second) = (lab.take("a", 1).unwrap(), lab.take("b", 2).unwrap());
    let renamed = |id, name: &str| Workspace {
        name: name.to_owned(),
        ..workspace(id)
    };
    let elsewhere = Address::parse("localhost:2").unwrap();
    lab.folders
        .hear_names(&elsewhere, &[renamed(1, "other")])
        .unwrap();
    assert_eq!(lab.folders.all().unwrap(), [first.clone(), second.clone()]);
    lab.folders
        .hear_names(&server, &[renamed(1, "moon"), renamed(3, "sun")])
        .unwrap();
    let moon = Folder {
        name: "moon".to_owned(),
        ..first
    };
    assert_eq!(lab.folders.all().unwrap(), [moon, second]);
    // Taken once more, it is known under the newest.
    let path = lab.path("b");
    let taken = lab.folders.take(&path, &server, &renamed(2, "sea"));
    assert_eq!(taken.unwrap().name, "sea");
    assert_eq!(lab.folders.at(&path).unwrap().unwrap().name, "sea");
}

#[test]
fn what_must_not_be_taken_is_refused_by_name() {
    let lab = Lab::new();
    std::fs::create_dir_all(lab.path("outer/inner")).unwrap();
    lab.take("outer/inner", 1).unwrap();
    std::fs::create_dir(lab.path("full")).unwrap();
    std::fs::write(lab.path("full/x"), "x").unwrap();
    std::os::unix::fs::symlink(lab.path("full"), lab.path("link")).unwrap();
    for (name, code) in [
        ("outer/inner/deep", "folder_inside"),
        ("outer", "folder_around"),
        ("full", "folder_not_empty"),
        ("full/x", "not_a_folder"),
        ("link", "folder_is_link"),
        ("link/", "folder_is_link"),
        ("", "folder_around"),
        ("state/x", "folder_is_state"),
        ("missing/x", "file"),
    ] {
        assert_eq!(lab.take(name, 2).map(drop), Err(code), "{name}");
    }
    assert_eq!(std::fs::read(lab.path("full/x")).unwrap(), b"x");
    assert!(!lab.path("outer/inner/deep").exists(), "nothing was made");
}

#[test]
fn another_folder_in_the_same_place_is_another_folder() {
    let lab = Lab::new();
    let first = lab.take("a", 1).unwrap();
    std::fs::remove_dir(lab.path("a")).unwrap();
    std::fs::create_dir(lab.path("a")).unwrap();
    std::fs::write(lab.path("a/x"), "x").unwrap();
    assert_eq!(lab.take("a", 1), Err("folder_not_empty"));
    std::fs::remove_file(lab.path("a/x")).unwrap();
    let second = lab.take("a", 1).unwrap();
    assert_ne!(first.replica, second.replica);
    assert_eq!(lab.folders.all().unwrap(), [second]);
}

#[test]
fn a_folder_with_files_is_opened_as_it_is_and_never_becomes_a_copy_of_another_workspace() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("full")).unwrap();
    std::fs::write(lab.path("full/x"), "x").unwrap();
    let opened = lab.folders.open(&lab.path("full")).unwrap();
    assert_eq!((opened.name.as_str(), &opened.remote), ("full", &None));
    assert_eq!(lab.folders.open(&lab.path("full")).unwrap(), opened);
    assert_eq!(lab.take("full", 1), Err("folder_taken"));
    let inside = lab.folders.open(&lab.path("full/x"));
    assert_eq!(
        inside.map_err(|error| error.code()).map(drop),
        Err("not_a_folder")
    );
    let missing = lab.folders.open(&lab.path("missing"));
    assert_eq!(
        missing.map_err(|error| error.code()).map(drop),
        Err("not_a_folder")
    );
    lab.folders.forget(&opened).unwrap();
    assert_eq!(lab.folders.all().unwrap(), []);
    assert_eq!(std::fs::read(lab.path("full/x")).unwrap(), b"x");
    // A copy is opened as what it is.
    let copy = lab.take("copy", 1).unwrap();
    assert_eq!(lab.folders.open(&lab.path("copy")).unwrap(), copy);
}

#[test]
fn a_workspaces_name_makes_a_file_in_this_folder() {
    assert_eq!(file_name("tides"), "tides");
    assert_eq!(file_name("../../etc/passwd"), "etc-passwd");
    assert_eq!(file_name("-"), "workspace");
    assert_eq!(file_name("a\x1b[2J\0b\u{9b}\n"), "a-[2J-b--");
}

#[test]
fn a_record_of_before_is_read() {
    let old = serde_json::json!({
        "path": "/w", "server": "http://localhost:1", "name": "w", "root": "r",
        "workspace": "0199aaaa-0000-7000-8000-000000000001",
        "replica": "0199aaaa-0000-7000-8000-000000000002",
    });
    let read: Folder = serde_json::from_value(old).unwrap();
    assert_eq!(read.remote.unwrap().server.as_str(), "http://localhost:1");
    let local = serde_json::json!({
        "path": "/w", "name": "w", "root": "r", "replica": "0199aaaa-0000-7000-8000-000000000002",
    });
    let read: Folder = serde_json::from_value(local).unwrap();
    assert_eq!(read.remote, None);
}

#[test]
fn one_process_has_a_folder_at_a_time() {
    let lab = Lab::new();
    let taken = lab.take("a", 1).unwrap();
    let lock = lab.folders.lock(&taken).unwrap();
    assert!(lock.is_some());
    assert!(lab.folders.lock(&taken).unwrap().is_none());
    drop(lock);
    assert!(lab.folders.lock(&taken).unwrap().is_some());
}
