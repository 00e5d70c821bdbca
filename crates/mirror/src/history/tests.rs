//! What is kept of files, what goes, and what a file was called.
use std::time::Duration;

use redb::ReadableTableMetadata as _;

use super::kept::{BYTES_MAX, OF_PATH_BYTES_MAX, OF_PATH_MAX, VERSIONS_MAX};
use super::*;

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn content(text: &[u8]) -> Content {
    Content {
        bytes: Bytes::copy_from_slice(text),
        hash: ContentHash::of(text),
        executable: false,
    }
}

/// A save at a second.
fn save(name: &str, text: &str, second: u64) -> Change {
    Change {
        path: path(name),
        content: Some(content(text.as_bytes())),
        from: None,
        by: By::Person,
        at: at(second),
    }
}

fn gone(name: &str, second: u64) -> Change {
    Change {
        content: None,
        ..save(name, "", second)
    }
}

fn moved(from: &str, to: &str, text: &str, second: u64) -> [Change; 2] {
    let came = Change {
        from: Some(path(from)),
        ..save(to, text, second)
    };
    [gone(from, second), came]
}

/// The contents of a file's versions, the newest first; `-` where it was deleted.
fn told(history: &History, name: &str) -> Vec<String> {
    let versions = history.versions(&path(name)).unwrap().into_iter();
    versions
        .map(|version| match history.content(version.number).unwrap() {
            Some(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            None => "-".to_owned(),
        })
        .collect()
}

#[test]
fn what_was_noted_is_there_after_a_restart_and_nothing_twice() {
    let state = tempfile::tempdir().unwrap();
    let history = History::new(state.path());
    let saves = vec![
        save("a", "one", 1),
        save("a", "one", 2),
        save("b", "other", 2),
    ];
    history.note(saves).unwrap();
    history
        .note(vec![save("a", "two", 3), gone("never", 4)])
        .unwrap();
    history.store().unwrap();
    drop(history);
    let history = History::new(state.path());
    assert_eq!(told(&history, "a"), ["two", "one"]);
    assert!(told(&history, "never").is_empty());
    assert_eq!(
        history.newest(&path("a")).unwrap(),
        Some(ContentHash::of(b"two"))
    );
    history
        .note(vec![gone("a", 5), save("a", "one", 6)])
        .unwrap();
    assert_eq!(told(&history, "a"), ["one", "-", "two", "one"]);
    let versions = history.versions(&path("a")).unwrap();
    assert_eq!((versions[0].at, versions[0].by), (at(6), By::Person));
    let known = history.knows(&[path("a"), path("c")]).unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [path("a")]);
}

#[test]
fn a_file_is_told_of_under_each_name_that_it_had() {
    let state = tempfile::tempdir().unwrap();
    let history = History::new(state.path());
    history
        .note(vec![save("a", "one", 1), save("a", "two", 2)])
        .unwrap();
    history.note(moved("a", "b", "two", 3).to_vec()).unwrap();
    history.note(vec![save("a", "new here", 4)]).unwrap();
    history.note(vec![save("b", "three", 5)]).unwrap();
    assert_eq!(told(&history, "b"), ["three", "two", "two", "one"]);
    let names = history.versions(&path("b")).unwrap();
    let names: Vec<_> = names.iter().map(|version| version.path.as_str()).collect();
    assert_eq!(names, ["b", "b", "a", "a"]);
    assert_eq!(told(&history, "a"), ["new here", "-", "two", "one"]);
    // To and fro.
    history.note(moved("b", "c", "three", 6).to_vec()).unwrap();
    history.note(moved("c", "b", "three", 7).to_vec()).unwrap();
    assert_eq!(
        told(&history, "b"),
        ["three", "three", "three", "two", "two", "one"]
    );
    // Nothing is known of where it came from.
    history
        .note(moved("unknown", "d", "fresh", 8).to_vec())
        .unwrap();
    assert_eq!(told(&history, "d"), ["fresh"]);
}

#[test]
fn of_many_saves_those_stay_that_stood_longest() {
    let state = tempfile::tempdir().unwrap();
    let history = History::new(state.path());
    // A day's saves: every hour a burst of twenty, a second apart.
    let burst =
        |hour: u64| (0..20).map(move |n| save("a", &format!("{hour}.{n}"), hour * 3_600 + n));
    history.note((0..24).flat_map(burst).collect()).unwrap();
    let kept = told(&history, "a");
    assert_eq!(kept.len(), OF_PATH_MAX);
    assert_eq!(kept.first().unwrap(), "23.19");
    assert_eq!(kept.last().unwrap(), "0.0");
    for hour in 0..24 {
        let last = format!("{hour}.19");
        assert!(kept.contains(&last), "{last} stood for an hour");
    }
}

#[test]
fn what_takes_too_much_room_goes_the_oldest_first_and_its_content_with_it() {
    let place = tempfile::tempdir().unwrap();
    let history = History::new(place.path());
    // What does not pack: xorshift, by Marsaglia.
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let noise: Vec<u8> = (0..FILE_BYTES_MAX / 8).flat_map(|_| next()).collect();
    let noise = |seed: u64| [&seed.to_le_bytes(), &noise[8..]].concat();
    let large = |seed: u64| Change {
        content: Some(content(&noise(seed))),
        ..save(&format!("{seed}"), "", seed)
    };
    let many = BYTES_MAX / FILE_BYTES_MAX + 2;
    for seed in 0..many {
        history.note(vec![large(seed)]).unwrap();
    }
    let first = history.versions(&path("0")).unwrap();
    assert!(first.is_empty());
    let last = history.versions(&path(&format!("{}", many - 1))).unwrap();
    assert!(history.content(last[0].number).unwrap().is_some());
    // One path has its own share.
    for seed in many..many + 8 {
        let again = Change {
            path: path("log"),
            ..large(seed)
        };
        history.note(vec![again]).unwrap();
    }
    let of_log = history.versions(&path("log")).unwrap().len() as u64;
    assert_eq!(
        of_log,
        OF_PATH_BYTES_MAX / FILE_BYTES_MAX - 1,
        "noise packs to a little more"
    );
    let too_large = Change {
        content: Some(content(&vec![7; FILE_BYTES_MAX as usize + 1])),
        ..save("huge", "", many)
    };
    history.note(vec![too_large]).unwrap();
    assert!(history.versions(&path("huge")).unwrap().is_empty());
    history.store().unwrap();
    drop(history);
    let history = History::new(place.path());
    let stored = history.stored(|store| {
        store.with(|database| Ok(database.begin_read()?.open_table(CONTENTS)?.len()?))
    });
    assert!(stored.unwrap() <= BYTES_MAX / FILE_BYTES_MAX);
}

#[test]
fn what_programs_write_takes_the_place_of_nothing_that_a_person_did() {
    let state = tempfile::tempdir().unwrap();
    let history = History::new(state.path());
    history.note(vec![save("a", "one", 1)]).unwrap();
    let built = |n: u64| Change {
        by: By::Disk,
        ..save(&format!("out/{n}"), &n.to_string(), n)
    };
    let many = VERSIONS_MAX as u64 + 10;
    history.note((2..many).map(built).collect()).unwrap();
    assert_eq!(told(&history, "a"), ["one"]);
    assert!(told(&history, "out/2").is_empty());
    assert_eq!(told(&history, &format!("out/{}", many - 1)).len(), 1);
}

#[test]
fn who_left_opens_nothing_again() {
    let state = tempfile::tempdir().unwrap();
    let history = History::new(state.path());
    history.note(vec![save("a", "one", 1)]).unwrap();
    history.close().unwrap();
    let next = History::new(state.path());
    assert_eq!(told(&next, "a"), ["one"], "it was stored");
    history.store().unwrap_err();
    next.note(vec![save("a", "two", 2)]).unwrap();
    next.store().unwrap();
}

#[test]
fn what_is_damaged_is_begun_anew() {
    let state = tempfile::tempdir().unwrap();
    std::fs::write(state.path().join(NAME), b"no database").unwrap();
    let history = History::new(state.path());
    history.note(vec![save("a", "one", 1)]).unwrap();
    history.store().unwrap();
    assert_eq!(told(&history, "a"), ["one"]);
}

#[test]
fn a_content_that_two_versions_have_stays_for_as_long_as_one_of_them_does() {
    let state = tempfile::tempdir().unwrap();
    let history = History::new(state.path());
    history
        .note(vec![save("a", "same", 1), save("b", "same", 2)])
        .unwrap();
    history.store().unwrap();
    let first = history.versions(&path("a")).unwrap()[0].number;
    history.kept(|kept| kept.remove(first)).unwrap();
    history.store().unwrap();
    drop(history);
    let history = History::new(state.path());
    assert!(told(&history, "a").is_empty());
    assert_eq!(told(&history, "b"), ["same"]);
    let last = history.versions(&path("b")).unwrap()[0].number;
    history.kept(|kept| kept.remove(last)).unwrap();
    // It comes again before anything was stored.
    history.note(vec![save("c", "same", 3)]).unwrap();
    history.store().unwrap();
    drop(history);
    assert_eq!(told(&History::new(state.path()), "c"), ["same"]);
}
