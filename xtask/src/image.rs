//! The execution image: a root file system made from the lists in `execution-image/`, without Docker, and
//! without root where user namespaces allow. Its place is named by a hash of the lists, so it is built once.
use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use rustix::fs::FlockOperation;

use crate::step::{quiet, root, say};

/// Raised when the steps below change what comes out.
const RECIPE: u32 = 1;
/// The files that decide what is in the image.
const LISTS: [&str; 5] = [
    "debian.txt",
    "python.txt",
    "node.txt",
    "finish.sh",
    "check.sh",
];
const SUITE: &str = "bookworm";

/// Builds the image if its lists changed, or prints where it is.
pub fn run(print: bool, force: bool) -> Result<()> {
    let place = place()?;
    if print {
        #[expect(clippy::print_stdout, reason = "the answer, for other programs")]
        {
            println!("{}", place.join("rootfs").display());
        }
        return Ok(());
    }
    let rootfs = build(&place, force)?;
    say(&format!("The execution image is at {}", rootfs.display()));
    Ok(())
}

/// The root file system, built if needed.
pub fn ensure() -> Result<PathBuf> {
    build(&place()?, false)
}

/// `<cache>/slipway/images/<hash of the lists>`.
fn place() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .context("find the cache folder: set HOME or XDG_CACHE_HOME")?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{RECIPE} {}", std::env::consts::ARCH).as_bytes());
    for name in LISTS {
        let text = std::fs::read(list(name)).with_context(|| format!("read {name}"))?;
        hasher.update(blake3::hash(&text).as_bytes());
    }
    let hash = hasher.finalize().to_hex();
    Ok(cache.join("slipway/images").join(&hash.as_str()[..16]))
}

fn list(name: &str) -> PathBuf {
    root().join("execution-image").join(name)
}

fn build(place: &Path, force: bool) -> Result<PathBuf> {
    let rootfs = place.join("rootfs");
    let done = place.join(".complete");
    if done.exists() && !force {
        return Ok(rootfs);
    }
    let images = place
        .parent()
        .context("invariant: an image lies in a folder")?;
    std::fs::create_dir_all(images)?;
    let lock = File::create(images.join(".lock"))?;
    if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        say("Another build of the execution image is under way; waiting for it");
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
        if done.exists() {
            return Ok(rootfs);
        }
    }
    let start = Instant::now();
    say(
        "Build the execution image (once; two minutes and 600 MB; again only when execution-image/ changes)",
    );
    sweep(images)?;
    let work = images.join(format!(".building-{}", std::process::id()));
    let fresh = work.join("rootfs");
    std::fs::create_dir_all(&fresh)?;
    let built = debian(&work, &fresh)
        .and_then(|()| node(&work, &fresh))
        .and_then(|()| python(&fresh))
        .and_then(|()| finish(&fresh))
        .and_then(|()| check(&fresh));
    if let Err(error) = built {
        std::fs::remove_dir_all(&work).ok();
        return Err(error);
    }
    if place.exists() {
        std::fs::remove_dir_all(place)?;
    }
    std::fs::create_dir_all(place)?;
    std::fs::rename(&fresh, &rootfs)?;
    std::fs::remove_dir_all(&work)?;
    File::create(&done)?.sync_all()?;
    say(&format!(
        "The execution image is built: {:.0} s",
        start.elapsed().as_secs_f64()
    ));
    Ok(rootfs)
}

/// Removes what an interrupted build left; the lock says that nobody builds now.
fn sweep(images: &Path) -> Result<()> {
    for entry in std::fs::read_dir(images)? {
        let entry = entry?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(".building-")
        {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn debian(work: &Path, rootfs: &Path) -> Result<()> {
    let packages = lines("debian.txt")?.join(",");
    let tar = work.join("base.tar");
    let mut bootstrap = Command::new("mmdebstrap");
    bootstrap
        .args(["--variant=minbase", "--format=tar"])
        .arg(format!("--include={packages}"))
        // What nobody reads inside a session; licences stay.
        .arg("--dpkgopt=path-exclude=/usr/share/man/*")
        .arg("--dpkgopt=path-exclude=/usr/share/locale/*")
        .arg("--dpkgopt=path-exclude=/usr/share/doc/*")
        .arg("--dpkgopt=path-include=/usr/share/doc/*/copyright")
        .arg(SUITE)
        .arg(&tar)
        .args(mirrors());
    quiet("Install Debian into the execution image", &mut bootstrap)?;
    let mut unpack = Command::new("tar");
    unpack
        .args(["--exclude=./dev/*", "-xpf"])
        .arg(&tar)
        .arg("-C")
        .arg(rootfs);
    quiet("Unpack the execution image", &mut unpack)?;
    std::fs::remove_file(tar)?;
    Ok(())
}

/// The mirrors of the machine's own apt sources, which a company sets up for a reason. Without any, mmdebstrap takes
/// Debian's own.
fn mirrors() -> Vec<String> {
    let mut texts = Vec::new();
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    files.extend(
        std::fs::read_dir("/etc/apt/sources.list.d")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path()),
    );
    for file in files {
        texts.extend(std::fs::read_to_string(file));
    }
    mirrors_in(&texts)
}

fn mirrors_in(texts: &[String]) -> Vec<String> {
    let found: Vec<(String, String)> = texts
        .iter()
        .flat_map(|text| one_line_sources(text).chain(deb822_sources(text)))
        .collect();
    // Newer Debian and Ubuntu machines name other suites; their mirror may still hold ours, only the name tells.
    let debian = found.iter().find(|(uri, suite)| {
        !suite.contains("security")
            && (suite == SUITE || uri.trim_end_matches('/').ends_with("/debian"))
    });
    let security = found
        .iter()
        .find(|(_, suite)| *suite == format!("{SUITE}-security"));
    let Some((uri, _)) = debian else {
        return Vec::new();
    };
    let mut mirrors = vec![format!("deb {uri} {SUITE} main")];
    mirrors.extend(security.map(|(uri, suite)| format!("deb {uri} {suite} main")));
    mirrors
}

/// `deb [options] URI SUITE components`.
fn one_line_sources(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1,
            None => rest,
        };
        let mut words = rest.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    })
}

/// Stanzas of `Types:`, `URIs:` and `Suites:`.
fn deb822_sources(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split("\n\n").flat_map(|stanza| {
        let field = |name: &str| {
            stanza
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
        };
        let uri = field("URIs:").split_whitespace().next().map(str::to_owned);
        let binary = field("Types:").split_whitespace().any(|kind| kind == "deb");
        let suites: Vec<String> = field("Suites:")
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        uri.filter(|_| binary).into_iter().flat_map(move |uri| {
            suites
                .clone()
                .into_iter()
                .map(move |suite| (uri.clone(), suite))
        })
    })
}

fn node(work: &Path, rootfs: &Path) -> Result<()> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("there is no Node package for {other}"),
    };
    let modules = rootfs.join("usr/local/lib/node_modules");
    let bin = rootfs.join("usr/local/bin");
    std::fs::create_dir_all(&modules)?;
    for line in lines("node.txt")? {
        let (name, version) = line
            .split_once(' ')
            .context("each line of node.txt is a name and a version")?;
        let package = match name {
            "node" => format!("node-linux-{architecture}@{version}"),
            _ => format!("{name}@{version}"),
        };
        let folder = work.join(name);
        std::fs::create_dir_all(&folder)?;
        let mut pack = Command::new("npm");
        pack.current_dir(&folder)
            .args(["pack", "--silent", &package]);
        quiet(&format!("Fetch {package}"), &mut pack)?;
        let archive = std::fs::read_dir(&folder)?
            .next()
            .with_context(|| format!("npm fetched nothing for {package}"))??
            .path();
        let mut unpack = Command::new("tar");
        unpack.arg("-xzf").arg(&archive).arg("-C").arg(&folder);
        unpack.arg("--no-same-owner");
        quiet(&format!("Unpack {package}"), &mut unpack)?;
        let unpacked = folder.join("package");
        if name == "node" {
            std::fs::rename(unpacked.join("bin/node"), bin.join("node"))?;
        } else {
            std::fs::rename(&unpacked, modules.join(name))?;
        }
    }
    symlink("../lib/node_modules/npm/bin/npm-cli.js", bin.join("npm"))?;
    symlink("../lib/node_modules/npm/bin/npx-cli.js", bin.join("npx"))?;
    Ok(())
}

/// With the machine's network, certificates and pip configuration.
fn python(rootfs: &Path) -> Result<()> {
    let mut install = inside(
        rootfs,
        &[
            "/etc/resolv.conf",
            "/etc/hosts",
            "/etc/ssl/certs",
            "/etc/pip.conf",
        ],
    );
    install
        // Python would otherwise compile them again in every session, whose root is read-only.
        .args(["pip", "install", "--compile", "--no-cache-dir"])
        .args(["--root-user-action=ignore", "--break-system-packages", "-r"])
        .arg("/tmp/lists/python.txt");
    quiet(
        "Install Python packages into the execution image",
        &mut install,
    )?;
    Ok(())
}

fn finish(rootfs: &Path) -> Result<()> {
    let mut finish = inside(rootfs, &[]);
    finish.args(["sh", "/tmp/lists/finish.sh"]);
    quiet("Finish the execution image", &mut finish)?;
    Ok(())
}

/// A program inside the writable image as its root.
fn inside(rootfs: &Path, machine_files: &[&str]) -> Command {
    let mut command = Command::new("bwrap");
    command.arg("--bind").arg(rootfs).arg("/");
    command.args(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]);
    command.arg("--ro-bind").arg(list("")).arg("/tmp/lists");
    for file in machine_files.iter().filter(|file| Path::new(file).exists()) {
        command.args(["--ro-bind", file, file]);
    }
    command
        .args([
            "--unshare-user",
            "--uid",
            "0",
            "--gid",
            "0",
            "--chdir",
            "/",
            "--",
        ])
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("HOME", "/root");
    command
}

/// Runs `check.sh` as a session sees the image: read-only, without network, as its user.
fn check(rootfs: &Path) -> Result<()> {
    let mut command = Command::new("bwrap");
    command.arg("--ro-bind").arg(rootfs).arg("/");
    command.args(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]);
    command.args([
        "--unshare-all",
        "--uid",
        "10001",
        "--gid",
        "10001",
        "--cap-drop",
        "ALL",
    ]);
    command
        .arg("--ro-bind")
        .arg(list("check.sh"))
        .arg("/tmp/check.sh");
    command.args([
        "--clearenv",
        "--setenv",
        "PATH",
        "/usr/local/bin:/usr/bin:/bin",
    ]);
    command.args(["--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8"]);
    command.args(["--chdir", "/workspace", "--", "sh", "/tmp/check.sh"]);
    let found = quiet("Check the execution image", &mut command)?;
    for line in found.lines() {
        say(&format!("  {line}"));
    }
    Ok(())
}

/// The lines of a list without comments.
fn lines(name: &str) -> Result<Vec<String>> {
    Ok(std::fs::read_to_string(list(name))?
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::mirrors_in;

    #[test]
    fn the_mirror_comes_from_either_kind_of_apt_source() {
        let line = "deb [signed-by=/k arch=amd64] http://mirror.example/debian bookworm main\n\
                    deb https://tools.example/apt stable main\n\
                    deb http://mirror.example/security bookworm-security main\n";
        let stanza = "Types: deb deb-src\n# old\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n\n\
                      Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\n";
        for text in [line, stanza] {
            assert_eq!(
                mirrors_in(&[text.to_owned()]),
                [
                    "deb http://mirror.example/debian bookworm main",
                    "deb http://mirror.example/security bookworm-security main"
                ]
            );
        }
        assert!(mirrors_in(&[]).is_empty());
    }
}
