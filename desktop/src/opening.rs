//! What the window is opened for: as a person, a file manager or a link says it, and as `slipway` hands it to the
//! program that has the window.
use std::ffi::OsString;
use std::path::Path;

use clap::{Args, Parser};

/// The scheme of links into the program.
const LINK: &str = "slipway://";

/// What the window is opened for.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// A link, or the absolute path of a file or folder of this machine.
    pub wish: Option<String>,
    /// The server to work with from now on.
    #[arg(long)]
    pub server: Option<String>,
    /// Draws without the graphics card.
    #[arg(long = "safe-graphics")]
    pub safe: bool,
}

/// What `slipway-window` is started with.
#[derive(Parser)]
#[command(
    name = "slipway-window",
    version,
    about = "The window of Slipway, which `slipway` opens"
)]
struct Line {
    #[command(flatten)]
    opening: Opening,
}

impl Opening {
    /// Reads what the program that has the window was started with, or leaves and says what is wrong with it.
    #[must_use]
    pub fn read() -> Self {
        let mut opening = Line::parse().opening;
        opening.wish = opening.wish.map(|wish| of_argument(&wish));
        opening
    }

    /// The same as arguments of that program.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        if self.safe {
            arguments.push("--safe-graphics".into());
        }
        if let Some(server) = &self.server {
            arguments.push(format!("--server={server}").into());
        }
        if let Some(wish) = &self.wish {
            arguments.extend(["--".into(), wish.into()]);
        }
        arguments
    }
}

/// An argument as the gateway understands it: a link stays as it is, everything else is an absolute path.
#[must_use]
pub fn of_argument(argument: &str) -> String {
    // A folder that is gone makes relative paths mean nothing, and is told of where they are opened.
    below(argument, &std::env::current_dir().unwrap_or_default())
}

fn below(argument: &str, here: &Path) -> String {
    if argument.starts_with(LINK) {
        return argument.to_owned();
    }
    let path = reqwest::Url::parse(argument)
        .ok()
        .filter(|url| url.scheme() == "file")
        .and_then(|url| url.to_file_path().ok())
        .unwrap_or_else(|| here.join(argument));
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_links_addresses_of_files_or_paths() {
        let here = Path::new("/home/ada");
        for (argument, expected) in [
            ("slipway://workspaces/1", "slipway://workspaces/1"),
            ("file:///home/ada/a%20b.py", "/home/ada/a b.py"),
            ("/etc/hosts", "/etc/hosts"),
            ("tides", "/home/ada/tides"),
            (".", "/home/ada/."),
            ("C: odd name", "/home/ada/C: odd name"),
            ("https://example.org", "/home/ada/https://example.org"),
        ] {
            assert_eq!(below(argument, here), expected, "{argument}");
        }
    }

    #[test]
    fn the_window_hears_what_the_command_line_was_told() {
        for (wish, server, safe) in [
            (None, None, false),
            (Some("/home/ada/-odd --name"), None, true),
            (Some("slipway://w/1?open=a b"), Some("-x"), false),
        ] {
            let opening = Opening {
                wish: wish.map(str::to_owned),
                server: server.map(str::to_owned),
                safe,
            };
            let program = std::iter::once("slipway-window".into());
            let line = Line::try_parse_from(program.chain(opening.arguments())).unwrap();
            assert_eq!(line.opening, opening);
        }
    }
}
