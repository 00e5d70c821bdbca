//! What the window was asked to show, as it is written on a command line, in a file manager or in a link.
use std::path::Path;

/// The scheme of links into the program.
const LINK: &str = "slipway://";

/// An argument as the gateway understands it: a link stays as it is, everything else is an absolute path.
#[must_use]
pub fn of_argument(argument: &str, here: &Path) -> String {
    if argument.starts_with(LINK) {
        return argument.to_owned();
    }
    let path = tauri::Url::parse(argument)
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
            assert_eq!(of_argument(argument, here), expected, "{argument}");
        }
    }
}
