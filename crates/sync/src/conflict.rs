//! Names of conflict copies: decided by content, so that a replay or a third replica makes the same one copy.
use slipway_core::hash::ContentHash;
use slipway_core::limits::{NAME_BYTES_MAX, PATH_BYTES_MAX};
use slipway_core::path::RelPath;

/// The name beside `path` for a copy that `replica` had: `stem (conflict replica 3fa9c1).ext`. `turn` counts from 0
/// the names that something else has already.
#[must_use]
pub fn copy_path(path: &RelPath, replica: &str, hash: &ContentHash, turn: usize) -> RelPath {
    let name = path.name();
    let (stem, end) = match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() => (stem, format!(".{end}")),
        _ => (name, String::new()),
    };
    let turn = match turn {
        0 => String::new(),
        turn => format!(" {}", turn + 1),
    };
    let mark = format!(" (conflict {replica} {}{turn})", &hash.to_string()[..6]);
    let above = path.as_str().len() - name.len();
    let mut room = (PATH_BYTES_MAX - above)
        .min(NAME_BYTES_MAX)
        .saturating_sub(mark.len() + end.len())
        .min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    let copy = format!("{}{mark}{end}", &stem[..room]);
    let whole = path
        .parent()
        .map_or(copy.clone(), |parent| format!("{parent}/{copy}"));
    // The parts of a valid name make a valid name, unless the whole is too long: then the original stands for it.
    RelPath::parse(&whole).unwrap_or_else(|_| path.clone())
}

/// What a conflict copy of this name is a copy of: the name beside it. `None` when it is no conflict copy. A name that had to
/// be cut short for the copy is not known whole any more.
#[must_use]
pub fn original(name: &str) -> Option<String> {
    let (stem, rest) = name.rsplit_once(" (conflict ")?;
    let (mark, end) = rest.rsplit_once(')')?;
    let mut words = mark.rsplit(' ');
    let last = words.next()?;
    let is_turn = last.len() < 6 && last.parse::<usize>().is_ok_and(|turn| turn > 1);
    let hash = if is_turn { words.next()? } else { last };
    let is_hash = hash.len() == 6 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    // The replica's name is in front.
    let is_copy = is_hash && words.next().is_some_and(|replica| !replica.is_empty());
    let is_end = end.is_empty() || end.starts_with('.');
    (is_copy && is_end).then(|| format!("{stem}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_gets_the_same_name() {
        let hash = ContentHash::of(b"mine");
        let path = RelPath::parse("src/main.py").unwrap();
        let copy = copy_path(&path, "session", &hash, 0);
        assert_eq!(copy, copy_path(&path, "session", &hash, 0));
        assert!(
            copy.as_str().starts_with("src/main (conflict session "),
            "{copy}"
        );
        assert!(copy.as_str().ends_with(").py"));
        assert_ne!(copy, copy_path(&path, "session", &hash, 1));
        assert_ne!(
            copy,
            copy_path(&path, "session", &ContentHash::of(b"other"), 0)
        );
    }

    #[test]
    fn long_names_and_names_without_end_have_copies_too() {
        let hash = ContentHash::of(b"x");
        for name in [
            "ü".repeat(127),
            "Makefile".to_owned(),
            ".gitignore".to_owned(),
            format!("{}.txt", "a".repeat(250)),
            // As long as a path may be.
            format!("{}/{}", vec!["f".repeat(255); 7].join("/"), "a".repeat(255)),
        ] {
            let copy = copy_path(&RelPath::parse(&name).unwrap(), "session", &hash, 0);
            assert!(
                copy.name().len() <= NAME_BYTES_MAX && copy.as_str() != name,
                "{copy}"
            );
        }
    }

    #[test]
    fn a_copys_name_tells_of_what_it_is_a_copy() {
        let hash = ContentHash::of(b"x");
        for name in [
            "main.py",
            "Makefile",
            ".gitignore",
            "a (conflict).tar.gz",
            "b.c.d",
        ] {
            let path = RelPath::parse(name).unwrap();
            for (replica, turn) in [("session", 0), ("two words", 0), ("laptop", 11)] {
                let copy = copy_path(&path, replica, &hash, turn);
                assert_eq!(original(copy.name()).as_deref(), Some(name), "{copy}");
            }
        }
        for name in [
            "main.py",
            "a (conflict).py",
            "a (conflict session).py",
            "a (conflict session 12345g).py",
            "a (conflict 3fa9c1).py",
            "a (conflict session 3fa9c1) b",
        ] {
            assert_eq!(original(name), None, "{name}");
        }
    }
}
