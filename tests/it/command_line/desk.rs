//! A desk: a home of its own, a folder to work in, and the program.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Parser as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::lab::PATIENCE;

/// Of every account that `Lab::user` makes.
pub(crate) const PASSWORD: &str = "quiet tide at seven bells";

pub(crate) struct Desk {
    folder: tempfile::TempDir,
    program: PathBuf,
    anchor: Option<PathBuf>,
}

/// What a command said, and how it left.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The output, one object a line.
    pub(crate) fn objects(&self) -> Vec<serde_json::Value> {
        let parse = |line| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error} in {line:?}: {self:?}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// The code of the error that was told in JSON.
    pub(crate) fn error_code(&self) -> String {
        let line = self.stderr.lines().last().unwrap_or_default();
        let object: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        object["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        #[derive(clap::Parser)]
        struct Flags {
            #[arg(long, env = "SLIPWAY_TEST_COMMAND")]
            command: PathBuf,
        }
        let flags = Flags::try_parse_from(["desk"])
            .expect("SLIPWAY_TEST_COMMAND is set, as `cargo xtask test` does");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("work")).expect("a folder to work in");
        Self {
            folder,
            program: flags.command,
            anchor: None,
        }
    }

    /// The same, trusting who this certificate is of, and nobody else.
    pub(super) fn trusting(self, anchor: PathBuf) -> Self {
        Self {
            anchor: Some(anchor),
            ..self
        }
    }

    /// Below the folder in which commands run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// The private state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state/slipway")
    }

    /// The folder for what a keychain of this desk keeps.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The whole environment of a command: nothing of the tester's, and so neither a keychain.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let home = self.folder.path();
        let mut environment = vec![
            ("HOME", home.into()),
            ("XDG_STATE_HOME", home.join("state").into()),
            ("XDG_DATA_HOME", home.join("data").into()),
            ("PATH", "/usr/bin:/bin".into()),
            ("TERM", "xterm-256color".into()),
        ];
        environment.extend(
            self.anchor
                .as_ref()
                .map(|anchor| ("SSL_CERT_FILE", anchor.into())),
        );
        environment
    }

    /// A command, not started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        self.equip(&mut command).args(arguments);
        command
    }

    /// Gives a program this desk's folder and environment.
    pub(crate) fn equip<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_clear()
            .envs(self.environment())
            .current_dir(self.path(""))
            .kill_on_drop(true)
    }

    /// Runs a command that reads nothing.
    pub(crate) async fn slipway(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments), "").await
    }

    /// Signs in with the token in a file.
    pub(crate) async fn login(
        &self,
        server: &str,
        email: &str,
        password: &str,
        more: &[&str],
    ) -> Said {
        let always = ["login", server, "--email", email, "--token-store", "file"];
        let arguments = [&always[..], more].concat();
        said(self.command(&arguments), &format!("{password}\n")).await
    }
}

/// What a command says to an input.
pub(crate) async fn said(mut command: Command, input: &str) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may not want to read.
    stdin.write_all(input.as_bytes()).await.ok();
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("in time")
        .expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
