//! Changes of a root under what programs do at the same time.
use std::collections::{BTreeSet, HashSet};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use slipway_core::hash::ContentHash;

use super::*;
use crate::volume::real::RealVolume;
use crate::volume::simulated::{Inner, Make, Mischief, SimVolume};

mod names;

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

struct Lab {
    folder: tempfile::TempDir,
    disk: Disk,
}

impl Lab {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        let disk = disk(folder.path());
        Self { folder, disk }
    }
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }
    fn print(&self, name: &str) -> Fingerprint {
        match self.disk.root().look(&path(name)).unwrap() {
            Some(Seen::File(print)) => print,
            other => panic!("a file, not {other:?}"),
        }
    }
}

fn disk(folder: &Path) -> Disk {
    let volume: Arc<dyn Volume> = Arc::new(RealVolume);
    Disk::open(&volume, &folder.join("work"), &folder.join("state")).unwrap()
}

#[test]
fn an_unexpected_file_is_neither_overwritten_nor_removed() {
    let mut lab = Lab::open();
    std::fs::write(lab.file("a"), "one").unwrap();
    let old = lab.print("a");
    std::fs::write(lab.file("a"), "a person's").unwrap();
    let scratch = lab.disk.private().write(b"ours").unwrap();
    let put = (lab.disk).put(&scratch, &path("a"), false, Some(Was::settled(old)));
    assert!(matches!(put, Err(DiskError::Unexpected)));
    let put = lab.disk.put(&scratch, &path("a"), false, None);
    assert!(matches!(put, Err(DiskError::Unexpected)));
    let removed = lab
        .disk
        .remove(&path("a"), &Expected::File(Was::settled(old)));
    assert!(matches!(removed, Err(DiskError::Unexpected)));
    assert_eq!(std::fs::read(lab.file("a")).unwrap(), b"a person's");
    // The content that could not be placed is still there for the next try.
    let now = lab.print("a");
    lab.disk
        .put(&scratch, &path("a"), false, Some(Was::settled(now)))
        .unwrap();
    assert_eq!(std::fs::read(lab.file("a")).unwrap(), b"ours");
}

#[test]
fn a_write_that_puts_its_time_back_shows() {
    let mut lab = Lab::open();
    std::fs::write(lab.file("a"), "one").unwrap();
    let before = lab.print("a");
    let stamp = std::fs::metadata(lab.file("a"))
        .unwrap()
        .modified()
        .unwrap();
    std::fs::write(lab.file("a"), "two").unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(lab.file("a"))
        .unwrap();
    file.set_modified(stamp).unwrap();
    assert_ne!(lab.print("a"), before);
    let before = Expected::File(Was::settled(before));
    let removed = lab.disk.remove(&path("a"), &before);
    assert!(matches!(removed, Err(DiskError::Unexpected)));
    assert_eq!(std::fs::read(lab.file("a")).unwrap(), b"two");
}

#[test]
fn a_displaced_file_that_is_written_through_an_old_descriptor_is_told() {
    use std::io::Write as _;
    let mut lab = Lab::open();
    std::fs::write(lab.file("a"), "one").unwrap();
    let mut writer = std::fs::File::options()
        .append(true)
        .open(lab.file("a"))
        .unwrap();
    let scratch = lab.disk.private().write(b"ours").unwrap();
    let old = lab.print("a");
    lab.disk
        .put(&scratch, &path("a"), false, Some(Was::settled(old)))
        .unwrap();
    let displaced = lab.disk.take_displaced().pop().unwrap();
    let was = displaced.was.unwrap();
    assert!(!lab.disk.private().was_written(&displaced.name, &was));
    writer.write_all(b" and late").unwrap();
    assert!(lab.disk.private().was_written(&displaced.name, &was));
    lab.disk.bring_back(&displaced.name, &path("late")).unwrap();
    assert_eq!(std::fs::read(lab.file("late")).unwrap(), b"one and late");
}

#[test]
fn a_crash_leaves_no_bytes_of_a_person_behind() {
    let mut lab = Lab::open();
    std::fs::write(lab.file("known"), "known").unwrap();
    std::fs::write(lab.file("own"), "a person's").unwrap();
    lab.disk.private().write(b"never visible").unwrap();
    lab.disk.set_aside(&path("known")).unwrap();
    lab.disk.set_aside(&path("own")).unwrap();
    let known = HashSet::from([ContentHash::of(b"known")]);
    for again in 1..=2 {
        let (many, kept) = disk(lab.folder.path())
            .private()
            .recover(&known, &BTreeSet::new())
            .unwrap();
        assert_eq!(many, 1);
        assert_eq!(
            std::fs::read_dir(&kept).unwrap().count(),
            again,
            "none overwrites another"
        );
        std::fs::write(lab.file("own"), "another").unwrap();
        lab.disk.set_aside(&path("own")).unwrap();
    }
}

#[test]
fn a_clock_that_is_wrong_once_takes_nothing_that_is_nowhere_else() {
    const DAY_NS: i128 = 24 * 3600 * SECOND_NS;
    let volume = SimVolume::new(Make::default());
    let shared: Arc<dyn Volume> = Arc::new(volume.clone());
    volume.inner().make_all("/folder").unwrap();
    let recover = || {
        let disk = Disk::open(&shared, Path::new("/folder"), Path::new("/state"));
        let recovered = disk.unwrap().private().recover(&[].into(), &[].into());
        let folder = recovered.unwrap().1;
        volume.inner().files(folder.to_str().unwrap()).len()
    };
    assert_eq!(recover(), 0);
    let left = "/state/files/tmp/x-1";
    volume.inner().write(left, b"a person's").unwrap();
    assert_eq!(recover(), 1);
    let day = volume.inner().now_ns;
    // Days later; a first and a second start with a clock that is a month ahead; then it is right again.
    for later in [6, 31, 31, 6, 9] {
        volume.inner().now_ns = day + later * DAY_NS;
        assert_eq!(recover(), 1, "{later}");
    }
    volume.inner().now_ns = day + 39 * DAY_NS;
    assert_eq!(recover(), 0, "it was kept long enough");
}

#[test]
fn the_private_folder_may_be_removed_at_any_time() {
    let mut lab = Lab::open();
    std::fs::remove_dir_all(lab.folder.path().join("state")).unwrap();
    let scratch = lab.disk.private().write(b"ours").unwrap();
    lab.disk.put(&scratch, &path("a"), true, None).unwrap();
    assert!(lab.print("a").executable());
    assert_eq!(
        std::fs::read_dir(lab.file(".")).unwrap().count(),
        1,
        "nothing of ours beside it"
    );
}

#[test]
fn a_root_keeps_its_identity_and_a_new_one_has_another() {
    let lab = Lab::open();
    let work = lab.folder.path().join("work");
    assert_eq!(root::identity(&work, "first").unwrap(), "first");
    assert_eq!(root::identity(&work, "second").unwrap(), "first");
    std::fs::remove_dir_all(&work).unwrap();
    std::fs::create_dir(&work).unwrap();
    assert_eq!(root::identity(&work, "third").unwrap(), "third");
}

#[test]
fn a_write_that_the_stamps_do_not_tell_is_not_overwritten() {
    let mut lab = Lab::open();
    let bytes = |text: &str| ContentHash::of(text.as_bytes());
    std::fs::write(lab.file("a"), "two").unwrap();
    let print = lab.print("a");
    // Read as another content of the same size, in the same moment: the stamps are equal.
    let was = Was {
        print,
        unsettled: Some(bytes("one")),
    };
    let scratch = lab.disk.private().write(b"ours").unwrap();
    let put = lab.disk.put(&scratch, &path("a"), false, Some(was));
    assert!(matches!(put, Err(DiskError::Unexpected)));
    let removed = lab.disk.remove(&path("a"), &Expected::File(was));
    assert!(matches!(removed, Err(DiskError::Unexpected)));
    assert_eq!(std::fs::read(lab.file("a")).unwrap(), b"two");
}

#[test]
fn what_is_on_its_way_is_nobody_elses_and_then_as_any_program_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("work")).unwrap();
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o027));
    let mut disk = disk(folder.path());
    rustix::process::umask(before);
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let private = folder.path().join("state/files/tmp");
    let scratch = disk.private().write(b"ours").unwrap();
    assert_eq!(mode(private.join(&scratch)), 0o600);
    for folder in private.ancestors().take(3) {
        assert_eq!(mode(folder.to_owned()), 0o700, "{}", folder.display());
    }
    disk.put(&scratch, &path("a"), false, None).unwrap();
    assert_eq!(mode(folder.path().join("work/a")), 0o640);
}

/// A program that acts once, right after a call that changes `/folder/a`.
struct Racer {
    acts: fn(&mut Inner),
    is_next: bool,
}

impl Mischief for Racer {
    fn before(&mut self, _: &'static str, _: &str, volume: &mut Inner) -> Result<(), Errno> {
        if std::mem::take(&mut self.is_next) {
            (self.acts)(volume);
        }
        Ok(())
    }
    fn after(&mut self, call: &'static str, _: &str, _: Option<&Errno>) {
        self.is_next |= call == "fchmod";
    }
    fn renamed(&mut self, _: &str, to: &str, _: bool) {
        self.is_next |= to == "/folder/a";
    }
    fn destroys(&mut self, _: &str, _: &[u8], _: &Inner) -> Option<String> {
        None
    }
    fn durable(&mut self, _: &[u8]) {}
}

/// Something happens before a call.
struct At<A> {
    calls_left: usize,
    act: Option<A>,
    call: Arc<Mutex<Option<&'static str>>>,
}

impl<A: FnOnce(&mut Inner) + Send> Mischief for At<A> {
    fn before(&mut self, call: &'static str, _: &str, volume: &mut Inner) -> Result<(), Errno> {
        match self.calls_left.checked_sub(1) {
            Some(left) => self.calls_left = left,
            None => {
                if let Some(act) = self.act.take() {
                    *self.call.lock().unwrap() = Some(call);
                    act(volume);
                }
            }
        }
        Ok(())
    }
    fn after(&mut self, _: &'static str, _: &str, _: Option<&Errno>) {}
    fn renamed(&mut self, _: &str, _: &str, _: bool) {}
    fn destroys(&mut self, _: &str, _: &[u8], _: &Inner) -> Option<String> {
        None
    }
    fn durable(&mut self, _: &[u8]) {}
}

/// Lets something happen before a later call; where it is told before which one it did.
fn before(
    volume: &SimVolume,
    calls_left: usize,
    act: impl FnOnce(&mut Inner) + Send + 'static,
) -> Arc<Mutex<Option<&'static str>>> {
    let call = Arc::<Mutex<_>>::default();
    let act = Some(act);
    volume.set_mischief(Box::new(At {
        calls_left,
        act,
        call: Arc::clone(&call),
    }));
    call
}

#[test]
fn what_a_program_writes_to_ours_is_not_dropped_with_it_where_no_stamp_tells() {
    for calls in 0.. {
        let volume = SimVolume::new(Make {
            stamp_ns: 2 * SECOND_NS,
            ..Make::default()
        });
        let shared: Arc<dyn Volume> = Arc::new(volume.clone());
        volume.inner().make_all("/folder").unwrap();
        volume.inner().write("/folder/a", b"late").unwrap();
        let mut disk = Disk::open(&shared, Path::new("/folder"), Path::new("/state")).unwrap();
        let Some(Seen::File(print)) = disk.root().look(&path("a")).unwrap() else {
            panic!("a file");
        };
        // Read as another content in the same moment.
        let unsettled = Some(ContentHash::of(b"read"));
        let scratch = disk.private().write(b"ours").unwrap();
        let call = before(&volume, calls, |volume| {
            volume.write("/folder/a", b"last").unwrap();
        });
        let was = Was { print, unsettled };
        let put = disk.put(&scratch, &path("a"), false, Some(was));
        assert!(matches!(put, Err(DiskError::Unexpected)));
        if call.lock().unwrap().is_none() {
            break;
        }
        let now = volume.inner().bytes("/folder/a").unwrap();
        assert_eq!(**now, *b"last", "before call {calls}");
    }
}

#[test]
fn what_a_program_puts_over_ours_at_once_is_not_taken_for_ours() {
    let programs: [fn(&mut Inner); 3] = [
        |volume| volume.replace("/folder/a", b"theirs").unwrap(),
        |volume| volume.write("/folder/a", b"theirs").unwrap(),
        |volume| volume.rename("/folder/theirs", "/folder/a").unwrap(),
    ];
    for acts in programs {
        for over in ["nothing", "a file", "itself"] {
            let volume = SimVolume::new(Make::default());
            let shared: Arc<dyn Volume> = Arc::new(volume.clone());
            volume.inner().make_all("/folder").unwrap();
            volume.inner().write("/folder/theirs", b"theirs").unwrap();
            let mut disk = Disk::open(&shared, Path::new("/folder"), Path::new("/state")).unwrap();
            let found = |disk: &Disk| match disk.root().look(&path("a")).unwrap() {
                Some(Seen::File(print)) => Some(print),
                _ => None,
            };
            if over != "nothing" {
                volume.inner().write("/folder/a", b"before").unwrap();
            }
            let old = found(&disk);
            let scratch = disk.private().write(b"mirror").unwrap();
            let is_next = false;
            volume.set_mischief(Box::new(Racer { acts, is_next }));
            let ours = match old.filter(|_| over == "itself") {
                Some(old) => disk.set_executable(&path("a"), true, old),
                None => disk.put(&scratch, &path("a"), false, old.map(Was::settled)),
            };
            let ours = ours.unwrap();
            let now = volume.inner().bytes("/folder/a").unwrap();
            assert_eq!(**now, *b"theirs", "over {over}");
            assert_ne!(found(&disk), Some(ours), "over {over}");
            let removed = disk.remove(&path("a"), &Expected::File(Was::settled(ours)));
            assert!(matches!(removed, Err(DiskError::Unexpected)));
        }
    }
}
