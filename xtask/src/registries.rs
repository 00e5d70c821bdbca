//! Which hosts `pip` and `npm` of this machine use, so that sessions may reach the same through the egress proxy.
use std::collections::BTreeSet;
use std::process::Command;

use crate::image;

/// Sets the server's list of allowed hosts from the machine's own configuration of pip and npm.
///
/// A company's mirror has a private address, which the proxy refuses unless an administrator lists it;
/// whoever runs these commands is the administrator, and the list is only what the machine already uses.
pub fn allow(command: &mut Command) {
    let hosts = hosts();
    if !hosts.is_empty() && std::env::var_os("SLIPWAY_EGRESS_ALLOW").is_none() {
        command.env(
            "SLIPWAY_EGRESS_ALLOW",
            hosts.into_iter().collect::<Vec<_>>().join(","),
        );
    }
}

/// Where the image's pip says at which hosts it looks without any configuration.
const PIP_DEFAULTS: &str = "usr/lib/python3/dist-packages/pip/_internal/models/index.py";

fn hosts() -> BTreeSet<String> {
    let asked = [
        output("npm", &["config", "get", "registry"]),
        output("python3", &["-m", "pip", "config", "list"]),
        pip_defaults(),
        std::fs::read_to_string("/etc/pip.conf").unwrap_or_default(),
        [
            "PIP_INDEX_URL",
            "PIP_EXTRA_INDEX_URL",
            "NPM_CONFIG_REGISTRY",
            "npm_config_registry",
        ]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .collect::<Vec<_>>()
        .join("\n"),
    ];
    asked
        .iter()
        .flat_map(|text| urls(text))
        .filter_map(host)
        .collect()
}

/// The default hosts of the sessions' pip as addresses. The machine itself may have no pip.
fn pip_defaults() -> String {
    let Ok(image) = image::ensure() else {
        return String::new();
    };
    std::fs::read_to_string(image.join(PIP_DEFAULTS))
        .unwrap_or_default()
        .replace("file_storage_domain=\"", "\"https://")
}

fn output(program: &str, args: &[&str]) -> String {
    Command::new(program)
        .args(args)
        .output()
        .map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
        .unwrap_or_default()
}

fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "'\"=,".contains(c))
        .filter(|word| word.starts_with("http"))
}

fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{host, urls};

    #[test]
    fn hosts_are_found_in_settings_and_in_code() {
        let text = "index-url = 'https://user@mirror.example:8443/simple'\nPyPI = PackageIndex(\"https://index.example/\", \"https://files.example\")";
        let found: Vec<String> = urls(text).filter_map(host).collect();
        assert_eq!(found, ["mirror.example", "index.example", "files.example"]);
    }
}
