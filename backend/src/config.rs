//! Every setting, by flag or `SLIPWAY_*` variable, read once. Nobody else reads the environment.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use slipway_core::limits::{
    BODY_STALL_S, HTTP_ALIVE_MS, HTTP_CONNECTIONS_MAX, HTTP_CONNECTIONS_PER_ADDRESS_MAX,
    HTTP_HEAD_MS, HTTP_WRITE_MS, WS_PING_MS, WS_SILENCE_MS,
};

use crate::http::address::Network;

/// How lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

/// Where sessions may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EgressMode {
    /// Nowhere.
    None,
    /// Hosts that the administrator lists.
    Listed,
    /// Public addresses, and listed hosts.
    Internet,
}

/// The server's settings.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env = "SLIPWAY_LISTEN", default_value = "127.0.0.1:8002")]
    pub listen: SocketAddr,
    /// Folder for the database, volumes and logs.
    #[arg(long, env = "SLIPWAY_DATA_DIR", default_value_os_t = default_data_dir(), value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Folder with Postgres' programs, when they are not where Debian keeps them.
    #[arg(long, env = "SLIPWAY_PG_BIN", value_name = "DIR")]
    pub postgres_bin: Option<PathBuf>,
    /// Where programs are looked for.
    #[arg(long, env = "PATH", hide = true, default_value = "")]
    pub path: std::ffi::OsString,
    /// Where short names for sockets are made, when the data directory's path is too long for one.
    #[arg(long, env = "TMPDIR", hide = true, default_value = "/tmp")]
    pub temporary: PathBuf,
    /// An existing Postgres instead of the embedded one.
    #[arg(
        long,
        env = "SLIPWAY_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_url: Option<String>,
    /// Address under which people reach this server, when it stands behind a proxy.
    #[arg(long, env = "SLIPWAY_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed, as addresses or networks; without, rate limits see the proxy alone,
    /// and its connections are counted as those of one address.
    #[arg(
        long = "trusted-proxy",
        env = "SLIPWAY_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "NETWORK"
    )]
    pub trusted_proxies: Vec<Network>,
    /// Root file system of the execution image; `cargo xtask image` builds it.
    #[arg(long, env = "SLIPWAY_IMAGE", value_name = "DIR")]
    pub image: Option<PathBuf>,
    /// The static slipway-agent; by default beside this program.
    #[arg(long, env = "SLIPWAY_AGENT", value_name = "FILE")]
    pub agent: Option<PathBuf>,
    /// Where sessions may connect to.
    #[arg(long, env = "SLIPWAY_EGRESS", value_enum, default_value = "internet")]
    pub egress: EgressMode,
    /// Hosts that sessions may reach in any mode but none, private addresses among them.
    #[arg(
        long,
        env = "SLIPWAY_EGRESS_ALLOW",
        value_delimiter = ',',
        value_name = "HOST"
    )]
    pub egress_allow: Vec<String>,
    /// Proxy that the egress proxy itself goes through, as http://HOST:PORT. It is asked for the public addresses that
    /// this server found, and for the names of listed hosts.
    #[arg(long, env = "SLIPWAY_EGRESS_UPSTREAM", value_name = "URL")]
    pub egress_upstream: Option<String>,
    /// The upstream proxy is asked for all hosts by name: where this machine cannot resolve outer names, or the upstream
    /// allows names only. It must refuse private addresses itself.
    #[arg(long, env = "SLIPWAY_EGRESS_UPSTREAM_RESOLVES")]
    pub egress_upstream_resolves: bool,
    /// Runs code without isolation where the sandbox cannot work. Only for code that you trust.
    #[arg(long, env = "SLIPWAY_UNSAFE_NO_SANDBOX")]
    pub unsafe_no_sandbox: bool,
    /// Connections at once. The system's limit of open files must be twice as high.
    #[arg(long, env = "SLIPWAY_HTTP_CONNECTIONS_MAX", default_value_t = HTTP_CONNECTIONS_MAX, value_name = "MANY", hide_short_help = true)]
    pub http_connections_max: usize,
    /// Connections at once of one address, or of the first half of one in IPv6. Those of a trusted proxy have no such
    /// bound.
    #[arg(long, env = "SLIPWAY_HTTP_CONNECTIONS_PER_ADDRESS_MAX", default_value_t = HTTP_CONNECTIONS_PER_ADDRESS_MAX, value_name = "MANY", hide_short_help = true)]
    pub http_connections_per_address_max: usize,
    /// A connection whose request head is not whole within this time is closed.
    #[arg(long, env = "SLIPWAY_HTTP_HEAD_MS", default_value_t = HTTP_HEAD_MS, value_name = "MS", hide_short_help = true)]
    pub http_head_ms: u64,
    /// A request body of which nothing arrives for this long is ended.
    #[arg(long, env = "SLIPWAY_HTTP_BODY_MS", default_value_t = BODY_STALL_S * 1000, value_name = "MS", hide_short_help = true)]
    pub http_body_ms: u64,
    /// A connection that takes nothing of its answer for this long is closed.
    #[arg(long, env = "SLIPWAY_HTTP_WRITE_MS", default_value_t = HTTP_WRITE_MS, value_name = "MS", hide_short_help = true)]
    pub http_write_ms: u64,
    /// How often a request with an `Idempotency-Key` says that it is still being answered.
    #[arg(long, env = "SLIPWAY_HTTP_ALIVE_MS", default_value_t = HTTP_ALIVE_MS, value_name = "MS", hide_short_help = true)]
    pub http_alive_ms: u64,
    /// How often a WebSocket is asked whether its other side is there.
    #[arg(long, env = "SLIPWAY_WS_PING_MS", default_value_t = WS_PING_MS, value_name = "MS", hide_short_help = true)]
    pub ws_ping_ms: u64,
    /// A WebSocket on which nothing arrives for this long, not even an answer to a ping, is closed.
    #[arg(long, env = "SLIPWAY_WS_SILENCE_MS", default_value_t = WS_SILENCE_MS, value_name = "MS", hide_short_help = true)]
    pub ws_silence_ms: u64,
    /// How the log looks.
    #[arg(long, env = "SLIPWAY_LOG", value_enum, default_value = "text")]
    pub log: LogFormat,
    /// What the log tells, in the syntax of tracing's filter.
    #[arg(
        long,
        env = "SLIPWAY_LOG_FILTER",
        default_value = "info,sqlx=warn,h2=warn,hyper=warn"
    )]
    pub log_filter: String,
    /// Lets the embedded Postgres skip its disk flushes. Loses data on a power cut; for tests.
    #[arg(long, hide = true)]
    pub no_fsync: bool,
}

impl Config {
    /// The same settings with absolute paths: children run in folders of their own.
    #[must_use]
    pub fn absolute(mut self) -> Self {
        let absolute = |path: &mut PathBuf| *path = std::path::absolute(&*path).unwrap_or_default();
        absolute(&mut self.data_dir);
        [&mut self.image, &mut self.agent, &mut self.postgres_bin]
            .into_iter()
            .flatten()
            .for_each(absolute);
        self
    }

    /// Where the agent's program lies.
    #[must_use]
    pub fn agent_file(&self) -> PathBuf {
        self.agent.clone().unwrap_or_else(|| {
            let own = std::env::current_exe().unwrap_or_default();
            own.parent()
                .unwrap_or_else(|| Path::new("."))
                .join("slipway-agent")
        })
    }

    /// The effective settings for people, secrets left out.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut shown = self.clone();
        shown.database_url = shown.database_url.map(|_| "(set, not shown)".to_owned());
        shown.egress_upstream = shown.egress_upstream.map(|_| "(set, not shown)".to_owned());
        format!("{shown:#?}")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this file is the one that reads the environment"
)]
fn default_data_dir() -> PathBuf {
    // Root's home is closed to the account that runs Postgres then.
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/slipway");
    }
    let home = || {
        PathBuf::from(std::env::var("HOME").unwrap_or_else(|_| "/var/lib".to_owned()))
            .join(".local/share")
    };
    std::env::var("XDG_DATA_HOME")
        .map_or_else(|_| home(), PathBuf::from)
        .join("slipway")
}
