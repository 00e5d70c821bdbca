//! What never syncs: what tools make again by themselves, and what `.slipwayignore` names.
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use slipway_core::limits::PATH_BYTES_MAX;
use slipway_core::path::{RelPath, fold};

/// The file with a workspace's own rules, in gitignore's syntax; itself synced.
pub const RULES_FILE: &str = ".slipwayignore";
/// Of a workspace's own rules; nobody writes more.
pub const RULES_BYTES_MAX: usize = 256 * 1024;
/// Of one of their lines: a path, with a mark before each of its bytes.
const LINE_BYTES_MAX: usize = 2 * PATH_BYTES_MAX;

/// Folders that tools fill and can fill again, and a repository's innards, which two-way sync would tear.
pub const IGNORED_FOLDERS: &[&str] = &[
    ".slipway",
    ".git",
    "node_modules",
    ".venv",
    "venv",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
    ".tox",
    ".nox",
    ".npm",
    ".cache",
];
/// Files of editors and systems, and the file by which a repository says that it lies elsewhere.
pub const IGNORED_FILES: &[&str] = &[".git", ".DS_Store", "Thumbs.db", "desktop.ini", "4913"];
/// Ends of such files.
pub const IGNORED_ENDS: &[&str] = &[
    ".pyc",
    ".pyo",
    ".swp",
    ".swx",
    "~",
    "___jb_tmp___",
    "___jb_old___",
];
/// Beginnings of such files: links that say who edits one.
pub const IGNORED_BEGINS: &[&str] = &[".#"];
/// What such files both begin and end with: what is not saved yet.
pub const IGNORED_AROUND: &[&str] = &["#"];

/// Of these, what goes with the folder that it lies in: tools make it again, and nobody misses it.
const DISPOSABLE: &[&str] = &[
    "node_modules",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
    ".tox",
    ".nox",
    ".npm",
    ".cache",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
];

/// What no rule lets in, whatever it is: our own state, and what git runs programs by. The last is the short name by
/// which Windows knows the second.
const NEVER: &[&str] = &[".slipway", ".git", "git~1"];

/// Whether some volume takes a name for one of these: in other letters, or with marks in it that HFS+ passes over.
fn is_never(name: &str) -> bool {
    let is_passed_over = |one: char| matches!(one, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    if name.is_ascii() {
        return NEVER.iter().any(|never| name.eq_ignore_ascii_case(never));
    }
    let seen: String = name.chars().filter(|one| !is_passed_over(*one)).collect();
    NEVER.contains(&fold(&seen).as_str())
}

/// Whether a name that stays out may go with the folder that it lies in.
#[must_use]
pub fn is_disposable(name: &str) -> bool {
    DISPOSABLE.contains(&name) || name.ends_with(".pyc") || name.ends_with(".pyo")
}

fn is_ignored_file(name: &str) -> bool {
    let around = |mark: &str| {
        let rest = name.strip_prefix(mark);
        rest.is_some_and(|rest| rest.ends_with(mark))
    };
    IGNORED_FILES.contains(&name)
        || IGNORED_ENDS.iter().any(|end| name.ends_with(end))
        || IGNORED_BEGINS.iter().any(|begin| name.starts_with(begin))
        || IGNORED_AROUND.iter().any(|mark| around(mark))
}

/// Why a text makes no rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesError {
    /// It is longer than rules may be.
    TooLong,
    /// So is one of its lines, by its number.
    LineTooLong(usize),
    /// Its patterns take too much room together.
    TooMuch,
}

impl std::fmt::Display for RulesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => write!(f, "it is longer than {} KiB", RULES_BYTES_MAX / 1024),
            Self::LineTooLong(line) => {
                write!(f, "line {line} is longer than {LINE_BYTES_MAX} bytes")
            }
            Self::TooMuch => f.write_str("its patterns are too many or too large"),
        }
    }
}

impl std::error::Error for RulesError {}

/// The rules of a workspace.
#[derive(Clone, Debug)]
pub struct Rules {
    text: String,
    own: Gitignore,
}

/// The built-in rules alone.
impl Default for Rules {
    fn default() -> Self {
        Self {
            text: String::new(),
            own: Gitignore::empty(),
        }
    }
}

impl Rules {
    /// The built-in rules and those of a `.slipwayignore`. A line that is no pattern is passed over.
    ///
    /// # Errors
    /// When the text is too large to be followed as a whole: in part it could leave out less than it says.
    pub fn new(text: &str) -> Result<Self, RulesError> {
        if text.len() > RULES_BYTES_MAX {
            return Err(RulesError::TooLong);
        }
        let mut builder = GitignoreBuilder::new("");
        for (line, number) in text.lines().zip(1..) {
            if line.len() > LINE_BYTES_MAX {
                return Err(RulesError::LineTooLong(number));
            }
            drop(builder.add_line(None, line));
        }
        Ok(Self {
            text: text.to_owned(),
            own: builder.build().map_err(|_| RulesError::TooMuch)?,
        })
    }

    /// Rules that leave out everything: of a file that cannot be followed, where none was before.
    #[must_use]
    pub fn nothing_goes() -> Self {
        Self::new("*").unwrap_or_default()
    }

    /// The text of the workspace's own rules.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether these leave out whatever others do, as far as their lines tell: all of those are here, in their order, and
    /// none of the others lets anything in.
    #[must_use]
    pub fn leaves_out_all_of(&self, others: &Self) -> bool {
        let mut wanted = others.text.lines().peekable();
        for line in self.text.lines() {
            if wanted.next_if_eq(&line).is_none() && line.starts_with('!') {
                return false;
            }
        }
        wanted.peek().is_none()
    }

    /// Whether a path, or a folder above it, stays out. The rules themselves never do: every copy of a workspace follows
    /// the same ones.
    #[must_use]
    pub fn ignores(&self, path: &RelPath, is_folder: bool) -> bool {
        if path.as_str() == RULES_FILE {
            return false;
        }
        let mut end = 0;
        for name in path.components() {
            end += name.len();
            let is_folder = is_folder || end < path.as_str().len();
            if is_never(name)
                || stays_out(name, is_folder) && !self.lets_in(&path.as_str()[..end], is_folder)
            {
                return true;
            }
            end += 1;
        }
        self.own
            .matched_path_or_any_parents(path.as_str(), is_folder)
            .is_ignore()
    }

    /// Whether a line of the workspace's own rules, such as `!node_modules`, lets in what stays out by itself.
    fn lets_in(&self, path: &str, is_folder: bool) -> bool {
        self.own.matched(path, is_folder).is_whitelist()
    }
}

/// Whether a name stays out by itself.
fn stays_out(name: &str, is_folder: bool) -> bool {
    if is_folder {
        return IGNORED_FOLDERS.contains(&name);
    }
    is_ignored_file(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_leave_out_more_when_lines_are_added_that_let_nothing_in() {
        for (more, less, expected) in [
            ("a/\nb\n", "a/\n", true),
            ("b\na/\n!a/x\nc", "a/\n!a/x\n", true),
            ("a/\n", "a/\n", true),
            ("", "a/\n", false),
            ("a/\n!a/x\n", "a/\n", false),
            ("!a/x\na/\n", "a/\n!a/x\n", false),
            ("!node_modules", "", false),
        ] {
            let (more_rules, less_rules) = (Rules::new(more).unwrap(), Rules::new(less).unwrap());
            let told = more_rules.leaves_out_all_of(&less_rules);
            assert_eq!(told, expected, "{more:?} {less:?}");
        }
    }

    #[test]
    fn what_cannot_be_followed_as_a_whole_makes_no_rules() {
        let line = "*?".repeat(LINE_BYTES_MAX / 2);
        assert!(Rules::new(&line).is_ok());
        let is_refused = |text: String, error| assert_eq!(Rules::new(&text).err(), Some(error));
        is_refused(format!("secret/\n{line}*"), RulesError::LineTooLong(2));
        let many = format!("secret/\n{}", format!("{line}\n").repeat(60));
        assert!(many.len() <= RULES_BYTES_MAX);
        is_refused(many, RulesError::TooMuch);
        is_refused("a\n".repeat(RULES_BYTES_MAX), RulesError::TooLong);
    }

    #[test]
    fn what_tools_make_again_stays_out_and_the_rest_goes() {
        let rules = Rules::new("data/*.bin\n!data/keep.bin\nbuild/\n").unwrap();
        let ignored = |text: &str, folder| rules.ignores(&RelPath::parse(text).unwrap(), folder);
        for (path, folder) in [
            ("node_modules", true),
            ("a/node_modules/b/c.js", false),
            (".git/HEAD", false),
            ("x/__pycache__/a.pyc", false),
            ("b.pyc", false),
            ("data/x.bin", false),
            (".#main.py", false),
            ("#main.py#", false),
            ("build", true),
            ("build/a", false),
        ] {
            assert!(ignored(path, folder), "{path}");
        }
        for (path, folder) in [
            ("main.py", false),
            (".env", false),
            ("C#", false),
            ("#1.md", false),
            (".gitignore", false),
            ("data/keep.bin", false),
            ("venv.txt", false),
            ("src/build.rs", false),
        ] {
            assert!(!ignored(path, folder), "{path}");
        }
    }

    #[test]
    fn the_rules_themselves_go_whatever_they_say() {
        let rules = Rules::new(".*\n*\n").unwrap();
        let ignored = |text: &str| rules.ignores(&RelPath::parse(text).unwrap(), false);
        assert!(!ignored(RULES_FILE));
        assert!(ignored("sub/.slipwayignore") && ignored(".env"));
        let rules = Rules::nothing_goes();
        assert!(rules.ignores(&RelPath::parse("a/b").unwrap(), false));
    }

    #[test]
    fn nothing_that_git_could_take_for_its_own_goes_whatever_it_is() {
        let rules = Rules::new("!.git\n!*\n").unwrap();
        for path in [
            ".git",
            ".GIT/hooks/pre-commit",
            ".Git/config",
            "sub/.git",
            "sub/.g\u{200c}it/config",
            "GIT~1/config",
        ] {
            for is_folder in [false, true] {
                let path = RelPath::parse(path).unwrap();
                assert!(rules.ignores(&path, is_folder), "{path}");
            }
        }
        for path in ["git", ".github/ci.yml", ".gitignore", "git~10", "a.git"] {
            let path = RelPath::parse(path).unwrap();
            assert!(!rules.ignores(&path, false), "{path}");
        }
    }

    #[test]
    fn a_rule_lets_in_what_tools_make_again_but_no_repository() {
        let rules = Rules::new("!node_modules\n!.git\n!a/*.pyc\nnode_modules/secret\n").unwrap();
        let ignored = |text: &str, folder| rules.ignores(&RelPath::parse(text).unwrap(), folder);
        for (path, folder) in [
            ("node_modules", true),
            ("node_modules/b/node_modules/c.js", false),
            ("a/b.pyc", false),
        ] {
            assert!(!ignored(path, folder), "{path}");
        }
        for (path, folder) in [
            ("node_modules/secret", false),
            ("node_modules/b/.git/HEAD", false),
            ("node_modules/b/.cache/c", false),
            ("b.pyc", false),
            (".git", true),
        ] {
            assert!(ignored(path, folder), "{path}");
        }
    }
}
