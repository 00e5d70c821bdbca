//! Names of conflict copies: decided by content, so that a replay or a third replica makes the same one copy.
use slipway_core::hash::ContentHash;
use slipway_core::limits::NAME_BYTES_MAX;
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
    let mut room = NAME_BYTES_MAX
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
        ] {
            let copy = copy_path(&RelPath::parse(&name).unwrap(), "session", &hash, 0);
            assert!(
                copy.name().len() <= NAME_BYTES_MAX && copy.as_str() != name,
                "{copy}"
            );
        }
    }
}
