//! What programs find in their environment: nothing of the agent's own.
use std::collections::BTreeMap;
use std::path::Path;

use crate::config::Config;
use crate::egress::PROXY_ADDRESS;
use crate::terminal::spawn::shell;

/// Where the trusted certificates of the execution image stand.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The environment of every program; what comes later in `more` wins.
#[must_use]
pub fn environment(
    config: &Config,
    session_id: &str,
    more: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let home = config.home.display();
    let mut env: BTreeMap<String, String> = [
        ("TERM", "xterm-256color".to_owned()),
        ("COLORTERM", "truecolor".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("USER", "slipway".to_owned()),
        ("LOGNAME", "slipway".to_owned()),
        ("SHELL", shell().to_owned()),
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
    env.extend(more);
    env
}
