//! Sentences about what a batch does, without a database.
use super::*;
use crate::hub::types::Expect;

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn file(at: &str, text: &str) -> Proposal {
    let content = Content::Inline(text.to_owned().into());
    Proposal {
        path: path(at),
        expect: None,
        change: NewNode::File {
            content,
            executable: false,
            from: None,
        },
    }
}

fn tree(rows: &[(&str, Option<&str>)]) -> Vec<NodeRow> {
    rows.iter()
        .map(|(at, text)| NodeRow {
            path: path(at),
            kind: if text.is_some() {
                Kind::File
            } else {
                Kind::Folder
            },
            hash: text.map(|text| ContentHash::of(text.as_bytes())),
            size: text.map_or(0, str::len) as u64,
            executable: false,
            target: None,
            revision: 1,
        })
        .collect()
}

fn evaluate(rows: Vec<NodeRow>, proposals: &[Proposal], atomic: bool) -> Evaluated {
    let (entries, bytes) = (rows.len() as u64, rows.iter().map(|row| row.size).sum());
    Overlay::new(rows, HashMap::new(), 2, entries, bytes).evaluate(proposals, atomic)
}

fn code(outcome: &ProposalOutcome) -> Option<Code> {
    match outcome {
        ProposalOutcome::Rejected(code, _) => Some(*code),
        _ => None,
    }
}

#[test]
fn a_file_brings_its_folders_along() {
    let done = evaluate(Vec::new(), &[file("a/b/c.txt", "x")], false);
    assert_eq!(done.outcomes, [ProposalOutcome::Applied]);
    let paths: Vec<_> = done
        .effects
        .iter()
        .map(|effect| effect.path.as_str())
        .collect();
    assert_eq!(paths, ["a", "a/b", "a/b/c.txt"]);
    assert_eq!((done.entries, done.bytes), (3, 1));
}

#[test]
fn the_same_content_again_changes_nothing() {
    let done = evaluate(tree(&[("a.txt", Some("x"))]), &[file("a.txt", "x")], false);
    assert_eq!(done.outcomes, [ProposalOutcome::Converged]);
    assert!(done.effects.is_empty());
}

#[test]
fn a_wrong_expectation_is_stale_and_shows_what_stands_there() {
    let mut proposal = file("a.txt", "mine");
    proposal.expect = Some(Expect::Absent);
    let rows = tree(&[("a.txt", Some("theirs"))]);
    let done = evaluate(rows.clone(), &[proposal], false);
    assert_eq!(
        done.outcomes,
        [ProposalOutcome::Stale(Some(rows[0].clone()))]
    );
}

#[test]
fn a_name_that_differs_only_in_case_is_refused_and_a_rename_of_case_is_not() {
    let rows = tree(&[("Readme.md", Some("x"))]);
    let done = evaluate(rows.clone(), &[file("README.md", "y")], false);
    assert_eq!(code(&done.outcomes[0]), Some(Code::PathCaseClash));
    let rename = Proposal {
        path: path("README.md"),
        expect: None,
        change: NewNode::MoveFrom(path("Readme.md")),
    };
    assert_eq!(
        evaluate(rows, &[rename], false).outcomes,
        [ProposalOutcome::Applied]
    );
}

#[test]
fn a_folder_moves_with_all_below_it_but_not_into_itself() {
    let rows = tree(&[
        ("src", None),
        ("src/a.txt", Some("x")),
        ("src/deep", None),
        ("src/deep/b.txt", Some("yy")),
    ]);
    let to = |at: &str| Proposal {
        path: path(at),
        expect: None,
        change: NewNode::MoveFrom(path("src")),
    };
    let done = evaluate(rows.clone(), &[to("lib")], false);
    assert_eq!(done.outcomes, [ProposalOutcome::Applied]);
    assert!(
        done.effects
            .iter()
            .any(|effect| effect.path.as_str() == "lib/deep/b.txt"
                && effect.from == Some(path("src/deep/b.txt")))
    );
    assert_eq!((done.entries, done.bytes), (4, 3));
    assert_eq!(
        code(&evaluate(rows, &[to("src/deep/src")], false).outcomes[0]),
        Some(Code::PathInvalid)
    );
}

#[test]
fn deleting_a_folder_deletes_all_below_it() {
    let rows = tree(&[("a", None), ("a/b.txt", Some("x")), ("ab.txt", Some("y"))]);
    let done = evaluate(
        rows,
        &[Proposal {
            path: path("a"),
            expect: Some(Expect::Folder),
            change: NewNode::Absent,
        }],
        false,
    );
    assert_eq!(done.outcomes, [ProposalOutcome::Applied]);
    assert_eq!((done.entries, done.bytes), (1, 1));
}

#[test]
fn nothing_stands_below_a_file() {
    let done = evaluate(tree(&[("a", Some("x"))]), &[file("a/b", "y")], false);
    assert_eq!(code(&done.outcomes[0]), Some(Code::PathNotFolder));
    assert!(done.effects.is_empty());
}

#[test]
fn an_atomic_batch_does_all_or_nothing() {
    let mut second = file("b.txt", "y");
    second.expect = Some(Expect::Folder);
    let done = evaluate(Vec::new(), &[file("a.txt", "x"), second], true);
    assert!(done.effects.is_empty());
    assert_eq!((done.entries, done.bytes), (0, 0));
    assert!(matches!(
        done.outcomes[0],
        ProposalOutcome::Rejected(Code::Stale, _)
    ));
}

fn link(at: &str, target: &str) -> Proposal {
    Proposal {
        path: path(at),
        expect: None,
        change: NewNode::Symlink {
            target: target.to_owned(),
        },
    }
}

fn remove(at: &str, expect: Expect) -> Proposal {
    Proposal {
        path: path(at),
        expect: Some(expect),
        change: NewNode::Absent,
    }
}

#[test]
fn links_stay_inside() {
    for (at, target) in [
        ("a", "/etc/passwd"),
        ("a", "../x"),
        ("d/a", "../../x"),
        ("a", ""),
        // By the names alone it stays inside, but "b/l" may be a link to "../..".
        ("m", "a/b/l/.."),
        ("a/m", "./b/../c"),
        ("a", "x".repeat(4_096).as_str()),
    ] {
        assert_eq!(
            code(&evaluate(Vec::new(), &[link(at, target)], false).outcomes[0]),
            Some(Code::LinkEscapes),
            "{at} -> {target}"
        );
    }
    for (at, target) in [
        ("d/a", "../b"),
        ("d/e/a", "./.././../b/c"),
        ("d/a", ".."),
        ("a", "x".repeat(4_095).as_str()),
    ] {
        let done = evaluate(Vec::new(), &[link(at, target)], false);
        assert_eq!(
            done.outcomes,
            [ProposalOutcome::Applied],
            "{at} -> {target}"
        );
    }
}

#[test]
fn of_long_links_that_stand_in_the_way_one_answer_tells_a_bounded_part() {
    let made = evaluate(Vec::new(), &[link("l", &"x".repeat(4_000))], false);
    let rows: Vec<_> = made.effects.into_iter().filter_map(|e| e.after).collect();
    let mut asked = link("l", "x");
    asked.expect = Some(Expect::Absent);
    let done = evaluate(rows, &vec![asked; 10_000], false);
    let told = done.outcomes.iter().map(|outcome| match outcome {
        ProposalOutcome::Stale(Some(row)) => row.target.as_ref().map_or(0, String::len),
        _ => 0,
    });
    assert!((1..=1 << 20).contains(&told.sum::<usize>()));
    assert_eq!(code(&done.outcomes[9_999]), Some(Code::InvalidRequest));
}

/// A folder with many files in it.
fn full(folder: &str, files: usize) -> Vec<NodeRow> {
    let mut rows = tree(&[(folder, None)]);
    let file = tree(&[("f", Some("x"))]).remove(0);
    let one = |number| NodeRow {
        path: path(&format!("{folder}/{number}")),
        ..file.clone()
    };
    rows.extend((0..files).map(one));
    rows
}

#[test]
fn whether_a_folder_is_empty_is_found_out_without_a_look_at_all_in_it_and_beside_it() {
    let (many, beside) = (20_000, "a-folder beside it");
    let mut rows = full("a", many);
    rows.extend(full(beside, many));
    let refused = evaluate(rows, &vec![remove("a", Expect::EmptyFolder); 10_000], false);
    let is_stale = |outcome: &ProposalOutcome| matches!(outcome, ProposalOutcome::Stale(Some(_)));
    assert!(refused.outcomes.iter().all(is_stale));
    let mut rows = full(beside, many);
    rows.extend(tree(&[("a", None)]));
    let again = Proposal {
        path: path("a"),
        expect: None,
        change: NewNode::Folder,
    };
    let batch = vec![[remove("a", Expect::EmptyFolder), again]; 5_000].concat();
    let done = evaluate(rows, &batch, false);
    assert_eq!(done.outcomes, vec![ProposalOutcome::Applied; 10_000]);
}

#[test]
fn a_folder_that_goes_back_and_forth_stops_before_it_takes_all_memory() {
    let rename = |from: &str, to: &str| Proposal {
        path: path(to),
        expect: None,
        change: NewNode::MoveFrom(path(from)),
    };
    let batch = vec![[rename("a", "b"), rename("b", "a")]; 5_000].concat();
    let done = evaluate(full("a", 20_000), &batch, false);
    assert_eq!(done.outcomes[9], ProposalOutcome::Applied);
    assert_eq!(code(&done.outcomes[9_999]), Some(Code::InvalidRequest));
    assert!(done.effects.len() < 500_000);
}

#[test]
fn a_link_that_stays_inside_from_where_it_stands_does_not_move_to_where_it_leads_out() {
    let made = evaluate(Vec::new(), &[link("a/b/l", "../../x")], false);
    let rows: Vec<_> = made.effects.into_iter().filter_map(|e| e.after).collect();
    for (from, to) in [("a/b/l", "l"), ("a/b", "b")] {
        let change = NewNode::MoveFrom(path(from));
        let rename = Proposal {
            path: path(to),
            expect: None,
            change,
        };
        let done = evaluate(rows.clone(), &[rename], false);
        assert_eq!(code(&done.outcomes[0]), Some(Code::LinkEscapes), "{from}");
        assert!(done.effects.is_empty());
    }
}

#[test]
fn where_a_file_stood_before_is_noted_as_far_as_that_is_true() {
    let rows = tree(&[("a.txt", Some("x")), ("b.txt", Some("y")), ("d", None)]);
    let moved = |from: &str| {
        let mut file = file("new.txt", "x");
        if let NewNode::File { from: told, .. } = &mut file.change {
            *told = Some(path(from));
        }
        file
    };
    let gone = |at: &str| remove(at, Expect::Content(ContentHash::of(b"x")));
    for (batch, noted) in [
        (vec![gone("a.txt"), moved("a.txt")], true),
        (vec![moved("a.txt"), gone("a.txt")], true),
        (vec![moved("a.txt"), file("a.txt", "another")], true),
        // It still stands there, or again.
        (vec![moved("a.txt")], false),
        (
            vec![gone("a.txt"), file("a.txt", "x"), moved("a.txt")],
            false,
        ),
        // Something else did.
        (vec![gone("b.txt"), moved("b.txt")], false),
        (
            vec![file("b.txt", "x"), file("b.txt", "z"), moved("b.txt")],
            false,
        ),
        (vec![remove("d", Expect::Folder), moved("d")], false),
        (vec![gone("c.txt"), moved("c.txt")], false),
        (vec![moved("new.txt")], false),
    ] {
        let done = evaluate(rows.clone(), &batch, false);
        let new = done.effects.iter().find(|e| e.path == path("new.txt"));
        let from = new.unwrap().from.as_ref();
        assert_eq!(from, noted.then(|| path("a.txt")).as_ref(), "{batch:?}");
    }
}

#[test]
fn what_is_deleted_first_may_come_again_as_another_kind_in_the_same_batch() {
    let rows = tree(&[
        ("d", None),
        ("d/sub", None),
        ("d/sub/x", Some("1")),
        ("d/y", Some("2")),
        ("f", Some("3")),
    ]);
    let content = |text: &str| Expect::Content(ContentHash::of(text.as_bytes()));
    let mut onto_folder = file("d", "now a file");
    onto_folder.expect = Some(Expect::Absent);
    let mut below_file = file("f/in", "now in a folder");
    below_file.expect = Some(Expect::Absent);
    let batch = [
        remove("d/sub/x", content("1")),
        remove("d/sub", Expect::Folder),
        remove("d/y", content("2")),
        remove("d", Expect::Folder),
        onto_folder,
        remove("f", content("3")),
        Proposal {
            path: path("f"),
            expect: Some(Expect::Absent),
            change: NewNode::Folder,
        },
        below_file,
    ];
    for atomic in [false, true] {
        let done = evaluate(rows.clone(), &batch, atomic);
        assert_eq!(done.outcomes, vec![ProposalOutcome::Applied; batch.len()]);
        assert_eq!((done.entries, done.bytes), (3, 10 + 15));
    }
}

#[test]
fn a_refused_operation_leaves_the_others_and_no_trace_of_itself() {
    let done = evaluate(
        tree(&[("a", Some("x"))]),
        &[file("n/e/w.txt", "1"), file("a/b", "2"), file("z.txt", "3")],
        false,
    );
    assert!(matches!(
        done.outcomes.as_slice(),
        [
            ProposalOutcome::Applied,
            ProposalOutcome::Rejected(..),
            ProposalOutcome::Applied
        ]
    ));
    assert_eq!(done.entries, 1 + 3 + 1);
}
