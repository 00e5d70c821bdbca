//! Records every SQL statement after a real Postgres has checked it, as `cargo sqlx prepare` does, without that tool.
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::build::cargo;
use crate::step::{self, Stamp, root};

/// Compiles the backend against a throw-away Postgres; the macros write what they checked.
pub fn run(check: bool) -> Result<()> {
    crate::setup::install(crate::setup::Needs::Run)?;
    let inputs = ["backend/src", "backend/.sqlx", "migrations"].map(|folder| root().join(folder));
    let stamp = Stamp::of("sql", &inputs, &[])?;
    if check && stamp.is_done() {
        step::say("The recorded SQL was checked already, against the same statements and tables");
        return Ok(());
    }
    let postgres = Postgres::start()?;
    let fresh = root().join("target/xtask/sqlx");
    let _ = std::fs::remove_dir_all(&fresh);
    std::fs::create_dir_all(&fresh)?;
    // The macros run only when the crate is compiled anew.
    let source = root().join("backend/src/lib.rs");
    std::fs::File::options()
        .append(true)
        .open(&source)?
        .set_modified(std::time::SystemTime::now())?;
    step::quiet(
        "Check the backend's SQL",
        cargo()
            .args(["check", "-p", "slipway-backend", "--all-targets"])
            .env("DATABASE_URL", postgres.url())
            .env("SQLX_OFFLINE_DIR", &fresh),
    )?;
    let kept = root().join("backend/.sqlx");
    if check {
        let (new, old) = (names(&fresh)?, names(&kept)?);
        if new != old {
            bail!(
                "the recorded SQL differs; run `cargo xtask sql` and commit backend/.sqlx ({} now, {} recorded)",
                new.len(),
                old.len()
            );
        }
        return stamp.done();
    }
    let _ = std::fs::remove_dir_all(&kept);
    std::fs::create_dir_all(&kept)?;
    for name in names(&fresh)? {
        std::fs::copy(fresh.join(&name), kept.join(&name))?;
    }
    step::say(&format!(
        "Recorded {} statements in backend/.sqlx",
        names(&kept)?.len()
    ));
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// A Postgres that lives as long as this value. It finds programs and account as the server does
/// (`backend/src/db/embedded/machine.rs`), which cannot be asked: it compiles only with the statements that are checked
/// here. A crate for both would be longer than what is said twice.
struct Postgres {
    child: Child,
    folder: PathBuf,
}

impl Postgres {
    fn start() -> Result<Self> {
        let bin = bin()?;
        let folder = std::env::temp_dir().join(format!("slipway-sql-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let owner = owner();
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid))?;
        }
        let command = |program: &str| {
            let mut command = Command::new(bin.join(program));
            command.current_dir(&folder).stdout(Stdio::null());
            if let Some((uid, gid)) = owner {
                command.uid(uid).gid(gid);
            }
            command
        };
        step::quiet(
            "Make a throw-away Postgres",
            command("initdb").args([
                "-D",
                "data",
                "-U",
                "postgres",
                "--auth=trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ]),
        )?;
        let child = command("postgres")
            .args(["-D", "data", "-k"])
            .arg(&folder)
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .stderr(Stdio::null())
            .spawn()
            .context("start postgres")?;
        let postgres = Self { child, folder };
        postgres.migrate()?;
        Ok(postgres)
    }

    fn url(&self) -> String {
        format!(
            "postgres://postgres@{}/postgres",
            self.folder.to_string_lossy().replace('/', "%2F")
        )
    }

    fn migrate(&self) -> Result<()> {
        self.accepts()?;
        let mut files: Vec<_> = std::fs::read_dir(root().join("migrations"))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "sql"))
            .collect();
        files.sort();
        for file in files {
            step::quiet(
                &format!(
                    "Apply {}",
                    file.file_name().unwrap_or_default().to_string_lossy()
                ),
                Command::new(bin()?.join("psql"))
                    .args(["-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"])
                    .arg(&self.folder)
                    .arg("-f")
                    .arg(&file),
            )?;
        }
        Ok(())
    }

    /// Waits until it takes statements: its socket is there before that.
    fn accepts(&self) -> Result<()> {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let ready = bin()?.join("pg_isready");
        loop {
            let asked = Command::new(&ready)
                .args(["-q", "-h"])
                .arg(&self.folder)
                .status()
                .context("run pg_isready")?;
            if asked.success() {
                return Ok(());
            }
            if std::time::Instant::now() > deadline {
                bail!("the throw-away Postgres did not start");
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Postgres refuses to run as root: then its own account does.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = ["postgres:", "nobody:"]
        .iter()
        .find_map(|name| passwd.lines().find(|line| line.starts_with(name)))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn bin() -> Result<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found
        .pop()
        .context("find Postgres below /usr/lib/postgresql; run `cargo xtask setup`")
}
