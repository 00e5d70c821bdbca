//! The order in which steps on a tree are safe: folders before what stands in them, deletions from the leaves up.
use slipway_core::path::RelPath;

/// A path and whether something shall stand there.
pub trait Step {
    /// Where.
    fn path(&self) -> &RelPath;
    /// Whether it deletes.
    fn deletes(&self) -> bool;
}

/// Sorts steps: deletions first from the leaves up (so that kinds may change), then the rest from the root down.
pub fn order<S: Step>(steps: &mut [S]) {
    steps.sort_by(|a, b| match (a.deletes(), b.deletes()) {
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (true, true) => b.path().cmp(a.path()),
        (false, false) => a.path().cmp(b.path()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(RelPath, bool);
    impl Step for At {
        fn path(&self) -> &RelPath {
            &self.0
        }
        fn deletes(&self) -> bool {
            self.1
        }
    }

    #[test]
    fn leaves_go_first_and_folders_come_first() {
        let at = |text: &str, deletes| At(RelPath::parse(text).unwrap(), deletes);
        let mut steps = vec![
            at("a/b", false),
            at("x", true),
            at("a", false),
            at("x/y", true),
        ];
        order(&mut steps);
        let names: Vec<_> = steps.iter().map(|step| step.0.as_str()).collect();
        assert_eq!(names, ["x/y", "x", "a", "a/b"]);
    }
}
