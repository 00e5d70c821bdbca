//! unison: both ways over ssh, with `unison-fsmonitor` on both sides.
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Result;
use tokio::process::Command;

use super::Tool;

impl Tool<'_> {
    pub(super) fn begin_unison(&mut self) -> Result<()> {
        let (home, config) = (self.home.clone(), self.sshd()?.config());
        let folder = self.binary.parent().unwrap_or(&home);
        // The other side has archives of its own, as on another machine.
        let far_side = home.join("far-side");
        let script = format!(
            "#!/bin/sh\nexport PATH={}:/usr/bin:/bin UNISON={1}/archives-far HOME={1}\nexec {2} \"$@\"\n",
            folder.display(),
            home.display(),
            self.binary.display()
        );
        std::fs::write(&far_side, script)?;
        std::fs::set_permissions(&far_side, std::fs::Permissions::from_mode(0o755))?;
        let mut command = Command::new(&self.binary);
        command
            .arg(&self.near)
            .arg(format!("ssh://peer/{}", self.far.display()))
            .args(["-batch", "-auto", "-repeat", "watch", "-times"])
            .args(["-confirmbigdel=false", "-ui", "text", "-sshargs"])
            .arg(format!("-F {}", config.display()))
            .arg("-servercmd")
            .arg(&far_side)
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .env("UNISON", home.join("archives-near"))
            .env("HOME", &home)
            .current_dir(&home);
        self.start(command)
    }
}
