//! Tests of `Checkpoint`: a screen that was restored and goes on is the screen that saw everything.
use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { cols: 20, rows: 6 };

/// What a viewer shows after some output, in a form that can be compared.
fn shown(output: &[u8]) -> Vec<u8> {
    let (size, rows) = measured(SIZE);
    let mut term = Term::new(rows, size);
    term.process(output);
    term.contents(ContentRegion::Screen)
}

/// The same when the first part was seen by a checkpoint only.
fn restored(output: &[u8], cut: usize, piece: usize) -> Vec<u8> {
    let mut checkpoint = Checkpoint::new(SIZE);
    for bytes in output[..cut].chunks(piece.max(1)) {
        checkpoint.take(bytes);
    }
    // A viewer that was left in any state.
    let mut seen = b"junk\x1b[?1049h\x1b[31m\x1b[2;3r\x1b[?6h\x1b[31".to_vec();
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
fn of_a_flood_of_plain_lines_only_what_is_still_shown_is_looked_at() {
    let flood: String = (0..5_000).map(|n| format!("line {n}\r\n")).collect();
    assert!(visible(flood.as_bytes(), 6).len() < 100);
    assert_eq!(
        restored(flood.as_bytes(), flood.len(), 4_096),
        shown(flood.as_bytes())
    );
    let coloured = format!("\x1b[31m{flood}");
    assert_eq!(visible(coloured.as_bytes(), 6).len(), coloured.len());
}

#[test]
fn an_endless_sequence_stays_bounded() {
    let mut checkpoint = Checkpoint::new(SIZE);
    checkpoint.take(b"\x1b]0;");
    for _ in 0..100 {
        checkpoint.take(&[b'x'; 4_096]);
    }
    assert!(checkpoint.pending.len() <= PENDING_BYTES_MAX);
    checkpoint.take(b"\x07done");
    assert!(checkpoint.pending.is_empty());
}

#[test]
fn sizes_change_on_the_way() {
    let mut checkpoint = Checkpoint::new(SIZE);
    checkpoint.take(b"one\r\ntwo");
    checkpoint.resize(Size { cols: 40, rows: 3 });
    checkpoint.take(b"\r\nthree");
    assert!(String::from_utf8_lossy(&checkpoint.restore()).contains("three"));
}

/// Without switches to the screen that is shown already: entered twice, the alternate one keeps a saved cursor that
/// outlives it. The emulator does not tell of that, and no program asks for it.
fn entered_once(mut parts: Vec<String>) -> Vec<String> {
    let mut alternate = false;
    parts.retain(|part| match part.as_str() {
        "\x1b[?1049h" => !std::mem::replace(&mut alternate, true),
        "\x1b[?1049l" => std::mem::replace(&mut alternate, false),
        _ => true,
    });
    parts
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
            Just("\x1b[2;5r".to_owned()), Just("\x1b[r".to_owned()), Just("\x1b]0;a title\x07".to_owned()),
        ], 0..25),
        cut in any::<prop::sample::Index>(),
        piece in 1usize..64,
    ) {
        let output = entered_once(parts).concat().into_bytes();
        let cut = cut.index(output.len() + 1);
        let (restored, shown) = (restored(&output, cut, piece), shown(&output));
        prop_assert_eq!(String::from_utf8_lossy(&restored), String::from_utf8_lossy(&shown));
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
