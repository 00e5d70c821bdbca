// Generated from crates/sync/src/ignore.rs; `cargo xtask codegen` makes it anew.

/** The file with a workspace's own rules, in gitignore's syntax; itself synced. */
export const RULES_FILE = ".slipwayignore";

/** Of a workspace's own rules; nobody writes more. */
export const RULES_BYTES_MAX = 256 * 1024;

/** Folders that tools fill and can fill again, and a repository's innards, which two-way sync would tear. */
export const IGNORED_FOLDERS: readonly string[] = [
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

/** Files of editors and systems, and the file by which a repository says that it lies elsewhere. */
export const IGNORED_FILES: readonly string[] = [".git", ".DS_Store", "Thumbs.db", "desktop.ini", "4913"];

/** Ends of such files. */
export const IGNORED_ENDS: readonly string[] = [
    ".pyc",
    ".pyo",
    ".swp",
    ".swx",
    "~",
    "___jb_tmp___",
    "___jb_old___",
];

/** Beginnings of such files: links that say who edits one. */
export const IGNORED_BEGINS: readonly string[] = [".#"];

/** What such files both begin and end with: what is not saved yet. */
export const IGNORED_AROUND: readonly string[] = ["#"];
