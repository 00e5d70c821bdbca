//! What the environment says, read once; the only place that does.
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use crate::error::CliError;

/// The surroundings of one command.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where Slipway keeps what it must remember on this machine.
    pub state: PathBuf,
    /// This machine's name.
    pub host: String,
    /// Whether a window can be shown.
    pub display: bool,
    /// Where the program that owns terminals of this machine may lie, first choice first.
    pub agents: Vec<PathBuf>,
    /// Where the program that has the window may lie, in the same way.
    pub windows: Vec<PathBuf>,
    /// What belongs to this login and not to the one in which an agent was started.
    pub login: Vec<(String, String)>,
    /// Where new workspaces are put if nobody says otherwise.
    pub home: PathBuf,
    /// The person's own folder.
    pub own: Option<PathBuf>,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// When it names no home.
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one that reads the environment"
    )]
    pub fn read() -> Result<Self, CliError> {
        let home = std::env::var_os("HOME");
        let state = state_folder(std::env::var_os("XDG_STATE_HOME"), home.clone())
            .ok_or(CliError::NoHome)?;
        let told = |name: &str| std::env::var(name).ok();
        let login = LOGIN
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), told(name)?)));
        let host = rustix::system::uname();
        let beside = |variable, name| {
            let own = std::env::current_exe().ok();
            places(name, std::env::var_os(variable), own)
        };
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let own = home.map(PathBuf::from).filter(|home| home.is_absolute());
        Ok(Self {
            home: own.as_ref().map_or_else(
                || state.with_extension("workspaces"),
                |own| own.join("Slipway"),
            ),
            own,
            state,
            host: host.nodename().to_string_lossy().into_owned(),
            display: cfg!(not(target_os = "linux"))
                || is_set("WAYLAND_DISPLAY")
                || is_set("DISPLAY"),
            agents: beside("SLIPWAY_AGENT", "slipway-agent"),
            windows: beside("SLIPWAY_WINDOW", "slipway-window"),
            login: login.collect(),
        })
    }

    /// A path as people write it, with ~ for their own folder.
    #[must_use]
    pub fn short(&self, path: &Path) -> String {
        let own = self.own.as_deref().filter(|own| own.parent().is_some());
        match own.and_then(|own| path.strip_prefix(own).ok()) {
            Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
            Some(rest) => format!("~/{}", rest.display()),
            None => path.display().to_string(),
        }
    }
}

/// What programs need to reach the desktop and the keys of the login that they belong to.
const LOGIN: &[&str] = &[
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_ID",
];

/// What somebody chose, else beside this program, else where packages put it.
fn places(name: &str, chosen: Option<OsString>, own: Option<PathBuf>) -> Vec<PathBuf> {
    let chosen = chosen.filter(|chosen| !chosen.is_empty());
    let beside = own.and_then(|own| Some(own.parent()?.join(name)));
    let installed = PathBuf::from("/usr/lib/slipway").join(name);
    let chosen = chosen.map(PathBuf::from);
    chosen
        .into_iter()
        .chain(beside)
        .chain([installed])
        .collect()
}

/// The first of some programs that is there.
pub(crate) fn installed(programs: &[PathBuf]) -> Option<&Path> {
    let there = |path: &&PathBuf| {
        path.is_file() && rustix::fs::access(path.as_path(), Access::EXEC_OK).is_ok()
    };
    programs.iter().find(there).map(PathBuf::as_path)
}

/// As the XDG rules say: a relative path is none.
fn state_folder(state: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let base = state
        .and_then(absolute)
        .or_else(|| Some(home.and_then(absolute)?.join(".local/state")))?;
    Some(base.join("slipway"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_somebody_chose_comes_first() {
        let own = Some(PathBuf::from("/opt/slipway/slipway"));
        let agents = |chosen, own| places("slipway-agent", chosen, own);
        let found = agents(Some("/a".into()), own.clone());
        let usual = [
            "/opt/slipway/slipway-agent",
            "/usr/lib/slipway/slipway-agent",
        ];
        let usual = usual.map(PathBuf::from);
        assert_eq!(found[0], PathBuf::from("/a"));
        assert_eq!(found[1..], usual);
        assert_eq!(agents(Some(OsString::new()), own), usual);
    }

    #[test]
    fn a_path_is_written_with_a_tilde_below_the_persons_own_folder() {
        let short = |own: Option<&str>, path: &str| {
            let config = Config {
                own: own.map(PathBuf::from),
                ..Config::read().unwrap()
            };
            config.short(Path::new(path))
        };
        let ada = Some("/home/ada");
        assert_eq!(short(ada, "/home/ada/Slipway/tides"), "~/Slipway/tides");
        assert_eq!(short(ada, "/home/ada"), "~");
        assert_eq!(short(ada, "/home/adam/tides"), "/home/adam/tides");
        assert_eq!(short(Some("/"), "/srv/tides"), "/srv/tides");
        assert_eq!(short(None, "/srv/tides"), "/srv/tides");
    }

    #[test]
    fn the_state_folder_follows_xdg() {
        let folder = |state: Option<&str>, home: Option<&str>| {
            state_folder(state.map(Into::into), home.map(Into::into))
        };
        let home = Some("/home/ada");
        assert_eq!(folder(Some("/s"), home), Some("/s/slipway".into()));
        let default = Some(PathBuf::from("/home/ada/.local/state/slipway"));
        assert_eq!(folder(None, home), default);
        assert_eq!(folder(Some("relative"), home), default);
        assert_eq!(folder(Some(""), home), default);
        assert_eq!(folder(None, None), None);
    }
}
