//! Tests of `Answerer`: every question, the cursor under what programs do to it, and pieces of any length.
use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { cols: 80, rows: 24 };

fn answers(output: &str) -> String {
    let answers = Answerer::new(SIZE).follow(output.as_bytes());
    String::from_utf8(answers).unwrap()
}

/// Where the cursor is after some output.
fn place(output: &str) -> String {
    answers(&format!("{output}\x1b[6n"))
}

#[test]
fn every_question_is_answered() {
    for (question, answer) in [
        ("\x1b[c", "\x1b[?1;2c"),
        ("\x1b[0c", "\x1b[?1;2c"),
        ("\x1b[>c", "\x1b[>0;276;0c"),
        ("\x1b[5n", "\x1b[0n"),
        ("\x1b[6n", "\x1b[1;1R"),
        ("\x1b[?6n", "\x1b[?1;1R"),
        ("\x1b[?996n", "\x1b[?997;1n"),
        ("\x1b[?2004$p", "\x1b[?2004;2$y"),
        ("\x1b[?2004h\x1b[?2004$p", "\x1b[?2004;1$y"),
        ("\x1b[?7$p", "\x1b[?7;1$y"),
        ("\x1b[?1049h\x1b[?47$p", "\x1b[?47;1$y"),
        ("\x1b[?31337$p", "\x1b[?31337;0$y"),
        ("\x1b[4h\x1b[4$p", "\x1b[4;1$y"),
        ("\x1b]11;?\x07", "\x1b]11;rgb:1313/1818/1f1f\x07"),
        ("\x1b]10;?\x1b\\", "\x1b]10;rgb:eaea/eded/f1f1\x1b\\"),
        ("\x1bP$qm\x1b\\", "\x1bP0$r\x1b\\"),
        ("\x1bP+q544e\x1b\\", "\x1bP0+r544e\x1b\\"),
    ] {
        assert_eq!(answers(question), answer, "{question:?}");
    }
    let name = answers("\x1b[>q");
    assert!(
        name.starts_with("\x1bP>|Slipway(") && name.ends_with(")\x1b\\"),
        "{name:?}"
    );
}

#[test]
fn what_is_no_question_is_not_answered() {
    for output in [
        "plain",
        "\x1b[1c",
        "\x1b[?1;2c",
        "\x1b[1;1R",
        "\x1b]11;#101010\x07",
        "\x1b]0;a title?\x07",
        "\x1b[0n",
        "\x1bP1$r0m\x1b\\",
        "\x1b[?u",
    ] {
        assert_eq!(answers(output), "", "{output:?}");
    }
}

#[test]
fn the_cursor_is_followed() {
    for (output, at) in [
        ("ab\r\ncd", "2;3"),
        ("漢字e\u{301}", "1;6"),
        (&"x".repeat(80), "1;80"),
        (&format!("{}\nyy", "x".repeat(80)), "3;2"),
        (&format!("{}\ty", "x".repeat(80)), "2;2"),
        (&"x".repeat(81), "2;2"),
        (&format!("{}漢", "x".repeat(79)), "2;3"),
        (&"\n".repeat(100), "24;1"),
        ("\x1b[10;20H", "10;20"),
        ("\x1b[999;999H", "24;80"),
        ("\x1b[10;20H\x1b[A\x1b[2B\x1b[3C\x1b[D", "11;22"),
        ("\x1b[5;10r\x1b[?6h\x1b[99H", "6;1"),
        ("\x1b[5;10r\x1b[10H\n\n\x1b[99B", "10;1"),
        ("\x1b[3;4H\x1b7\x1b[9;9H\x1b8", "3;4"),
        ("\x1b[3;4H\x1b[?1049h\x1b[9;9H\x1b[?1049l", "3;4"),
        ("a\tb\t\x1b[Z", "1;9"),
        ("\x1b[3g\x1b[1;5H\x1bH\r\t", "1;5"),
        ("x\x1b[9b", "1;11"),
        ("\x1b[5;5H\x1bc", "1;1"),
        ("abc\x08\x08", "1;2"),
        ("\x1b[?7lx\x1b[200Cyz", "1;80"),
    ] {
        assert_eq!(place(output), format!("\x1b[{at}R"), "{output:?}");
    }
}

#[test]
fn sizes_and_colours_of_the_viewer_are_known() {
    let mut answerer = Answerer::new(SIZE);
    answerer.follow(b"\x1b[24;80H");
    answerer.resize(Size { cols: 40, rows: 10 });
    assert_eq!(answerer.follow(b"\x1b[6n"), b"\x1b[10;40R");
    answerer.set_colours(Colours {
        foreground: 0,
        background: 0x00ff_ffff,
    });
    let asked = answerer.follow(b"\x1b]11;?\x07\x1b[?996n");
    assert_eq!(asked, b"\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?997;2n");
}

#[test]
fn a_flood_of_questions_is_not_a_flood_of_answers() {
    assert!(answers(&"\x1b[c".repeat(100_000)).len() <= ANSWERS_BYTES_MAX);
}

proptest! {
    #[test]
    fn pieces_of_any_length_get_the_same_answers(
        parts in prop::collection::vec(prop_oneof![
            Just("\x1b[6n".to_owned()), Just("\x1b[c".to_owned()), Just("\x1b]11;?\x1b\\".to_owned()),
            Just("\x1b[?25$p".to_owned()), Just("\x1b[>q".to_owned()), Just("grüße 漢\r\n".to_owned()),
            "\\PC{0,20}", Just("\x1b[3;9H".to_owned()), Just("\x1bP+q5463\x1b\\".to_owned()),
        ], 0..20),
        cut in 1usize..9,
    ) {
        let output = parts.concat();
        let whole = Answerer::new(SIZE).follow(output.as_bytes());
        let mut answerer = Answerer::new(SIZE);
        let pieces: Vec<u8> = output.as_bytes().chunks(cut).flat_map(|piece| answerer.follow(piece)).collect();
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn what_passes_by_the_parser_is_followed_as_by_it(
        parts in prop::collection::vec(prop_oneof![
            "[a-z]{0,40}".prop_map(String::into_bytes), "(é|漢|\\t|©|\r\n|\x08|\u{8d}|x|\u{301}){0,20}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..6),
            prop::sample::select(vec![
                "\x1b[3;9H", "\x1b[?7l", "\x1b[?7h", "\x1b[2;4r", "\x1b[20h", "\x1b7", "\x1b8", "\x1b[31m", "\x1b]0;title\x07",
                "\x1b[6n", "\x1bP+q5463\x1b\\", "\x1b[3", "\x1b]0;endless", "\x18", "\x1b[4b",
            ]).prop_map(|sequence| sequence.as_bytes().to_vec()),
            Just([b"\x1b]0;".to_vec(), vec![b'x'; 2 * CUT_BYTES_MAX]].concat()),
        ], 0..20),
        cut in 1usize..300, cols in 1u32..30,
    ) {
        let mut output = parts.concat();
        output.extend(b"\x18\x1b[6n");
        let size = Size { cols, rows: 6 };
        let mut alone = Answerer::new(size);
        alone.parser.advance(&mut alone.seen, &output);
        let mut answerer = Answerer::new(size);
        let pieces: Vec<u8> = output.chunks(cut).flat_map(|piece| answerer.follow(piece)).collect();
        prop_assert_eq!(String::from_utf8_lossy(&pieces), String::from_utf8_lossy(&alone.seen.answers), "{} {:?}", cut, output.escape_ascii().to_string().replace("xx", ""));
    }

    #[test]
    fn no_output_makes_it_fail(output in prop::collection::vec(any::<u8>(), 0..2000), cols in 1u32..300, rows in 1u32..100) {
        let mut answerer = Answerer::new(Size { cols, rows });
        answerer.follow(&output);
        answerer.resize(Size { cols: rows, rows: cols });
        answerer.follow(&output);
        let place = answerer.follow(b"\x18\x1b[6n");
        prop_assert!(place.ends_with(b"R"));
    }
}
