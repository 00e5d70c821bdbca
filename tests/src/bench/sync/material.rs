//! What the tools are given to keep equal: the same in every run.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use super::super::tell;
use super::super::workload::{Seeded, text};

const WORDS: [&str; 16] = [
    "app", "core", "data", "docs", "lib", "model", "net", "page", "parse", "query", "store",
    "task", "test", "tool", "view", "wire",
];

/// A large installation of a browser application's packages.
const PACKAGES: [&str; 19] = [
    "vite",
    "@vitejs/plugin-react",
    "react",
    "react-dom",
    "typescript",
    "eslint",
    "typescript-eslint",
    "eslint-plugin-react-hooks",
    "@types/react",
    "@types/react-dom",
    "vitest",
    "jsdom",
    "tailwindcss",
    "@mui/material",
    "@emotion/react",
    "@emotion/styled",
    "lodash",
    "rxjs",
    "date-fns",
];
/// Of them, those that come along and would double the number of files.
const LEFT_OUT: [&str; 2] = ["@mui/icons-material", "three"];

/// Source files as many projects have them: sizes around 2 KB, few large ones.
fn source_bytes(numbers: &mut Seeded) -> usize {
    // A sum of even numbers is nearly normal; its power is how files are spread.
    let sum: u64 = (0..12).map(|_| numbers.below(1_000)).sum();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 12,000, and a size of some kilobytes"
    )]
    let size = (7.6 + 1.18 * (sum as f64 / 1_000.0 - 6.0)).exp() as usize;
    size.clamp(24, 400_000)
}

fn folders(numbers: &mut Seeded, many: usize) -> Result<Vec<PathBuf>> {
    let mut all = vec![PathBuf::new()];
    while all.len() <= many {
        let parent = &all[usize::try_from(numbers.below(all.len() as u64))?];
        if parent.components().count() < 6 {
            let word = WORDS[usize::try_from(numbers.below(16))?];
            all.push(parent.join(format!("{word}{}", all.len())));
        }
    }
    all.remove(0);
    Ok(all)
}

fn source(folders: &[PathBuf], numbers: &mut Seeded, number: usize) -> Result<PathBuf> {
    let folder = &folders[usize::try_from(numbers.below(folders.len() as u64))?];
    let word = WORDS[usize::try_from(numbers.below(16))?];
    Ok(folder.join(format!("{word}_{number}.ts")))
}

fn write(root: &Path, path: &Path, content: &[u8]) -> Result<()> {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().context("invariant: a path has a parent")?)?;
    Ok(std::fs::write(path, content)?)
}

/// 10,000 files in 600 folders, some 40 MB.
///
/// # Errors
/// When they cannot be written.
pub fn small(folder: &Path) -> Result<PathBuf> {
    let (root, mut numbers) = (folder.join("small"), Seeded::new(1));
    let folders = folders(&mut numbers, 600)?;
    for number in 0..10_000 {
        let path = source(&folders, &mut numbers, number)?;
        let bytes = source_bytes(&mut numbers);
        write(&root, &path, &text(number as u64, bytes))?;
    }
    Ok(root)
}

/// One file of 100 MB that does not pack.
///
/// # Errors
/// When it cannot be written.
pub fn big(folder: &Path, seed: u64) -> Result<PathBuf> {
    let root = folder.join(format!("big-{seed}"));
    write(&root, Path::new("big.bin"), &random(seed, 100_000_000))?;
    Ok(root)
}

/// Bytes of chance.
#[must_use]
pub fn random(seed: u64, bytes: usize) -> Vec<u8> {
    let mut numbers = Seeded::new(seed);
    let mut random = Vec::with_capacity(bytes + 8);
    while random.len() < bytes {
        random.extend_from_slice(&numbers.below(u64::MAX).to_le_bytes());
    }
    random.truncate(bytes);
    random
}

/// A repository's two branches, `one` and `two`, that differ in 2,000 of 5,000 files. Its innards lie beside the files.
pub struct Branches {
    /// The files, at `one`.
    pub files: PathBuf,
    /// The repository.
    pub git: PathBuf,
}

/// Makes them.
///
/// # Errors
/// When git fails.
pub async fn branches(folder: &Path) -> Result<Branches> {
    let made = Branches {
        files: folder.join("branches"),
        git: folder.join("branches.git"),
    };
    let (root, mut numbers) = (&made.files, Seeded::new(2));
    let folders = folders(&mut numbers, 300)?;
    let paths = (0..5_300)
        .map(|number| source(&folders, &mut numbers, number))
        .collect::<Result<Vec<_>>>()?;
    let mut put = |path: &Path, seed: usize| {
        let bytes = source_bytes(&mut numbers);
        write(root, path, &text(seed as u64, bytes))
    };
    for (number, path) in paths[..5_000].iter().enumerate() {
        put(path, number)?;
    }
    let said = Command::new("git")
        .args(["init", "--quiet", "--bare"])
        .arg(&made.git)
        .status()
        .await?;
    ensure!(said.success(), "git init failed");
    let commit = [
        "-c",
        "user.name=b",
        "-c",
        "user.email=b@localhost",
        "commit",
    ];
    git(&made.git, root, &["config", "core.bare", "false"]).await?;
    git(&made.git, root, &["config", "gc.auto", "0"]).await?;
    git(&made.git, root, &["checkout", "-q", "--orphan", "one"]).await?;
    git(&made.git, root, &["add", "-A"]).await?;
    git(&made.git, root, &[&commit[..], &["-qm", "one"]].concat()).await?;
    git(&made.git, root, &["checkout", "-q", "-b", "two"]).await?;
    for (number, path) in paths[..1_400].iter().enumerate() {
        put(path, 10_000 + number)?;
    }
    for path in &paths[1_400..1_700] {
        std::fs::remove_file(root.join(path))?;
    }
    for (number, path) in paths[5_000..].iter().enumerate() {
        put(path, 20_000 + number)?;
    }
    git(&made.git, root, &["add", "-A"]).await?;
    git(&made.git, root, &[&commit[..], &["-qm", "two"]].concat()).await?;
    git(&made.git, root, &["checkout", "-q", "one"]).await?;
    Ok(made)
}

/// Runs git with its innards outside of the files.
///
/// # Errors
/// When it fails.
pub async fn git(innards: &Path, files: &Path, arguments: &[&str]) -> Result<()> {
    let said = Command::new("git")
        .arg("--git-dir")
        .arg(innards)
        .arg("--work-tree")
        .arg(files)
        .args(arguments)
        .output()
        .await?;
    let error = String::from_utf8_lossy(&said.stderr);
    ensure!(said.status.success(), "git {arguments:?}: {error}");
    Ok(())
}

/// The packages of a browser application as npm installs them, kept in a folder for later runs; `None`, loudly, without
/// npm. The workspace's rules let them in.
///
/// # Errors
/// When the folder cannot be written.
pub async fn modules(kept: &Path) -> Result<Option<PathBuf>> {
    let done = kept.join("installed");
    let root = kept.join("modules");
    if !done.exists() {
        tell(&format!(
            "installing packages into {}, once",
            root.display()
        ));
        std::fs::create_dir_all(&root)?;
        let npm = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .arg("--prefix")
            .arg(&root)
            .args(PACKAGES)
            .output()
            .await;
        let told = match npm {
            Ok(npm) if npm.status.success() => String::new(),
            Ok(npm) => String::from_utf8_lossy(&npm.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        if !told.is_empty() {
            tell(&format!(
                "######## npm cannot install the packages: every row on them is SKIPPED ######## {told}"
            ));
            return Ok(None);
        }
        for name in LEFT_OUT {
            let folder = root.join("node_modules").join(name);
            if folder.exists() {
                std::fs::remove_dir_all(folder)?;
            }
        }
        let mut rules = String::new();
        writeln!(rules, "!node_modules")?;
        std::fs::write(root.join(".slipwayignore"), rules)?;
        std::fs::write(done, "")?;
    }
    Ok(Some(root))
}
