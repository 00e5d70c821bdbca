//! The same on volumes that do not know every rename.
use super::*;
use crate::volume::Knows;
use crate::volume::simulated::Loss;

const NETWORK: Knows = Knows::SOME[1];
const NOTHING: Knows = Knows::SOME[4];

fn volume(knows: Knows) -> SimVolume {
    let volume = SimVolume::new(Make {
        knows,
        ..Make::default()
    });
    volume.inner().make_all("/folder").unwrap();
    volume
}

fn open(volume: &SimVolume) -> Disk {
    let shared: Arc<dyn Volume> = Arc::new(volume.reborn());
    Disk::open(&shared, Path::new("/folder"), Path::new("/state")).unwrap()
}

fn was(disk: &Disk, name: &str) -> Option<Was> {
    match disk.root().look(&path(name)).unwrap() {
        Some(Seen::File(print)) => Some(Was::settled(print)),
        _ => None,
    }
}

fn put(disk: &mut Disk, over: Option<Was>) -> Result<Fingerprint, DiskError> {
    let scratch = disk.private().write(b"ours").unwrap();
    disk.put(&scratch, &path("a"), false, over)
}

#[test]
fn a_volume_is_asked_what_it_knows_and_nothing_is_left_of_that() {
    for knows in Knows::SOME {
        let volume = volume(knows);
        for _ in 0..2 {
            assert_eq!(open(&volume).private.knows, knows);
            assert!(volume.inner().files("/").is_empty());
        }
    }
}

#[test]
fn every_volume_makes_every_change_and_refuses_the_same() {
    for knows in Knows::SOME {
        let volume = volume(knows);
        let mut disk = open(&volume);
        let is_unexpected = |done| assert!(matches!(done, Err(DiskError::Unexpected)), "{knows:?}");
        let file = |name: &str| volume.inner().bytes(&format!("/folder/{name}"));
        put(&mut disk, None).unwrap();
        is_unexpected(put(&mut disk, None).map(drop));
        let first = was(&disk, "a");
        put(&mut disk, first).unwrap();
        is_unexpected(put(&mut disk, first).map(drop));
        assert_eq!(disk.take_displaced().len(), 1);
        let now = was(&disk, "a").unwrap();
        disk.make_folder(&path("d")).unwrap();
        volume.inner().write("/folder/d/b", b"theirs").unwrap();
        is_unexpected(disk.make_folder(&path("a")));
        is_unexpected(disk.rename(&path("a"), &path("d/b")));
        is_unexpected(disk.rename(&path("d"), &path("a")));
        disk.rename(&path("d"), &path("e")).unwrap();
        disk.rename(&path("a"), &path("e/a")).unwrap();
        assert_eq!(file("e/a").unwrap().as_slice(), b"ours");
        assert_eq!(file("e/b").unwrap().as_slice(), b"theirs");
        is_unexpected(disk.remove(&path("e/b"), &Expected::File(now)).map(drop));
        let now = was(&disk, "e/a").unwrap();
        assert!(disk.remove(&path("e/a"), &Expected::File(now)).unwrap());
        let displaced = disk.take_displaced().pop().unwrap().name;
        is_unexpected(disk.bring_back(&displaced, &path("e/b")));
        disk.bring_back(&displaced, &path("back")).unwrap();
        let folder = disk.set_aside(&path("e")).unwrap();
        is_unexpected(disk.bring_back(&folder, &path("back")));
        disk.bring_back(&folder, &path("e")).unwrap();
        assert_eq!(file("back").unwrap().as_slice(), b"ours");
        assert_eq!(file("e/b").unwrap().as_slice(), b"theirs");
    }
}

/// Calls before which a program can put its file in place of another so that it is lost.
fn lost(knows: Knows, acts: fn(&mut Inner)) -> BTreeSet<&'static str> {
    let changes: [fn(&mut Disk, Option<Was>); 4] = [
        |disk, _| drop(put(disk, None)),
        |disk, was| drop(put(disk, was)),
        |disk, was| drop(disk.remove(&path("a"), &Expected::File(was.unwrap()))),
        |disk, _| drop(disk.rename(&path("b"), &path("a"))),
    ];
    let mut lost = BTreeSet::new();
    for (number, change) in changes.into_iter().enumerate() {
        let is_over = matches!(number, 1 | 2);
        for calls in 0.. {
            let volume = volume(knows);
            volume.inner().write("/folder/b", b"another").unwrap();
            if is_over {
                volume.inner().write("/folder/a", b"old").unwrap();
            }
            let mut disk = open(&volume);
            let was = was(&disk, "a");
            let call = before(&volume, calls, acts);
            change(&mut disk, was);
            let Some(call) = *call.lock().unwrap() else {
                break;
            };
            for displaced in disk.take_displaced() {
                let is_read = |was| !disk.private.was_written(&displaced.name, &was);
                if displaced.was.is_some_and(is_read) {
                    disk.private.discard(&displaced.name);
                }
            }
            let known = [b"ours".as_slice(), b"old", b"another"].map(ContentHash::of);
            let known = HashSet::from(known);
            open(&volume)
                .private
                .recover(&known, &BTreeSet::new())
                .unwrap();
            let files = volume.inner().files("/");
            if !files.iter().any(|(.., bytes)| ***bytes == *b"theirs") {
                lost.insert(call);
            }
        }
    }
    lost
}

#[test]
fn what_a_program_writes_at_any_call_is_lost_in_no_instant_but_the_one_that_is_told_of() {
    for knows in Knows::SOME {
        let in_place = lost(knows, |volume| {
            volume.write("/folder/a", b"theirs").unwrap();
        });
        let beside = lost(knows, |volume| {
            volume.replace("/folder/a", b"theirs").unwrap();
        });
        let is_weak = [NETWORK, Knows::SOME[2], NOTHING].contains(&knows);
        // Not even there if it does not make the file anew.
        assert_eq!(beside.is_empty(), !is_weak, "{knows:?}: {beside:?}");
        assert!(beside.iter().all(|call| *call == "replace"), "{beside:?}");
        assert!(
            in_place.iter().all(|call| *call == "replace"),
            "{in_place:?}"
        );
    }
}

#[test]
fn an_end_at_any_call_leaves_the_old_or_the_new_and_nothing_is_lost() {
    for knows in Knows::SOME {
        for (loss, undone) in [(Loss::Process, 0)]
            .into_iter()
            .chain((0..5).map(|undone| (Loss::Power, undone)))
        {
            for calls in 0.. {
                let volume = volume(knows);
                volume.inner().write("/folder/a", b"old").unwrap();
                let mut disk = open(&volume);
                let was = was(&disk, "a");
                let scratch = disk.private().write(b"ours").unwrap();
                volume.inner().write_back_quietly();
                let call = before(&volume, calls, move |volume| {
                    let mut undone = Some(undone);
                    volume.crash(loss, &mut |many| {
                        undone.take().map_or(0, |most: usize| most.min(many - 1))
                    });
                });
                disk.put(&scratch, &path("a"), false, was).ok();
                let Some(call) = *call.lock().unwrap() else {
                    break;
                };
                let disk = open(&volume);
                let known = HashSet::from([ContentHash::of(b"ours")]);
                let (many, _) = disk.private.recover(&known, &BTreeSet::new()).unwrap();
                let left = volume.inner().bytes("/folder/a");
                let left = left.unwrap_or_else(|| panic!("nothing left at {call}, {knows:?}"));
                let what = format!("{knows:?} {call} {loss:?} {undone}");
                match left.as_slice() {
                    b"old" => assert_eq!(many, 0, "{what}"),
                    b"ours" => assert_eq!(many, 1, "{what}"),
                    other => panic!("{what}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_real_disk_takes_the_same_steps() {
    for knows in Knows::SOME {
        let mut lab = Lab::open();
        lab.disk.private.knows = knows;
        let is_unexpected = |done| assert!(matches!(done, Err(DiskError::Unexpected)), "{knows:?}");
        put(&mut lab.disk, None).unwrap();
        is_unexpected(put(&mut lab.disk, None).map(drop));
        std::fs::write(lab.file("a"), "theirs").unwrap();
        let theirs = was(&lab.disk, "a");
        put(&mut lab.disk, theirs).unwrap();
        is_unexpected(put(&mut lab.disk, theirs).map(drop));
        assert_eq!(std::fs::read(lab.file("a")).unwrap(), b"ours");
        let displaced = lab.disk.take_displaced().pop().unwrap();
        assert!(
            !lab.disk
                .private
                .was_written(&displaced.name, &displaced.was.unwrap())
        );
        lab.disk.bring_back(&displaced.name, &path("b")).unwrap();
        is_unexpected(lab.disk.rename(&path("a"), &path("b")));
        lab.disk.rename(&path("a"), &path("c")).unwrap();
        assert_eq!(std::fs::read(lab.file("b")).unwrap(), b"theirs");
        assert_eq!(std::fs::read(lab.file("c")).unwrap(), b"ours");
        assert_eq!(std::fs::read_dir(lab.file(".")).unwrap().count(), 2);
    }
}
