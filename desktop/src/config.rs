//! What the environment says, read once; the only place that does.
use std::ffi::OsString;
use std::path::PathBuf;

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
        let state = state_folder(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"))
            .ok_or(CliError::NoHome)?;
        let host = rustix::system::uname();
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Ok(Self {
            state,
            host: host.nodename().to_string_lossy().into_owned(),
            display: cfg!(not(target_os = "linux"))
                || is_set("WAYLAND_DISPLAY")
                || is_set("DISPLAY"),
        })
    }
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
