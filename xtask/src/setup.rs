//! Debian packages: installed when we may, otherwise the one command to type.
use std::process::Command;

use anyhow::{Result, bail};

use crate::step;

/// What the packages are for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Running the server.
    Run,
    /// Running the app, too.
    Window,
    /// Running both and testing them.
    Everything,
}

impl Needs {
    /// What building a program needs: a debug build makes all of them.
    pub const fn of_programs(release: bool) -> Self {
        if release { Self::Run } else { Self::Window }
    }
}

/// Package, a program that proves it is there, and what it is for.
const PACKAGES: &[(&str, &str, Needs)] = &[
    ("gcc", "cc", Needs::Run),
    (
        "libc6-dev",
        concat!("/usr/lib/", env!("XTASK_ARCH"), "-linux-gnu/libc.a"),
        Needs::Run,
    ),
    (
        "ca-certificates",
        "/etc/ssl/certs/ca-certificates.crt",
        Needs::Run,
    ),
    ("git", "git", Needs::Run),
    ("postgresql", "postgres", Needs::Run),
    ("bubblewrap", "bwrap", Needs::Run),
    ("mmdebstrap", "mmdebstrap", Needs::Run),
    ("e2fsprogs", "mkfs.ext4", Needs::Run),
    ("mount", "losetup", Needs::Run),
    ("procps", "ps", Needs::Run),
    // The desktop app's web view.
    (
        "libwebkit2gtk-4.1-dev",
        concat!(
            "/usr/lib/",
            env!("XTASK_ARCH"),
            "-linux-gnu/pkgconfig/webkit2gtk-4.1.pc"
        ),
        Needs::Window,
    ),
    ("pkg-config", "pkg-config", Needs::Window),
    ("chromium", "chromium", Needs::Everything),
    (
        "fonts-dejavu-core",
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        Needs::Everything,
    ),
    ("psmisc", "killall", Needs::Everything),
    ("dbus", "dbus-run-session", Needs::Everything),
    ("gnome-keyring", "gnome-keyring-daemon", Needs::Everything),
    // Tests drive the app's window on a display of their own.
    ("webkit2gtk-driver", "WebKitWebDriver", Needs::Everything),
    ("xvfb", "Xvfb", Needs::Everything),
    ("xdotool", "xdotool", Needs::Everything),
    (
        "libgl1-mesa-dri",
        concat!(
            "/usr/lib/",
            env!("XTASK_ARCH"),
            "-linux-gnu/dri/swrast_dri.so"
        ),
        Needs::Everything,
    ),
];

/// Oldest Node that the UI's tools run on, and the npm that reads its lock file.
const NODE_OLDEST: u32 = 20;
const NPM_OLDEST: u32 = 10;

/// Installs what is missing.
pub fn install(needs: Needs) -> Result<()> {
    for (program, oldest, advice) in [
        ("cargo", 1, "Install Rust with rustup."),
        ("node", NODE_OLDEST, "Install Node 20 or newer."),
        ("npm", NPM_OLDEST, "Install npm 10 or newer."),
    ] {
        match version(program) {
            None => bail!("{program} is missing. {advice}"),
            Some(found) if found < oldest => bail!("{program} is version {found}. {advice}"),
            Some(_) => {}
        }
    }
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(_, proof, group)| *group <= needs && !is_there(proof))
        .map(|(package, _, _)| *package)
        .collect();
    if missing.is_empty() {
        step::say("Every Debian package is here");
        return Ok(());
    }
    if !is_there("apt-get") {
        bail!(
            "these Debian packages are missing and apt-get is not here; install their counterparts: {}",
            missing.join(" ")
        );
    }
    let root = rustix::process::geteuid().is_root();
    let sudo = !root
        && Command::new("sudo")
            .args(["-n", "true"])
            .output()
            .is_ok_and(|out| out.status.success());
    if !root && !sudo {
        bail!(
            "packages are missing and we may not install them. Type this, then repeat:\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
            missing.join(" ")
        );
    }
    let apt = |args: &[&str]| {
        let mut command = if sudo {
            Command::new("sudo")
        } else {
            Command::new("apt-get")
        };
        if sudo {
            command.args(["-n", "apt-get"]);
        }
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    step::quiet("Refresh the list of Debian packages", &mut apt(&["update"]))?;
    let mut args = vec!["install", "-y", "--no-install-recommends"];
    args.extend(&missing);
    step::quiet(&format!("Install {}", missing.join(" ")), &mut apt(&args))?;
    Ok(())
}

/// The first number that a program prints as its version; `None` when it cannot be started.
fn version(program: &str) -> Option<u32> {
    let printed = Command::new(program).arg("--version").output().ok()?.stdout;
    String::from_utf8_lossy(&printed)
        .split(|c: char| !c.is_ascii_digit())
        .find_map(|digits| digits.parse().ok())
}

/// Whether a program or file exists. Debian keeps Postgres' programs and mkfs outside of most people's PATH.
fn is_there(proof: &str) -> bool {
    if proof.starts_with('/') {
        return std::path::Path::new(proof).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin".into(), "/sbin".into()]);
    if proof == "postgres" {
        folders.extend(
            std::fs::read_dir("/usr/lib/postgresql")
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path().join("bin")),
        );
        return folders.iter().any(|folder| folder.join("initdb").exists());
    }
    folders.iter().any(|folder| folder.join(proof).exists())
}
