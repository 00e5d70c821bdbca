//! Decides for one path out of its three states. Total: every combination has exactly one answer.
use crate::node::Node;

/// What is to be done at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// All three agree.
    Nothing,
    /// Disk and hub agree; the base takes their state.
    Adopt,
    /// The disk changed: propose its state, expecting the base at the hub.
    Propose,
    /// The hub changed: bring its state to the disk, expecting the base there.
    Apply,
    /// Both changed: the hub keeps the name, what the disk has moves to a conflict copy first.
    Conflict,
    /// The disk lost what the hub changed: the edit wins and comes back.
    Restore,
    /// The hub lost what the disk changed: the edit wins and is proposed as new.
    ProposeAnew,
}

/// Decides. `None` means that nothing stands there.
#[must_use]
pub fn reconcile(base: Option<&Node>, local: Option<&Node>, remote: Option<&Node>) -> Decision {
    if local == remote {
        return if base == local {
            Decision::Nothing
        } else {
            Decision::Adopt
        };
    }
    match (local == base, remote == base) {
        (true, true) => Decision::Nothing,
        (true, false) => Decision::Apply,
        (false, true) => Decision::Propose,
        (false, false) => match (local, remote) {
            (None, _) => Decision::Restore,
            (Some(_), None) => Decision::ProposeAnew,
            // A folder on both sides is equal; here at least one side is something else.
            (Some(_), Some(_)) => Decision::Conflict,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use slipway_core::hash::ContentHash;

    fn file(text: &str) -> Node {
        Node::File {
            hash: ContentHash::of(text.as_bytes()),
            size: text.len() as u64,
            executable: false,
        }
    }

    #[test]
    fn the_table() {
        let (a, b, c) = (file("a"), file("b"), file("c"));
        let cases = [
            (
                Some(&a),
                Some(&a),
                Some(&a),
                Decision::Nothing,
                "nothing changed",
            ),
            (
                Some(&a),
                Some(&b),
                Some(&a),
                Decision::Propose,
                "the disk changed",
            ),
            (
                Some(&a),
                Some(&a),
                Some(&b),
                Decision::Apply,
                "the hub changed",
            ),
            (
                Some(&a),
                Some(&b),
                Some(&b),
                Decision::Adopt,
                "both made the same change",
            ),
            (
                Some(&a),
                Some(&b),
                Some(&c),
                Decision::Conflict,
                "both changed differently",
            ),
            (
                Some(&a),
                None,
                Some(&a),
                Decision::Propose,
                "the disk deleted",
            ),
            (Some(&a), Some(&a), None, Decision::Apply, "the hub deleted"),
            (Some(&a), None, None, Decision::Adopt, "both deleted"),
            (
                Some(&a),
                None,
                Some(&b),
                Decision::Restore,
                "deleted here, edited there: the edit wins",
            ),
            (
                Some(&a),
                Some(&b),
                None,
                Decision::ProposeAnew,
                "edited here, deleted there: the edit wins",
            ),
            (
                None,
                Some(&a),
                Some(&b),
                Decision::Conflict,
                "both created differently",
            ),
            (None, Some(&a), None, Decision::Propose, "created here"),
            (None, None, Some(&a), Decision::Apply, "created there"),
            (
                None,
                Some(&a),
                Some(&a),
                Decision::Adopt,
                "both created the same",
            ),
            (
                Some(&a),
                Some(&Node::Folder),
                Some(&b),
                Decision::Conflict,
                "a folder here, an edit there",
            ),
        ];
        for (base, local, remote, wanted, sentence) in cases {
            assert_eq!(reconcile(base, local, remote), wanted, "{sentence}");
        }
    }

    fn any_node() -> impl Strategy<Value = Option<Node>> {
        prop_oneof![
            Just(None),
            Just(Some(Node::Folder)),
            "[abc]".prop_map(|text| Some(file(&text))),
            "[ab]".prop_map(|target| Some(Node::Symlink { target })),
        ]
    }

    /// The three states after a decision was carried out without disturbance.
    fn carried_out(
        base: Option<Node>,
        local: Option<Node>,
        remote: Option<Node>,
    ) -> (Option<Node>, Option<Node>, Option<Node>) {
        match reconcile(base.as_ref(), local.as_ref(), remote.as_ref()) {
            Decision::Nothing => (base, local, remote),
            Decision::Adopt | Decision::Propose | Decision::ProposeAnew => {
                (local.clone(), local.clone(), local)
            }
            Decision::Apply | Decision::Restore | Decision::Conflict => {
                (remote.clone(), remote.clone(), remote)
            }
        }
    }

    proptest! {
        #[test]
        fn one_decision_brings_peace(base in any_node(), local in any_node(), remote in any_node()) {
            let (base, local, remote) = carried_out(base, local, remote);
            prop_assert_eq!(&local, &remote);
            prop_assert_eq!(reconcile(base.as_ref(), local.as_ref(), remote.as_ref()), Decision::Nothing);
        }

        #[test]
        fn nothing_is_deleted_that_was_not_agreed_on(local in any_node(), remote in any_node()) {
            // An empty, lost or foreign base never deletes on either side.
            let decision = reconcile(None, local.as_ref(), remote.as_ref());
            if remote.is_none() {
                prop_assert!(!matches!(decision, Decision::Apply | Decision::Restore), "would delete on the disk");
            }
            if local.is_none() {
                prop_assert!(!matches!(decision, Decision::Propose | Decision::ProposeAnew), "would delete at the hub");
            }
        }

        #[test]
        fn a_change_of_one_side_is_never_overwritten(base in any_node(), local in any_node(), remote in any_node()) {
            let decision = reconcile(base.as_ref(), local.as_ref(), remote.as_ref());
            if local != base && local.is_some() && local != remote {
                prop_assert!(matches!(decision, Decision::Propose | Decision::ProposeAnew | Decision::Conflict));
            }
            if remote != base && remote.is_some() && local != remote {
                prop_assert!(matches!(decision, Decision::Apply | Decision::Restore | Decision::Conflict));
            }
        }
    }
}
