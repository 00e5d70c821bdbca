//! What programs find in their environment: nothing of the agent's own.
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustix::fs::Access;

use crate::config::{Config, Ground};
use crate::egress::PROXY_ADDRESS;

/// Where the trusted certificates of the execution image stand.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What an app or its own terminal says of itself, which is not so in ours.
const NOT_OURS: &[&str] = &[
    "COLUMNS",
    "DESKTOP_STARTUP_ID",
    "GDK_GL",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "JSC_forceRAMSize",
    "JSC_smallHeapGrowthFactor",
    "LINES",
    "NOTIFY_SOCKET",
    "OLDPWD",
    "SHLVL",
    "STY",
    "TAURI_WEBVIEW_AUTOMATION",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TMUX",
    "TMUX_PANE",
    "VTE_VERSION",
    "WEBKIT_DISABLE_COMPOSITING_MODE",
    "WEBKIT_DISABLE_DMABUF_RENDERER",
    "WINDOWID",
    "XDG_ACTIVATION_TOKEN",
    "_",
];

/// The environment of every program; what comes later in `more` wins.
#[must_use]
pub fn environment(
    config: &Config,
    session_id: &str,
    more: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let mut env = match config.ground() {
        Ground::Sandbox => of_session(config, session_id),
        Ground::Machine => of_person(config),
    };
    env.extend(more);
    env
}

/// What a person finds in any terminal of their machine.
fn of_person(config: &Config) -> BTreeMap<String, String> {
    let mut env = config.inherited.clone();
    env.retain(|name, _| !NOT_OURS.contains(&name.as_str()));
    let shell = login_shell(env.get("SHELL").map(String::as_str));
    env.extend(
        [
            ("TERM", "xterm-256color".to_owned()),
            ("COLORTERM", "truecolor".to_owned()),
            ("SHELL", shell),
            ("PWD", config.workspace.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    env
}

/// The shell that a person signs in with: as their environment says, else as the system's list of accounts does.
fn login_shell(told: Option<&str>) -> String {
    let is_program = |shell: &&str| {
        shell.starts_with('/') && rustix::fs::access(*shell, Access::EXEC_OK).is_ok()
    };
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let listed = || shell_of(&accounts, rustix::process::getuid().as_raw());
    told.filter(is_program)
        .or_else(|| listed().filter(is_program))
        .unwrap_or_else(|| default_shell())
        .to_owned()
}

/// What a list of accounts says of the shell of one.
fn shell_of(accounts: &str, uid: u32) -> Option<&str> {
    let uid = uid.to_string();
    accounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.get(2) == Some(&uid.as_str())).then(|| fields.get(6).copied())?
    })
}

/// The shell where nobody has chosen one.
fn default_shell() -> &'static str {
    if Path::new("/bin/bash").exists() {
        "/bin/bash"
    } else {
        "/bin/sh"
    }
}

fn of_session(config: &Config, session_id: &str) -> BTreeMap<String, String> {
    let home = config.home.display();
    let mut env: BTreeMap<String, String> = [
        ("TERM", "xterm-256color".to_owned()),
        ("COLORTERM", "truecolor".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("USER", "slipway".to_owned()),
        ("LOGNAME", "slipway".to_owned()),
        ("SHELL", default_shell().to_owned()),
        ("HOME", home.to_string()),
        ("PWD", config.workspace.display().to_string()),
        ("SLIPWAY_SESSION", session_id.to_owned()),
        (
            "PATH",
            format!(
                "{home}/.local/bin:{home}/.npm-global/bin:\
                 /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            ),
        ),
        // No PIP_USER: in a virtual environment pip refuses it, and outside of one the read-only root makes pip choose
        // PYTHONUSERBASE by itself.
        ("PIP_BREAK_SYSTEM_PACKAGES", "1".to_owned()),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1".to_owned()),
        ("PYTHONUSERBASE", format!("{home}/.local")),
        ("PYTHONUNBUFFERED", "1".to_owned()),
        ("NPM_CONFIG_PREFIX", format!("{home}/.npm-global")),
        ("NPM_CONFIG_UPDATE_NOTIFIER", "false".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if config.egress_socket.is_some() {
        let proxy = format!("http://{PROXY_ADDRESS}");
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            env.insert(name.to_owned(), proxy.clone());
        }
        for name in ["no_proxy", "NO_PROXY"] {
            env.insert(name.to_owned(), "localhost,127.0.0.1,::1".to_owned());
        }
        if Path::new(CERTIFICATES).exists() {
            env.insert("NODE_EXTRA_CA_CERTS".to_owned(), CERTIFICATES.to_owned());
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn a_person_finds_their_own_environment_and_nothing_of_another_terminal() {
        let mut config = Config::parse_from(["agent", "--beside", "--workspace=/home/ada/tides"]);
        config.inherited = [
            ("HOME", "/home/ada"),
            ("PATH", "/opt/ada/bin:/bin"),
            ("SHELL", "/bin/sh"),
            ("TERM", "dumb"),
            ("TMUX", "/tmp/tmux-1000/default,1,0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let more = [("SSH_AUTH_SOCK".to_owned(), "/run/ssh".to_owned())];
        let env = environment(&config, "session", more);
        let told = |name: &str| env.get(name).map(String::as_str);
        assert_eq!(told("HOME"), Some("/home/ada"));
        assert_eq!(told("PATH"), Some("/opt/ada/bin:/bin"));
        assert_eq!(told("SHELL"), Some("/bin/sh"));
        assert_eq!(told("TERM"), Some("xterm-256color"));
        assert_eq!(told("PWD"), Some("/home/ada/tides"));
        assert_eq!(told("SSH_AUTH_SOCK"), Some("/run/ssh"));
        assert_eq!(told("TMUX"), None);
        assert_eq!(told("SLIPWAY_SESSION"), None);
    }

    #[test]
    fn a_shell_that_is_none_is_looked_up_among_the_accounts() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/zsh\nold:x:7\n";
        assert_eq!(shell_of(accounts, 1000), Some("/bin/zsh"));
        assert_eq!(shell_of(accounts, 7), None);
        assert_eq!(shell_of(accounts, 8), None);
        assert_ne!(login_shell(Some("/no/such/shell")), "/no/such/shell");
        assert_eq!(login_shell(Some("/bin/sh")), "/bin/sh");
    }
}
