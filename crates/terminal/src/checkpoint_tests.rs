//! Tests of `Checkpoint`: a screen that was restored and goes on is the screen that saw everything.
use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { cols: 20, rows: 6 };

/// What a viewer shows and keeps after some output, in a form that can be compared.
fn shown(output: &[u8]) -> String {
    let size = emulated(SIZE);
    let mut term = Term::new(size.height, size);
    term.process(output);
    let mut both = term.contents(ContentRegion::Screen);
    // The screen that is not shown, and the cursor that was saved in it.
    term.process(SHOW_ALTERNATE);
    both.extend(term.contents(ContentRegion::Screen));
    trimmed(&String::from_utf8_lossy(&both))
}

/// Leaves out plain blanks at the end of a row, and rows of nothing at the end. They look like nothing, and a wrap that is still to come can be restored
/// only by printing one.
fn trimmed(contents: &str) -> String {
    let goes_on_elsewhere = |sequence: &str| {
        let action = sequence.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        action.starts_with(['H', 'r']) || action.starts_with("?6")
    };
    let mut pieces: Vec<&str> = contents.split("\x1b[").collect();
    for at in 1..pieces.len() {
        if goes_on_elsewhere(pieces[at]) {
            pieces[at - 1] = pieces[at - 1].trim_end_matches([' ', '\r', '\n']);
        }
    }
    let contents = pieces.join("\x1b[");
    let rows = contents.split("\r\n").map(|row| row.trim_end_matches(' '));
    rows.collect::<Vec<_>>().join("\r\n")
}

/// The same when the first part was seen by a checkpoint only.
fn restored(output: &[u8], cut: usize, piece: usize) -> String {
    let mut checkpoint = Checkpoint::new(SIZE);
    for bytes in output[..cut].chunks(piece.max(1)) {
        checkpoint.take(bytes);
        // As if that were many.
        checkpoint.condense(4 * piece);
        // Others look meanwhile.
        checkpoint.restore();
    }
    // A viewer that was left in any state.
    let mut seen =
        b"junk\x1b7\x1b[?1049h\x1b[31m\x1b[2;3r\x1b[?6h\x1b[2;3H\x1b7\x1b[9G\x1bH\x1b[31".to_vec();
    seen.extend(checkpoint.restore());
    seen.extend_from_slice(&output[cut..]);
    shown(&seen)
}

#[test]
fn a_full_screen_program_is_whole_wherever_the_log_begins() {
    let output = "$ vi\r\n\x1b[?1049h\x1b[2J\x1b[2;5r\x1b[1;1H\x1b[7m grüße.txt \x1b[0m\x1b[3;4Hcafé 漢字\x1b[6;1H\x1b[1;32m-- INSERT --\x1b[0m\x1b[3;9H\x1b]0;vi\x07x"
        .as_bytes();
    for cut in 0..=output.len() {
        assert_eq!(
            restored(output, cut, 7),
            shown(output),
            "{}",
            String::from_utf8_lossy(&output[..cut])
        );
    }
}

#[test]
fn a_cursor_that_was_saved_in_the_screen_that_is_not_shown_is_kept() {
    let output = b"main\x1b[?1049hone\x1b[4;9H\x1b7\x1b[?1049l$ two\x1b[?47h\x1b8three";
    for cut in 0..=output.len() {
        let (restored, shown) = (restored(output, cut, 5), shown(output));
        assert_eq!(restored, shown, "{cut}");
    }
}

#[test]
fn an_endless_sequence_stays_bounded() {
    let mut checkpoint = Checkpoint::new(SIZE);
    checkpoint.take(b"\x1b]0;");
    for _ in 0..100 {
        checkpoint.take(&[b'x'; 4_096]);
    }
    assert!(checkpoint.unseen.len() <= UNSEEN_BYTES_MAX);
    // Its end may come in two.
    checkpoint.take(b"\x1b");
    checkpoint.condense(0);
    assert!(checkpoint.unseen.len() <= UNFINISHED_BYTES_MAX);
    checkpoint.take(b"\\done");
    checkpoint.condense(0);
    assert!(checkpoint.unseen.is_empty());
    assert!(String::from_utf8_lossy(&checkpoint.restore()).contains("done"));
}

#[test]
fn sizes_change_on_the_way() {
    let mut checkpoint = Checkpoint::new(SIZE);
    checkpoint.take(b"one\r\ntwo");
    checkpoint.resize(Size { cols: 40, rows: 3 });
    checkpoint.take(b"\r\nthree");
    assert!(String::from_utf8_lossy(&checkpoint.restore()).contains("three"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_restored_screen_goes_on_as_the_one_that_saw_everything(
        parts in prop::collection::vec(prop_oneof![
            "[a-z ]{0,30}", Just("\r\n".to_owned()), Just("漢字".to_owned()),
            (1u8..8, 1u8..24).prop_map(|(row, col)| format!("\x1b[{row};{col}H")),
            Just("\x1b[K".to_owned()), Just("\x1b[J".to_owned()), Just("\x1b[32m".to_owned()), Just("\x1b[0m".to_owned()),
            Just("\x1b[?1049h".to_owned()), Just("\x1b[?1049l".to_owned()), Just("\x1b[?2004h".to_owned()),
            Just("\x1b[?47h".to_owned()), Just("\x1b[?47l".to_owned()), Just("\x1b[?1047l".to_owned()),
            Just("\x1b7".to_owned()), Just("\x1b8".to_owned()), Just("\x1b[s".to_owned()), Just("\x1b[u".to_owned()),
            Just("\x1b[?6h".to_owned()), Just("\x1b[?6l".to_owned()), Just("\x1b(0".to_owned()), Just("\x1b(B".to_owned()),
            Just("\x1bH".to_owned()), Just("\x1b[3g".to_owned()), Just("\t".to_owned()),
            Just("\x1b[!p".to_owned()), Just("\x1bc".to_owned()),
            Just("\x1b[2;5r".to_owned()), Just("\x1b[r".to_owned()), Just("\x1b]0;a title\x07".to_owned()),
        ], 0..25),
        cut in any::<prop::sample::Index>(),
        piece in 1usize..64,
    ) {
        let output = parts.concat().into_bytes();
        let cut = cut.index(output.len() + 1);
        let (restored, shown) = (restored(&output, cut, piece), shown(&output));
        prop_assert_eq!(restored, shown);
    }

    #[test]
    fn no_output_makes_it_fail(
        output in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), b'0'..=b'z'], 0..3000),
        cols in 1u32..120, rows in 1u32..50,
    ) {
        let mut checkpoint = Checkpoint::new(Size { cols, rows });
        checkpoint.take(&output);
        checkpoint.resize(Size { cols: rows, rows: cols });
        checkpoint.take(&output);
        checkpoint.restore();
    }
}
