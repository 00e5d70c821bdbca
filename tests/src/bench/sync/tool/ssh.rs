//! An sshd of our own on a port of loopback, with keys of its own: `ssh -F CONFIG peer` then asks nobody anything.
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};

use super::super::super::peer::{self, Peers, free_port};

/// A running sshd.
pub(super) struct Sshd {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Sshd {
    pub(super) async fn start(peers: &Peers, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder.join("bin"))?;
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder, private)?;
        for key in ["host", "id"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(key))
                .status()
                .await
                .context("run ssh-keygen")?;
            ensure!(made.success(), "ssh-keygen failed");
        }
        std::fs::copy(folder.join("id.pub"), folder.join("authorized_keys"))?;
        let port = free_port()?;
        let shown = folder.display();
        let settings = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {shown}/host\nAuthorizedKeysFile {shown}/authorized_keys\n\
             PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nMaxStartups 100\nMaxSessions 200\n\
             Subsystem sftp internal-sftp\n"
        );
        std::fs::write(folder.join("sshd_config"), settings)?;
        // Where it wants to be alone as long as nobody is signed in.
        std::fs::create_dir_all("/run/sshd")?;
        let binary = peers.find("sshd").unwrap_or("/usr/sbin/sshd".into());
        let mut command = Command::new(binary);
        command
            .args(["-D", "-f"])
            .arg(folder.join("sshd_config"))
            .arg("-E")
            .arg(folder.join("sshd.log"));
        let child = peer::start(command, port, folder).await?;
        let sshd = Self {
            child,
            folder: folder.to_owned(),
            port,
        };
        sshd.is_reached_by(port)?;
        for name in ["ssh", "scp"] {
            let wrapper = sshd.programs().join(name);
            let script = format!("#!/bin/sh\nexec {name} -F {shown}/config \"$@\"\n");
            std::fs::write(&wrapper, script)?;
            std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(sshd)
    }

    /// From now on clients use this port.
    pub(super) fn is_reached_by(&self, port: u16) -> Result<()> {
        let shown = self.folder.display();
        let config = format!(
            "Host peer 127.0.0.1\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {shown}/id\n\
             \x20 StrictHostKeyChecking no\n  UserKnownHostsFile {shown}/known_hosts\n  LogLevel ERROR\n"
        );
        Ok(std::fs::write(self.config(), config)?)
    }

    /// Whether a command runs there.
    pub(super) async fn answers(&self) -> Result<()> {
        let said = Command::new("ssh")
            .arg("-F")
            .arg(self.config())
            .args(["peer", "true"])
            .output()
            .await
            .context("run ssh")?;
        let error = String::from_utf8_lossy(&said.stderr);
        ensure!(said.status.success(), "the sshd lets nobody in: {error}");
        Ok(())
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    /// The folder of an `ssh` and an `scp` that know the way.
    pub(super) fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) async fn stop(self) -> Result<()> {
        peer::stop(self.child).await
    }
}
