//! Programs that write on the disks of a simulated world, in all the ways in which they save.
use rustix::io::Errno;
use slipway_core::hash::ContentHash;
use slipway_core::path::fold;

use super::gremlin::is_visible;
use super::oracle::Oracle;
use super::tape::Tape;
use crate::volume::simulated::{Entry, Inner};

/// Where the files of every replica lie on its volume.
pub(super) const ROOT: &str = "/folder";
/// What no engine may ever touch.
pub(super) const OUTSIDE: &str = "/outside";

const PATHS: &[&str] = &[
    "a.txt",
    "b.txt",
    "d",
    "d/x.txt",
    "d/y.txt",
    "d/e",
    "d/e/z.txt",
    "f",
    "f/w.txt",
];
/// Names that some volumes take for others.
const ALIKE: &[&str] = &[
    "a.txt",
    "A.txt",
    "d/x.txt",
    "D/x.txt",
    "\u{e9}.txt",
    "e\u{301}.txt",
    "d",
];

/// A program that has a file open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    replica: usize,
    id: u64,
}

/// Kinds of things that programs do.
const KINDS: usize = 21;
/// One of those that rename.
const RENAME: usize = 12;
/// The one that opens a file, to write to it later.
const OPEN: usize = 13;
/// The one that does that.
const LATE: usize = 14;
/// The one that makes a link.
const LINK: usize = 16;
/// The one that makes what never syncs.
const IGNORED: usize = 18;

/// What programs do in a world. Half of the worlds see a few things only, in a few places: what is rare elsewhere meets
/// there.
pub(super) struct Habits {
    few: bool,
    kinds: [usize; 4],
    places: Option<[usize; 2]>,
}

impl Habits {
    pub(super) fn new(tape: &mut Tape) -> Self {
        let few = tape.one_in(2);
        let kinds = [(); 4].map(|()| tape.below(KINDS));
        let places = tape.one_in(2).then(|| [(); 2].map(|()| tape.below(256)));
        Self { few, kinds, places }
    }

    /// The bytes of a tape that choose few things and one of them, by a letter: links, late writers, renames, or tools that
    /// make what never syncs.
    pub(super) const fn bytes(letter: char) -> Option<[u8; 2]> {
        let kind = match letter {
            'k' => LINK,
            't' => OPEN,
            'm' => RENAME,
            'i' => IGNORED,
            _ => return None,
        };
        Some([255, ((kind * 256).div_ceil(KINDS)) as u8])
    }
}

impl Oracle {
    /// Takes up what programs do, and where.
    pub(super) fn choose_habits(&mut self, Habits { few, kinds, places }: Habits) {
        let paths = if self.alike { ALIKE } else { PATHS };
        self.kinds = (0..KINDS).collect();
        if few {
            self.kinds = [0].into_iter().chain(kinds).collect();
        }
        self.paths = paths.to_vec();
        if let Some(places) = places {
            self.paths = places.map(|at| paths[at % paths.len()]).to_vec();
        }
    }

    /// Some path; by chance one of the conflict copies that there are.
    pub(super) fn path<'a>(&mut self, there: impl Iterator<Item = &'a str>) -> String {
        let copies: Vec<_> = there.filter(|path| path.contains(" (conflict ")).collect();
        if !copies.is_empty() && self.tape.one_in(4) {
            return (*self.tape.pick(&copies)).to_owned();
        }
        (*self.tape.pick::<&str>(&self.paths)).to_owned()
    }

    fn path_on(&mut self, volume: &Inner) -> String {
        if self.focus.is_some() && self.tape.one_in(2) {
            let focus = self.focus.clone().unwrap_or_default();
            let parent = focus.rsplit_once('/').map(|(parent, _)| parent.to_owned());
            let parent = parent.filter(|parent| parent != ROOT && self.tape.one_in(2));
            return parent.unwrap_or(focus);
        }
        let there = volume.below(ROOT);
        let path = self.path(there.keys().map(String::as_str));
        volume.spelled(&format!("{ROOT}/{path}"))
    }

    fn touch_whole(&mut self, replica: usize, whole: &str, removed: bool) {
        let path = whole
            .strip_prefix(ROOT)
            .unwrap_or(whole)
            .trim_start_matches('/');
        self.touch(replica, &fold(path), removed);
    }

    /// A program of a replica does something.
    pub(super) fn program(&mut self, replica: usize, volume: &mut Inner) {
        let whole = self.path_on(volume);
        let mut what = *self.tape.pick(&self.kinds);
        if self.late.iter().any(|late| late.replica == replica) && self.tape.one_in(4) {
            what = LATE;
        }
        self.tell(|| format!("replica {replica}: a program, {what} at {whole}"));
        let done = self.mind_the_ignored(replica, volume, |oracle, volume| {
            oracle.does(replica, volume, what, &whole)
        });
        // A program that fails says so to its person.
        if let Err(errno) = done {
            self.tell(|| format!("  it fails: {errno}"));
        }
    }

    fn does(
        &mut self,
        replica: usize,
        volume: &mut Inner,
        what: usize,
        whole: &str,
    ) -> Result<(), Errno> {
        match what {
            0..4 => self.save(replica, volume, whole, Saving::InPlace),
            4..7 => self.save(replica, volume, whole, Saving::Beside),
            7 => self.save(replica, volume, whole, Saving::Backup),
            8 => self.save(replica, volume, whole, Saving::Dated),
            9 => self.delete(replica, volume, whole),
            10 => self.folder(replica, volume, whole),
            11 | RENAME => self.rename(replica, volume, whole),
            OPEN => self.open(replica, volume, whole),
            LATE => self.write_late(replica, volume),
            15 => self.set_mode(replica, volume, whole),
            LINK => self.link(replica, volume, whole),
            17 => self.burst(replica, volume),
            IGNORED => self.make_ignored(replica, volume),
            19 => self.swap(replica, volume, whole),
            _ => self.odd(replica, volume, whole),
        }
    }

    fn save(
        &mut self,
        replica: usize,
        volume: &mut Inner,
        whole: &str,
        how: Saving,
    ) -> Result<(), Errno> {
        if volume.full {
            return Err(Errno::NOSPC);
        }
        let parent = whole.rsplit_once('/').map_or("", |(parent, _)| parent);
        volume.make_all(parent)?;
        let old = match volume.entry(whole) {
            None => None,
            Some(Entry::File { bytes, .. }) => Some(bytes),
            Some(_) => return Err(Errno::ISDIR),
        };
        let text = self.version(old.as_ref().map(|bytes| bytes.as_slice()));
        if let Some(old) = &old {
            self.is_overwritten(replica, old);
        }
        for beside in [format!("{whole}.swp"), format!("{whole}~")] {
            // One that a loss of power left is overwritten.
            if let Some(bytes) = volume.bytes(&beside) {
                self.forget(&bytes);
            }
        }
        self.touch_whole(replica, whole, false);
        self.tell(|| format!("  writes {whole} {how:?}: {}", text.replace('\n', " ")));
        match how {
            Saving::InPlace => volume.write(whole, text.as_bytes()),
            Saving::Beside => volume.replace(whole, text.as_bytes()),
            Saving::Dated => volume.write_dated(whole, text.as_bytes()),
            Saving::Backup => {
                let backup = format!("{whole}~");
                if old.is_some() {
                    volume.rename(whole, &backup)?;
                }
                volume.write(whole, text.as_bytes())?;
                volume.remove_all(&backup).or(Ok(()))
            }
        }
    }

    fn folder(&mut self, replica: usize, volume: &mut Inner, whole: &str) -> Result<(), Errno> {
        self.touch_whole(replica, whole, false);
        volume.make_all(whole).map(drop)
    }

    fn delete(&mut self, replica: usize, volume: &mut Inner, whole: &str) -> Result<(), Errno> {
        for text in volume.texts(whole) {
            self.forget(&text);
        }
        self.touch_whole(replica, whole, true);
        volume.remove_all(whole)
    }

    /// Renames a file or folder, maybe over another.
    fn rename(&mut self, replica: usize, volume: &mut Inner, from: &str) -> Result<(), Errno> {
        let to = self.path_on(volume);
        // A case-only rename keeps the spelling that is asked for.
        let to = if self.alike {
            format!("{ROOT}/{}", self.path([].into_iter()))
        } else {
            to
        };
        let over = volume.texts(&to);
        let is_same = volume.spelled(&to) == from;
        self.tell(|| format!("  to {to}"));
        volume.rename(from, &to)?;
        if !is_same {
            self.moved_torn(replica, volume, from, &to);
            over.iter().for_each(|text| self.forget(text));
        }
        self.touch_whole(replica, from, true);
        self.touch_whole(replica, &to, true);
        self.hidden[replica] = true;
        Ok(())
    }

    /// Two files change places.
    fn swap(&mut self, replica: usize, volume: &mut Inner, one: &str) -> Result<(), Errno> {
        let other = self.path_on(volume);
        let is_same = volume.spelled(one) == volume.spelled(&other);
        if volume.bytes(one).and(volume.bytes(&other)).is_none() || is_same {
            return Err(Errno::NOENT);
        }
        self.tell(|| format!("  changes places with {other}"));
        let beside = format!("{one}.swp");
        if let Some(bytes) = volume.bytes(&beside) {
            // It goes over what another left there.
            self.forget(&bytes);
        }
        volume.rename(one, &beside)?;
        volume.rename(&other, one)?;
        volume.rename(&beside, &other)?;
        for (path, to) in [(one, &*other), (&other, one)] {
            self.moved_torn(replica, volume, path, to);
            self.touch_whole(replica, path, true);
        }
        self.hidden[replica] = true;
        Ok(())
    }

    /// A program moved what a loss of power left of a file to where nobody can know it, be it the name of its copy.
    fn moved_torn(&mut self, replica: usize, volume: &Inner, from: &str, to: &str) {
        let place = from.strip_prefix(ROOT).map(|path| &path[1..]);
        let bytes = volume.bytes(to).unwrap_or_default();
        if let Some(torn) = self.torn[replica].get_mut(&ContentHash::of(&bytes)) {
            torn.retain(|torn| Some(torn.place.as_str()) != place);
        }
    }

    pub(super) fn open(
        &mut self,
        replica: usize,
        volume: &Inner,
        whole: &str,
    ) -> Result<(), Errno> {
        let id = volume.open_late(whole).ok_or(Errno::NOENT)?;
        self.late.push(Late { replica, id });
        Ok(())
    }

    /// Writes through a descriptor that was opened before, wherever its file is by now.
    pub(super) fn write_late(&mut self, replica: usize, volume: &mut Inner) -> Result<(), Errno> {
        let mine = self.late.iter().position(|late| late.replica == replica);
        let late = self.late.remove(mine.ok_or(Errno::BADF)?);
        if volume.full {
            return Err(Errno::NOSPC);
        }
        // Nobody can find what has no name any more.
        let place = volume.name_of(late.id).ok_or(Errno::NOENT)?;
        let seen = volume.read_open(late.id);
        let text = self.version(Some(&seen));
        self.is_overwritten(replica, &seen);
        self.touch_whole(replica, &place, false);
        self.strays += usize::from(!is_visible(&place));
        self.tell(|| format!("  late, into {place}: {}", text.replace('\n', " ")));
        volume.write_open(late.id, text.as_bytes())
    }

    /// A computer lost its power, and its programs with it.
    pub(super) fn forget_late(&mut self, replica: usize) {
        self.late.retain(|late| late.replica != replica);
    }

    fn set_mode(&mut self, replica: usize, volume: &mut Inner, whole: &str) -> Result<(), Errno> {
        self.touch_whole(replica, whole, false);
        let mode = volume.mode(whole).ok_or(Errno::NOENT)?;
        let is_folder = volume.entry(whole) == Some(Entry::Folder);
        let mode = match self.tape.below(3) {
            0 if !is_folder => mode ^ 0o111,
            1 => 0o000,
            _ => 0o755,
        };
        self.hidden[replica] = true;
        volume.set_mode(whole, mode)
    }

    fn link(&mut self, replica: usize, volume: &mut Inner, whole: &str) -> Result<(), Errno> {
        self.delete(replica, volume, whole).or(Ok(()))?;
        let target = *self.tape.pick(&["a.txt", OUTSIDE, "d"]);
        self.touch_whole(replica, whole, false);
        self.tell(|| format!("  a link to {target}"));
        volume.link(whole, target)
    }

    /// A checkout writes many files at once.
    fn burst(&mut self, replica: usize, volume: &mut Inner) -> Result<(), Errno> {
        for _ in 0..3 {
            let whole = self.path_on(volume);
            self.save(replica, volume, &whole, Saving::Beside)
                .or(Ok(()))?;
        }
        Ok(())
    }

    /// What is rare.
    fn odd(&mut self, replica: usize, volume: &mut Inner, whole: &str) -> Result<(), Errno> {
        match self.tape.below(3) {
            0 => {
                self.touch_whole(replica, whole, false);
                volume.pipe(whole)
            }
            1 => {
                let state = "/state/files";
                for text in volume.texts(state) {
                    self.forget(&text);
                }
                self.tell(|| "  removes the private folder".into());
                volume.remove_all(state)
            }
            _ => {
                // Saves what is there already.
                let bytes = volume.bytes(whole).ok_or(Errno::NOENT)?;
                volume.write(whole, &bytes)
            }
        }
    }
}

/// How programs save.
#[derive(Clone, Copy, Debug)]
enum Saving {
    /// Cut to nothing and written again.
    InPlace,
    /// Written beside and renamed over.
    Beside,
    /// The old one renamed to a backup, a new one made.
    Backup,
    /// In place, with the old time put back.
    Dated,
}
