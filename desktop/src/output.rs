//! What a command says: to people in sentences, to programs one object a line. Results go to the standard output,
//! everything else to the standard error.
use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::json;

use crate::cli::hint;
use crate::error::CliError;

/// Where a command speaks.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Speaks to people, or JSON to programs.
    #[must_use]
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether it speaks to programs.
    #[must_use]
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Tells a result.
    ///
    /// # Errors
    /// When nobody takes it.
    pub fn tell(
        self,
        object: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        let mut line = if self.json {
            serde_json::to_string(object).map_err(io::Error::from)?
        } else {
            plain(&text())
        };
        if !line.is_empty() {
            line.push('\n');
        }
        self.bytes(line.as_bytes())
    }

    /// Passes bytes on as they are.
    ///
    /// # Errors
    /// When nobody takes them.
    pub fn bytes(self, bytes: &[u8]) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()?;
        Ok(())
    }

    /// Remarks something to people, beside the results. Programs hear none of it.
    pub fn remark(self, text: &str) {
        if !self.json {
            // Nobody may listen there.
            drop(writeln!(io::stderr().lock(), "{}", plain(text)));
        }
    }

    /// Tells why it did not work.
    pub fn fail(self, error: &CliError) {
        if matches!(error, CliError::NobodyListens | CliError::Interrupted(_)) {
            return;
        }
        let line = if self.json {
            let object = json!({ "error": { "code": error.code(), "message": hint::told(error) } });
            object.to_string()
        } else {
            plain(&format!("error: {}", hint::told(error)))
        };
        drop(writeln!(io::stderr().lock(), "{line}"));
    }
}

/// A text that moves no cursor and asks no terminal anything, whoever wrote parts of it: a server, or who named a file.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// A word as the shell reads it back.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Rows in columns as wide as their longest text.
#[must_use]
pub fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let mut widths = [0; N];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:width$}  "))
            .collect();
        line.trim_end().to_owned()
    };
    all().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_nothing_that_a_terminal_obeys() {
        assert_eq!(
            plain("a\x1b]0;x\x07\u{9b}6n\r\nb\tä"),
            "a\\u{1b}]0;x\\u{7}\\u{9b}6n\\r\nb\tä"
        );
    }

    #[test]
    fn a_shell_reads_a_quoted_word_back() {
        let word = "it's $(x) `y` \"z\" \\";
        let script = format!("printf %s {}", quote(word));
        let said = std::process::Command::new("sh")
            .args(["-c", &script])
            .output();
        assert_eq!(said.unwrap().stdout, word.as_bytes());
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_text() {
        let rows = [
            ["ä".to_owned(), "1".to_owned()],
            ["long name".to_owned(), "22".to_owned()],
        ];
        assert_eq!(
            table(["NAME", "N"], &rows),
            "NAME       N\nä          1\nlong name  22"
        );
    }
}
