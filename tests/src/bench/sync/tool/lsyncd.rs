//! lsyncd: watches one folder and runs rsync over ssh for each batch of changes.
use anyhow::Result;
use tokio::process::Command;

use super::Tool;

impl Tool<'_> {
    pub(super) fn begin_lsyncd(&mut self) -> Result<()> {
        let (near, far, home) = (self.near.display(), self.far.display(), self.home.display());
        let config = self.sshd()?.config();
        let settings = format!(
            "settings {{ logfile=\"{home}/lsyncd.log\", nodaemon=true, insist=true, inotifyMode=\"CloseWrite or Modify\" }}\n\
             sync {{ default.rsync, source=\"{near}/\", target=\"peer:{far}/\", delay=0, delete=true,\n\
             rsync={{ archive=true, rsh=\"/usr/bin/ssh -F {}\" }} }}\n",
            config.display()
        );
        let path = self.home.join("lsyncd.lua");
        std::fs::write(&path, settings)?;
        let mut command = Command::new(&self.binary);
        command.arg("-nodaemon").arg(path);
        self.start(command)
    }
}
