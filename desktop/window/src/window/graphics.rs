//! How WebKit is told to draw. It reads the environment once, before the first window, so `main` sets it.
use std::io;
use std::path::{Path, PathBuf};

/// With some drivers its quick way of showing a picture shows none: the window stays blank.
const NO_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
/// Without the graphics card altogether.
const NO_COMPOSITING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";

/// The variables to set; one that the person has set stays as it is.
pub(crate) fn settings(
    safe: bool,
    is_set: impl Fn(&str) -> bool,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let wanted = [(NO_DMABUF, true), (NO_COMPOSITING, safe)];
    wanted
        .into_iter()
        .filter(move |(name, wanted)| *wanted && !is_set(name))
        .map(|(name, _)| (name, "1"))
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
        let all = |safe, set: &str| -> Vec<_> { settings(safe, |name| name == set).collect() };
        assert_eq!(all(false, ""), [(NO_DMABUF, "1")]);
        assert_eq!(all(true, ""), [(NO_DMABUF, "1"), (NO_COMPOSITING, "1")]);
        assert_eq!(all(false, NO_DMABUF), []);
        assert_eq!(all(true, NO_COMPOSITING), [(NO_DMABUF, "1")]);
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
