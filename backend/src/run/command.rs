//! From what a person chose to the command line that is executed. One line of shell is the whole truth of a run:
//! it is what is shown, kept and started.
use slipway_core::code::Code;
use slipway_core::path::RelPath;

use crate::error::Error;

/// Longest command line.
pub const COMMAND_BYTES_MAX: usize = 8 * 1024;
/// How much of a file is read to find its first line.
pub const SHEBANG_BYTES_MAX: usize = 256;

/// The arguments that execute a command line.
#[must_use]
pub fn argv(line: &str) -> Vec<String> {
    ["/bin/bash", "-c", line].map(str::to_owned).to_vec()
}

/// The command line for a file, by its kind or its first line.
///
/// # Errors
/// When nothing here can execute it.
pub fn for_file(path: &RelPath, executable: bool, first_bytes: &[u8]) -> Result<String, Error> {
    let name = path.name().to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let quoted = quote(&format!("./{path}"));
    let plain = quote(path.as_str());
    // A name that begins with a dash would be taken for an option.
    let file = if path.as_str().starts_with('-') {
        &quoted
    } else {
        &plain
    };
    match extension {
        "py" => return Ok(format!("python3 -u {file}")),
        "js" | "mjs" | "cjs" => return Ok(format!("node {file}")),
        "sh" | "bash" => return Ok(format!("bash {file}")),
        _ => {}
    }
    match shebang(first_bytes) {
        Some(_) if executable => Ok(quoted),
        Some(interpreter) => Ok(format!("{interpreter} {file}")),
        None => Err(Error::new(
            Code::InvalidRequest,
            format!(
                "There is no way known to run \"{path}\". Run a .py, .js, .mjs, .cjs or .sh file, give the file \
                 a first line such as #!/usr/bin/env python3, or add a task to slipway.toml."
            ),
        )
        .with_field("target", Code::InvalidRequest, "This kind of file cannot be run.")),
    }
}

/// The interpreter that a first line names, safe to stand in a command line.
fn shebang(first_bytes: &[u8]) -> Option<String> {
    let rest = first_bytes.strip_prefix(b"#!")?;
    let line = rest.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let words: Vec<String> = line.split_ascii_whitespace().map(quote).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A command line that a person typed.
///
/// # Errors
/// When it is empty, too long or holds a NUL.
pub fn for_line(line: &str) -> Result<String, Error> {
    let refused = |text: &str| Err(Error::of_field("target", Code::InvalidRequest, text));
    if line.trim().is_empty() {
        return refused("The command is empty. Type what shall be run.");
    }
    if line.len() > COMMAND_BYTES_MAX {
        return refused("The command is longer than 8 KiB. Put it into a script and run that.");
    }
    if line.contains('\0') {
        return refused("The command contains a NUL character. Remove it.");
    }
    Ok(line.to_owned())
}

/// A word for the shell, quoted only when it must be.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/=:,@+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(path: &str, executable: bool, first: &str) -> Result<String, Code> {
        for_file(&RelPath::parse(path).unwrap(), executable, first.as_bytes())
            .map_err(|error| error.code())
    }

    #[test]
    fn a_file_runs_by_its_kind_or_its_first_line() {
        let cases = [
            ("main.py", false, "", Ok("python3 -u main.py")),
            (
                "src/My Tool.PY",
                false,
                "",
                Ok("python3 -u 'src/My Tool.PY'"),
            ),
            ("a.mjs", false, "", Ok("node a.mjs")),
            ("-x.sh", false, "", Ok("bash ./-x.sh")),
            (
                "tool",
                true,
                "#!/usr/bin/env python3\nprint()",
                Ok("./tool"),
            ),
            (
                "tool",
                false,
                "#! /usr/bin/env node\n",
                Ok("/usr/bin/env node tool"),
            ),
            (
                "tool",
                false,
                "#!/bin/sh; rm -rf x\n",
                Ok("'/bin/sh;' rm -rf x tool"),
            ),
            ("data.csv", false, "a,b\n", Err(Code::InvalidRequest)),
            ("empty", true, "", Err(Code::InvalidRequest)),
        ];
        for (path, executable, first, expected) in cases {
            assert_eq!(
                file(path, executable, first),
                expected.map(str::to_owned),
                "{path}"
            );
        }
    }

    #[test]
    fn a_typed_line_is_taken_as_it_is_or_refused() {
        assert_eq!(for_line("ls | wc -l").unwrap(), "ls | wc -l");
        for bad in [" ", "a\0b", &"x".repeat(COMMAND_BYTES_MAX + 1)] {
            assert_eq!(for_line(bad).unwrap_err().code(), Code::InvalidRequest);
        }
    }

    proptest! {
        #[test]
        fn a_quoted_word_is_one_word_for_the_shell(word in "[^\\x00]{0,20}") {
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &format!("printf %s {}", quote(&word))])
                .output()
                .unwrap();
            prop_assert_eq!(output.stdout, word.into_bytes());
        }
    }
}
