//! How WebKit is told to draw, and how much room its page may take. It reads the environment once, before the first window, so `main` sets it.
use std::io;
use std::path::{Path, PathBuf};

/// With some drivers its quick way of showing a picture shows none: the window stays blank.
const NO_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
/// Without the graphics card altogether.
const NO_COMPOSITING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
/// The page's garbage may grow with the memory that its engine takes the machine to have: to hundreds of megabytes where
/// output scrolls by. As on a machine with half a gigabyte it is collected as often as it takes to stay small.
const MEMORY: (&str, &str) = ("JSC_forceRAMSize", "536870912");
/// On such a machine it may double the page before that, by some sixty megabytes. With a tenth ten seconds of `yes` add
/// 20 to 25 MiB instead of 74; the start and Ctrl-C take as long.
const GARBAGE: (&str, &str) = ("JSC_smallHeapGrowthFactor", "1.1");

/// On X GTK loads the graphics card's driver before its first window, to know how it would draw with it: a twentieth of
/// a second, with a cold disk a quarter. Without the quick way nothing here draws so.
const NO_GL: (&str, &str) = ("GDK_GL", "disable");

/// The variables to set; one that the person has set stays as it is.
pub(crate) fn settings(
    safe: bool,
    on_x: bool,
    is_set: impl Fn(&str) -> bool,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let safely = safe.then_some((NO_COMPOSITING, "1"));
    let plainly = (on_x && !is_set(NO_DMABUF)).then_some(NO_GL);
    let wanted = [(NO_DMABUF, "1"), MEMORY, GARBAGE]
        .into_iter()
        .chain(plainly)
        .chain(safely);
    wanted.filter(move |(name, _)| !is_set(name))
}

/// Whether somebody chose to draw without the graphics card from now on.
#[must_use]
pub(crate) fn is_kept_safe(state: &Path) -> bool {
    mark(state).exists()
}

/// Draws without the graphics card from now on, or with it again.
pub(super) fn keep_safe(state: &Path, safe: bool) -> io::Result<()> {
    if safe {
        return std::fs::write(mark(state), "");
    }
    match std::fs::remove_file(mark(state)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn mark(state: &Path) -> PathBuf {
    state.join("safe-graphics")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_the_last_word() {
        let all =
            |safe, set: &str| -> Vec<_> { settings(safe, true, |name| name == set).collect() };
        let usual = [(NO_DMABUF, "1"), MEMORY, GARBAGE, NO_GL];
        assert_eq!(all(false, ""), usual);
        assert_eq!(
            all(true, ""),
            [&usual[..], &[(NO_COMPOSITING, "1")]].concat()
        );
        assert_eq!(all(true, NO_COMPOSITING), usual);
        assert_eq!(all(false, NO_DMABUF), [MEMORY, GARBAGE]);
        assert_eq!(all(false, GARBAGE.0), [usual[0], MEMORY, NO_GL]);
        assert_eq!(all(false, MEMORY.0), [usual[0], GARBAGE, NO_GL]);
        assert_eq!(all(false, NO_GL.0), usual[..3]);
        let on_wayland: Vec<_> = settings(false, false, |_| false).collect();
        assert_eq!(on_wayland, usual[..3]);
    }

    #[test]
    fn the_choice_is_kept_and_taken_back() {
        let state = tempfile::tempdir().unwrap();
        assert!(!is_kept_safe(state.path()));
        keep_safe(state.path(), true).unwrap();
        assert!(is_kept_safe(state.path()));
        keep_safe(state.path(), false).unwrap();
        keep_safe(state.path(), false).unwrap();
        assert!(!is_kept_safe(state.path()));
    }
}
