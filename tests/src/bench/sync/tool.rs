//! A tool that keeps two folders equal: ours and others' behind one face. Some see changes and go on by themselves, some
//! make one pass when they are told to.
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::{Child, Command};

use self::slipway::Slipway;
use self::ssh::Sshd;
use self::syncthing::Syncthing;
use super::super::cut::Wire;
use super::super::{peer, process, tell};
use super::Field;
use super::tree::Tree;

mod lsyncd;
mod mutagen;
pub mod slipway;
mod ssh;
mod syncthing;
mod unison;

/// Two folders that are not equal by then will not be.
const PATIENCE: Duration = Duration::from_secs(180);
/// A tool that ran less within a look is at rest, so that its folders may be read without being in its way.
const LOOK: Duration = Duration::from_millis(60);
const QUIET: Duration = Duration::from_millis(10);

/// Which tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours: `slipway mirror`, the server, and the agent of a session.
    Slipway,
    /// `cp -a`: what the disk alone takes.
    Cp,
    /// rsync over ssh: one pass.
    Rsync,
    /// An rsync over ssh for each batch of changes, one way.
    Lsyncd,
    /// Both ways over ssh, with its watcher on both sides.
    Unison,
    /// Both ways over ssh.
    Mutagen,
    /// Both ways over TLS.
    Syncthing,
}

impl Kind {
    /// All, in the order in which they are told and have their turns: ours beside the one that it is compared with.
    pub const ALL: [Self; 7] = [
        Self::Slipway,
        Self::Mutagen,
        Self::Cp,
        Self::Rsync,
        Self::Lsyncd,
        Self::Unison,
        Self::Syncthing,
    ];
    /// Those that see changes.
    pub const LIVE: [Self; 5] = [
        Self::Slipway,
        Self::Lsyncd,
        Self::Unison,
        Self::Mutagen,
        Self::Syncthing,
    ];

    /// Its name in figures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slipway => "slipway",
            Self::Cp => "cp",
            Self::Rsync => "rsync",
            Self::Lsyncd => "lsyncd",
            Self::Unison => "unison",
            Self::Mutagen => "mutagen",
            Self::Syncthing => "syncthing",
        }
    }

    /// Whether it sees changes.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Cp | Self::Rsync)
    }

    /// Whether it carries changes of both sides.
    #[must_use]
    pub const fn is_two_way(self) -> bool {
        !matches!(self, Self::Cp | Self::Rsync | Self::Lsyncd)
    }

    const fn goes_over_ssh(self) -> bool {
        matches!(
            self,
            Self::Rsync | Self::Lsyncd | Self::Unison | Self::Mutagen
        )
    }
}

/// A tool with its two folders.
pub struct Tool<'a> {
    /// Which.
    pub kind: Kind,
    /// The folder in which a person works.
    pub near: PathBuf,
    /// The other one.
    pub far: PathBuf,
    /// What lies here comes to the near folder when the tool begins.
    stage: PathBuf,
    home: PathBuf,
    binary: PathBuf,
    running: Vec<Child>,
    sshd: Option<Sshd>,
    /// What it says goes through here.
    wire: Option<Wire>,
    syncthing: Option<Syncthing>,
    ours: Option<Slipway<'a>>,
}

impl<'a> Tool<'a> {
    /// Brings up what can be up before there is anything to keep equal; `None`, loudly, when the tool is not here.
    pub async fn open(field: &'a Field<'_>, kind: Kind) -> Option<Self> {
        Self::told(field, kind, false).await
    }

    /// The same, with everything that it says counted, where that is one connection to one port.
    pub async fn open_counted(field: &'a Field<'_>, kind: Kind) -> Option<Self> {
        Self::told(field, kind, true).await
    }

    async fn told(field: &'a Field<'_>, kind: Kind, counted: bool) -> Option<Self> {
        let binary = match kind {
            Kind::Slipway => PathBuf::new(),
            kind => match field.peers.find(kind.name()) {
                Some(binary) => binary,
                None => {
                    peer::missing(kind.name());
                    return None;
                }
            },
        };
        match Self::opened(field, kind, binary, counted).await {
            Ok(tool) => Some(tool),
            Err(error) => {
                tell(&format!("{} does NOT RUN: {error:#}", kind.name()));
                None
            }
        }
    }

    async fn opened(
        field: &'a Field<'_>,
        kind: Kind,
        binary: PathBuf,
        counted: bool,
    ) -> Result<Self> {
        let home = field
            .folder
            .join(format!("{}-{}", kind.name(), field.lab.fresh()));
        std::fs::create_dir_all(&home)?;
        let mut tool = Self {
            kind,
            near: home.join("near"),
            far: home.join("far"),
            stage: home.join("stage"),
            home,
            binary,
            running: Vec::new(),
            sshd: None,
            wire: None,
            syncthing: None,
            ours: None,
        };
        if kind.goes_over_ssh() {
            let sshd = Sshd::start(field.peers, &tool.home.join("ssh")).await?;
            if counted {
                let wire = Wire::to_address(&sshd.address()).await?;
                sshd.is_reached_by(wire.address.port())?;
                tool.wire = Some(wire);
            }
            sshd.answers().await?;
            tool.sshd = Some(sshd);
        }
        if kind != Kind::Slipway {
            std::fs::create_dir_all(&tool.far)?;
        }
        match kind {
            Kind::Slipway => {
                if counted {
                    tool.wire = Some(Wire::to(&field.lab.server.base).await?);
                }
                let wire = tool.wire.as_ref().map(|wire| wire.address);
                let ours = Slipway::start(field, &tool.near, wire).await?;
                tool.far.clone_from(&ours.disk);
                tool.ours = Some(ours);
            }
            Kind::Mutagen => tool.prepare_mutagen().await?,
            Kind::Syncthing => {
                let (syncthing, running) = Syncthing::start(&tool.binary, &tool.home).await?;
                tool.syncthing = Some(syncthing);
                tool.running.extend(running);
            }
            Kind::Cp | Kind::Rsync | Kind::Lsyncd | Kind::Unison => {}
        }
        Ok(tool)
    }

    /// Lays out a copy of a tree, all of it on the disk.
    pub async fn fill(&self, material: &Path) -> Result<()> {
        let copied = Command::new("cp")
            .arg("-a")
            .arg(material)
            .arg(&self.stage)
            .status()
            .await?;
        ensure!(copied.success(), "cp -a {} failed", material.display());
        rustix::fs::syncfs(std::fs::File::open(&self.home)?)?;
        Ok(())
    }

    /// The near folder has what was laid out, and is kept equal from now on.
    pub async fn begin(&mut self) -> Result<()> {
        if !matches!(self.kind, Kind::Slipway | Kind::Mutagen) {
            std::fs::rename(&self.stage, &self.near)?;
        }
        match self.kind {
            Kind::Slipway => self.move_in(),
            Kind::Mutagen => {
                self.move_in()?;
                // It would look within ten seconds.
                self.flush_mutagen().await
            }
            Kind::Lsyncd => self.begin_lsyncd(),
            Kind::Unison => self.begin_unison(),
            Kind::Syncthing => {
                let syncthing = self.syncthing.as_ref();
                let syncthing = syncthing.context("invariant: it was started")?;
                syncthing.begin(&self.near, &self.far).await
            }
            Kind::Cp | Kind::Rsync => self.pass().await,
        }
    }

    /// An empty folder is kept equal already: what was laid out comes into it, rules before what they let in.
    fn move_in(&self) -> Result<()> {
        let names = std::fs::read_dir(&self.stage)?.map(|entry| Ok(entry?.file_name()));
        let mut names = names.collect::<std::io::Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            std::fs::rename(self.stage.join(&name), self.near.join(&name))?;
        }
        Ok(())
    }

    /// A tool that sees no changes looks for them now.
    pub async fn pass(&self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        match self.kind {
            Kind::Cp => command
                .arg("-a")
                .arg(format!("{}/.", self.near.display()))
                .arg(&self.far),
            Kind::Rsync => command
                .args(["-a", "--delete", "-e"])
                .arg(format!("ssh -F {}", self.sshd()?.config().display()))
                .arg(format!("{}/", self.near.display()))
                .arg(format!("peer:{}/", self.far.display())),
            _ => return Ok(()),
        };
        let said = command.output().await?;
        let error = String::from_utf8_lossy(&said.stderr);
        ensure!(said.status.success(), "{}: {error}", self.kind.name());
        Ok(())
    }

    /// Waits until both folders are what they should be; the seconds from `since` until the last change of either. They
    /// are read only while the tool is at rest.
    pub async fn until_equal(&self, want: &Tree, since: SystemTime) -> Result<f64> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let (mut spent, mut differs) = (self.spent(), String::new());
        loop {
            if self.kind.is_live() {
                tokio::time::sleep(LOOK).await; // waits: a pace of the look
            }
            let before = std::mem::replace(&mut spent, self.spent());
            let is_quiet = !self.kind.is_live() || spent.saturating_sub(before) <= QUIET;
            if is_quiet && let (Ok(near), Ok(far)) = (Tree::of(&self.near), Tree::of(&self.far)) {
                let Some(difference) = want.difference(&far).or_else(|| want.difference(&near))
                else {
                    let changed = far.changed.max(near.changed);
                    return Ok(changed
                        .duration_since(since)
                        .unwrap_or_default()
                        .as_secs_f64());
                };
                ensure!(self.kind.is_live(), "{}: {difference}", self.kind.name());
                differs = difference;
            }
            if tokio::time::Instant::now() > deadline {
                bail!("{}: not equal after 3 minutes: {differs}", self.kind.name());
            }
        }
    }

    /// All its processes, on both sides.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let roots = self.running.iter().filter_map(Child::id);
        let mut all: Vec<u32> = roots
            .chain(self.sshd.iter().filter_map(Sshd::pid))
            .flat_map(|root| process::family(root, &[]))
            .collect();
        if let Some(ours) = &self.ours {
            all.extend(ours.processes());
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The two processes that keep our folders equal, without the server between them; everything of another tool.
    #[must_use]
    pub fn engines(&self) -> Vec<u32> {
        match &self.ours {
            Some(ours) => ours.engines(),
            None => self.processes(),
        }
    }

    /// What it has run since it began, with everything that it started and that has ended.
    #[must_use]
    pub fn spent(&self) -> Duration {
        let passes = (!self.kind.is_live()).then(process::spent_by_children);
        process::spent(self.processes()) + passes.unwrap_or_default()
    }

    /// Bytes that it said so far, there and back, if they are counted.
    #[must_use]
    pub fn carried(&self) -> Option<[u64; 2]> {
        self.wire.as_ref().map(Wire::carried)
    }

    /// The way of what it says, if it is counted.
    #[must_use]
    pub const fn wire(&self) -> Option<&Wire> {
        self.wire.as_ref()
    }

    /// Where the innards of a repository of the near folder may lie.
    #[must_use]
    pub fn innards(&self) -> PathBuf {
        self.home.join("innards.git")
    }

    fn sshd(&self) -> Result<&Sshd> {
        self.sshd.as_ref().context("invariant: it goes over ssh")
    }

    /// Starts a process of the tool's, which writes into its log.
    fn start(&mut self, mut command: Command) -> Result<()> {
        let log = std::fs::File::create(self.home.join("log"))?;
        let child = command
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        self.running.push(child);
        Ok(())
    }

    /// Ends it and removes its folders.
    pub async fn close(self) -> Result<()> {
        for child in self.running {
            peer::stop(child).await?;
        }
        if let Some(ours) = self.ours {
            ours.stop().await?;
        }
        if let Some(sshd) = self.sshd {
            sshd.stop().await?;
        }
        std::fs::remove_dir_all(self.home)?;
        Ok(())
    }
}
