//! Counting what test runners report, so that one line can speak for all of them.
use anyhow::Result;

/// Tests that passed, failed and were skipped.
#[derive(Default)]
pub struct Count {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    skipped: Vec<String>,
    failures: Vec<String>,
}

impl Count {
    /// A check that counts as one test.
    pub fn of(name: &str, result: Result<()>) -> Self {
        match result {
            Ok(()) => Self {
                passed: 1,
                ..Self::default()
            },
            Err(error) => {
                step_error(name, &error);
                Self {
                    failed: 1,
                    failures: vec![name.to_owned()],
                    ..Self::default()
                }
            }
        }
    }

    /// A check that cannot be made here.
    pub fn skip(name: &str, reason: &str) -> Self {
        Self {
            skipped: vec![format!("{name}: {reason}")],
            ..Self::default()
        }
    }

    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped);
        self.failures.extend(other.failures);
    }

    /// Reads the closing lines of `cargo test`, and the lines `SKIP name: reason` that our tests print.
    pub fn cargo(ok: bool, output: &str) -> Self {
        let mut count = Self::default();
        for line in output.lines() {
            if let Some(rest) = line.strip_prefix("test result: ") {
                count.passed += number_before(rest, " passed");
                count.failed += number_before(rest, " failed");
            } else if let Some(start) = line.find("SKIP ") {
                count.skipped.push(line[start + 5..].to_owned());
            } else if let Some(name) = line
                .strip_prefix("    ")
                .filter(|name| !name.contains(' ') && name.contains("::"))
            {
                count.failures.push(name.to_owned());
            }
        }
        // A skipped test returns early, which its runner counts as passed.
        count.skipped.sort();
        count.skipped.dedup();
        count.passed = count.passed.saturating_sub(count.skipped.len());
        count.or_failed(ok, "cargo test")
    }

    /// Reads vitest's closing line: `Tests  1 failed | 20 passed (21)`, and a line `FAIL  name` for each that failed.
    pub fn vitest(ok: bool, output: &str) -> Self {
        let mut count = Self::default();
        for line in output.lines().map(plain) {
            if let Some(rest) = line.trim_start().strip_prefix("Tests ") {
                count.passed += number_before(rest, " passed");
                count.failed += number_before(rest, " failed");
            } else if let Some(name) = line.trim_start().strip_prefix("FAIL ") {
                count.failures.push(name.trim().to_owned());
            }
        }
        count.or_failed(ok, "vitest")
    }

    /// Reads the plain line `N passed, N failed, N skipped` and lines `SKIP name: reason` and `FAIL name`.
    pub fn playwright(ok: bool, output: &str) -> Self {
        let mut count = Self::default();
        for line in output.lines().map(plain) {
            let line = line.trim();
            if line.contains(" passed, ") && line.contains(" failed") {
                count.passed += number_before(line, " passed");
                count.failed += number_before(line, " failed");
            } else if let Some(reason) = line.strip_prefix("SKIP ") {
                count.skipped.push(reason.to_owned());
            } else if let Some(name) = line.strip_prefix("FAIL ") {
                count.failures.push(name.to_owned());
            }
        }
        count.or_failed(ok, "browser tests")
    }

    /// Reads what `node --test` tells in TAP: `# pass 20`, and a line `not ok 3 - name` for each that failed.
    pub fn node(ok: bool, output: &str) -> Self {
        let mut count = Self::default();
        for line in output.lines() {
            if let Some(many) = line.strip_prefix("# pass ") {
                count.passed += many.trim().parse::<usize>().unwrap_or(0);
            } else if let Some(name) = line.strip_prefix("not ok ") {
                count.failed += 1;
                count.failures.push(name.to_owned());
            } else if let Some(start) = line.find(" # SKIP ") {
                count.skipped.push(line[start + 8..].to_owned());
            }
        }
        count.or_failed(ok, "desktop tests")
    }

    fn or_failed(mut self, ok: bool, name: &str) -> Self {
        if (!ok || self.passed == 0) && self.failed == 0 {
            self.failed += 1;
            self.failures
                .push(format!("{name} (ended with failure or ran nothing)"));
        }
        self
    }

    /// Names what was skipped and what failed, then the one line.
    pub fn report(&self) {
        for skipped in &self.skipped {
            println!("skipped: {skipped}");
        }
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!(
            "{} passed, {} failed, {} skipped",
            self.passed,
            self.failed,
            self.skipped.len()
        );
    }
}

fn step_error(name: &str, error: &anyhow::Error) {
    eprintln!("{name}: {error:#}");
}

/// The number that stands right before `word`, 0 without one.
fn number_before(text: &str, word: &str) -> usize {
    text.find(word)
        .map(|end| &text[..end])
        .and_then(|before| before.rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// A line without terminal colours.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted_and_a_silent_failure_is_one() {
        let cargo = Count::cargo(
            true,
            "test result: ok. 12 passed; 0 failed; 0 ignored\nSKIP disk_limit: not root\ntest result: ok. 3 passed; 0 failed;",
        );
        assert_eq!(
            (cargo.passed, cargo.failed, cargo.skipped.len()),
            (14, 0, 1)
        );
        let vitest = Count::vitest(
            false,
            "\u{1b}[41m FAIL \u{1b}[49m a.test.ts > adds\n\u{1b}[2m      Tests \u{1b}[22m 1 failed | 20 passed (21)",
        );
        assert_eq!((vitest.passed, vitest.failed), (20, 1));
        assert_eq!(vitest.failures, ["a.test.ts > adds"]);
        let journeys = Count::playwright(
            false,
            "FAIL away.spec.ts comes back\n3 passed, 1 failed, 0 skipped",
        );
        assert_eq!((journeys.passed, journeys.failed), (3, 1));
        assert_eq!(journeys.failures, ["away.spec.ts comes back"]);
        let silent = Count::playwright(false, "");
        assert_eq!(silent.failed, 1);
    }
}
