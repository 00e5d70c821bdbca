//! mutagen: both ways over ssh. It installs its agent into the home of whoever signs in there, as it always does.
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::process::Command;

use super::{PATIENCE, Tool};

impl Tool<'_> {
    fn mutagen(&self) -> Result<Command> {
        let mut command = Command::new(&self.binary);
        command
            .env("MUTAGEN_DATA_DIRECTORY", self.home.join("data"))
            .env("HOME", &self.home)
            .env("MUTAGEN_SSH_PATH", self.sshd()?.programs());
        Ok(command)
    }

    /// Its daemon runs, its agent is installed on the other side, and two empty folders are kept equal.
    pub(super) async fn prepare_mutagen(&mut self) -> Result<()> {
        let mut daemon = self.mutagen()?;
        daemon.args(["daemon", "run"]);
        self.start(daemon)?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let listed = self.mutagen()?.args(["sync", "list"]).output().await?;
            if listed.status.success() {
                break;
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "its daemon does not answer"
            );
            tokio::time::sleep(Duration::from_millis(50)).await; // waits: a pace of the look
        }
        std::fs::create_dir_all(&self.near)?;
        let near = self.near.display().to_string();
        let far = format!("127.0.0.1:{}", self.far.display());
        self.done(&[
            "sync",
            "create",
            "--mode",
            "two-way-safe",
            "--default-file-mode",
            "0644",
            "--default-directory-mode",
            "0755",
            &near,
            &far,
        ])
        .await?;
        self.flush_mutagen().await
    }

    /// Looks now, and waits until what was found has come.
    pub(super) async fn flush_mutagen(&self) -> Result<()> {
        self.done(&["sync", "flush", "--all"]).await
    }

    async fn done(&self, arguments: &[&str]) -> Result<()> {
        let said = self.mutagen()?.args(arguments).output().await?;
        let error = String::from_utf8_lossy(&said.stderr);
        ensure!(said.status.success(), "{arguments:?}: {error}");
        Ok(())
    }
}
