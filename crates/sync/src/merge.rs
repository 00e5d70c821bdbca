//! Joins two edits of one text. Only what is certain is joined: hunks that touch, and anything but plain text, are
//! left to a conflict copy. No markers: a workspace runs its files.
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};
use saphyr_parser::Parser;
use serde::de::IgnoredAny;
use slipway_core::limits::MERGED_BYTES_MAX;

/// Joins the edits of two sides of one base; `None` when a person must look.
///
/// Every line of the result stands in one of the three texts, and every line that a side put in stands in the result.
/// The order of the sides does not matter.
#[must_use]
pub fn merge(path: &str, base: &[u8], one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    if one == other || base == other {
        return Some(one.to_vec());
    }
    if base == one {
        return Some(other.to_vec());
    }
    let [base, one, other] = [text(base)?, text(one)?, text(other)?];
    if !keep_one_line_end([base, one, other]) {
        return None;
    }
    let merged = join(base, one, other)?;
    let broken = |text: &str| !is_read(path, text);
    (!broken(&merged) || broken(one) || broken(other)).then(|| merged.into_bytes())
}

/// Plain text of a size that is merged.
fn text(bytes: &[u8]) -> Option<&str> {
    if bytes.len() as u64 > MERGED_BYTES_MAX || bytes.contains(&0) {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

/// Whether all lines end alike; an editor that holds one kind of end would change the others without a word.
fn keep_one_line_end(texts: [&str; 3]) -> bool {
    let count = |end: &str| -> usize { texts.iter().map(|text| text.matches(end).count()).sum() };
    let with_return = count("\r\n");
    with_return == 0 || with_return == count("\n")
}

/// Whether a text still is what the end of its name says. Of what no parser is at hand for, any text is.
fn is_read(path: &str, text: &str) -> bool {
    let end = path
        .rsplit_once('.')
        .map(|(_, end)| end.to_ascii_lowercase());
    match end.as_deref() {
        Some("json" | "ipynb") => serde_json::from_str::<IgnoredAny>(text).is_ok(),
        Some("toml") => toml::from_str::<IgnoredAny>(text).is_ok(),
        Some("yaml" | "yml") => Parser::new_from_str(text).all(|event| event.is_ok()),
        _ => true,
    }
}

/// A part of the base that a side wrote anew, in lines.
#[derive(Clone)]
struct Hunk {
    base: Range<usize>,
    side: Range<usize>,
}

struct Side<'a> {
    lines: Vec<&'a str>,
    hunks: Vec<Hunk>,
}

impl<'a> Side<'a> {
    fn new(base: &'a str, side: &'a str) -> Self {
        // Lines with their ends, so that a missing last end is a difference like any other.
        let mut input = InternedInput::default();
        input.update_before(base.split_inclusive('\n'));
        input.update_after(side.split_inclusive('\n'));
        let mut diff = Diff::compute(Algorithm::Histogram, &input);
        diff.postprocess_no_heuristic(&input);
        let lines = |range: Range<u32>| range.start as usize..range.end as usize;
        let hunks = diff.hunks().map(|hunk| Hunk {
            base: lines(hunk.before),
            side: lines(hunk.after),
        });
        Self {
            hunks: hunks.collect(),
            lines: side.split_inclusive('\n').collect(),
        }
    }

    /// What this side has in place of a region of the base whose borders no hunk of it crosses.
    fn replacement(&self, hunks: &[Hunk], region: &Range<usize>) -> Vec<&'a str> {
        // Outside of hunks both run in step, so the borders are as far from the hunks on either side.
        let Some((first, last)) = hunks.first().zip(hunks.last()) else {
            return Vec::new();
        };
        let from = first.side.start - (first.base.start - region.start);
        let to = last.side.end + (region.end - last.base.end);
        self.lines[from..to].to_vec()
    }
}

/// Both sides' hunks in the base's place, as long as none of one side touches one of the other.
fn join(base: &str, one: &str, other: &str) -> Option<String> {
    let lines: Vec<&str> = base.split_inclusive('\n').collect();
    let (one, other) = (Side::new(base, one), Side::new(base, other));
    let (mut first, mut second) = (one.hunks.as_slice(), other.hunks.as_slice());
    let mut out = String::new();
    let mut at = 0;
    while let Some(region) = next_region(first, second) {
        let (of_one, rest_one) = split(first, &region);
        let (of_other, rest_other) = split(second, &region);
        out.extend(lines[at..region.start].iter().copied());
        let replaced = match (of_one.is_empty(), of_other.is_empty()) {
            (false, true) => one.replacement(of_one, &region),
            (true, false) => other.replacement(of_other, &region),
            _ => {
                let replaced = one.replacement(of_one, &region);
                if replaced != other.replacement(of_other, &region) {
                    return None;
                }
                replaced
            }
        };
        out.extend(replaced);
        at = region.end;
        (first, second) = (rest_one, rest_other);
    }
    out.extend(lines[at..].iter().copied());
    Some(out)
}

/// The next part of the base in which hunks touch each other.
fn next_region(one: &[Hunk], other: &[Hunk]) -> Option<Range<usize>> {
    let mut sides = [one.iter().peekable(), other.iter().peekable()];
    let first = [one.first(), other.first()].into_iter().flatten();
    let start = first.map(|hunk| hunk.base.start).min()?;
    let mut region = start..start;
    while let Some(hunk) = sides
        .iter_mut()
        .find_map(|side| side.next_if(|hunk| hunk.base.start <= region.end))
    {
        region.end = region.end.max(hunk.base.end);
    }
    Some(region)
}

fn split<'a>(hunks: &'a [Hunk], region: &Range<usize>) -> (&'a [Hunk], &'a [Hunk]) {
    let many = hunks.partition_point(|hunk| hunk.base.start <= region.end);
    hunks.split_at(many)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn merged(base: &str, one: &str, other: &str) -> Option<String> {
        merge("a.txt", base.as_bytes(), one.as_bytes(), other.as_bytes())
            .map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// A text of the cases: whole, or in pieces of which some are repeated.
    fn text_of(value: &Value) -> String {
        match value {
            Value::Array(pieces) => pieces.iter().map(text_of).collect(),
            Value::Object(piece) => {
                let times = piece["times"].as_u64().unwrap();
                piece["of"].as_str().unwrap().repeat(times as usize)
            }
            whole => whole.as_str().unwrap().to_owned(),
        }
    }

    #[test]
    fn the_cases_that_the_browser_shares() {
        let file: Value = serde_json::from_str(include_str!("../cases/merge.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let [base, one, other] = ["base", "one", "other"].map(|side| text_of(&case[side]));
            let wanted = (!case["merged"].is_null()).then(|| text_of(&case["merged"]).into_bytes());
            let path = case["path"].as_str().unwrap();
            for [one, other] in [[&one, &other], [&other, &one]] {
                let merged = merge(path, base.as_bytes(), one.as_bytes(), other.as_bytes());
                assert!(merged == wanted, "{}", case["name"]);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_left_to_a_person() {
        assert!(merge("a", b"\xff\n2\n3\n", b"\xff\n2\nc\n", b"\xfe\n2\n3\n").is_none());
    }

    /// A text of few different lines, so that sides repeat each other's.
    fn any_text() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(0_u8..5, 0..14)
    }
    /// An edit: some lines out, some in.
    fn edited(text: &[u8], edit: &[(usize, bool, u8)]) -> Vec<u8> {
        let mut text = text.to_vec();
        for (place, put, line) in edit {
            let at = place % (text.len() + 1);
            if *put {
                text.insert(at, *line);
            } else if at < text.len() {
                text.remove(at);
            }
        }
        text
    }
    fn any_edit() -> impl Strategy<Value = Vec<(usize, bool, u8)>> {
        prop::collection::vec((0_usize..14, any::<bool>(), 5_u8..9), 0..4)
    }
    fn written(lines: &[u8]) -> String {
        lines.iter().map(|line| format!("line {line}\n")).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_laws_of_merging(base in any_text(), one in any_edit(), other in any_edit()) {
            let (a, b) = (written(&edited(&base, &one)), written(&edited(&base, &other)));
            let base = written(&base);
            prop_assert_eq!(merged(&base, &a, &base), Some(a.clone()));
            prop_assert_eq!(merged(&base, &base, &b), Some(b.clone()));
            prop_assert_eq!(merged(&base, &a, &a), Some(a.clone()));
            let joined = merged(&base, &a, &b);
            prop_assert_eq!(&joined, &merged(&base, &b, &a), "symmetric");
            let Some(joined) = joined else { return Ok(()) };
            // Lines 5 and up come from edits alone: none is lost, none is made up or doubled.
            for line in 5..9 {
                let line = format!("line {line}\n");
                let count = |text: &str| text.matches(line.as_str()).count();
                prop_assert!(count(&joined) >= count(&a).max(count(&b)), "a line of a side is lost");
                prop_assert!(count(&joined) <= count(&a) + count(&b), "a line is doubled");
            }
            // Merging again with either side changes nothing.
            prop_assert_eq!(merged(&a, &joined, &a), Some(joined.clone()));
        }
    }
}
