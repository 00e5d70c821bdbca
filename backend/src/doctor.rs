//! `slipway-server doctor`: what this machine has of what a server needs, and what to do about the rest.
use std::fmt::{self, Write as _};
use std::io::ErrorKind;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::config::Config;
use crate::db::DbError;
use crate::db::embedded::find_programs;
use crate::lock::{DataDir, LockError};
use crate::serve::{self, ServeError};
use crate::session::runtime::SessionRuntime as _;
use crate::session::runtime::local::Local;

/// From the first packet to a database until its answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    name: String,
    /// `None`: fine to be without.
    well: Option<bool>,
    detail: String,
}

/// All that was looked at.
#[derive(Clone, Debug, Default)]
pub struct Report(Vec<Finding>);

impl Report {
    /// Whether a server would run, sandbox and all.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.0.iter().all(|finding| finding.well != Some(false))
    }

    fn add(&mut self, name: &str, result: Result<String, String>) {
        let well = Some(result.is_ok());
        let detail = result.unwrap_or_else(|error| error);
        self.0.push(Finding {
            name: name.to_owned(),
            well,
            detail,
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.0 {
            let mark = match finding.well {
                Some(true) => "ok     ",
                Some(false) => "MISSING",
                None => "without",
            };
            writeln!(f, "{mark}  {:<18} {}", finding.name, finding.detail)?;
        }
        write!(
            f,
            "{}",
            if self.is_well() {
                "This machine is ready."
            } else {
                "Mend what is missing, then try again."
            }
        )
    }
}

/// Looks at everything.
pub async fn examine(config: &Config) -> Report {
    let mut report = Report::default();
    report.add("Postgres", postgres(config).await);
    let data_dir = DataDir::take(&config.data_dir);
    let serves = match &data_dir {
        Err(LockError::Taken { pid, .. }) => Some(pid.clone()),
        Ok(_) | Err(LockError::Io { .. }) => None,
    };
    let dir = config.data_dir.display();
    report.add(
        "data directory",
        match &serves {
            Some(pid) => Ok(format!("{dir}, in use by the server with pid {pid}")),
            None => data_dir
                .map(|_| dir.to_string())
                .map_err(|error| shown(&error)),
        },
    );
    let port = serve::listen(config)
        .await
        .map(|_| config.listen.to_string());
    report.add(
        "port",
        match (port, serves) {
            // It is that server's own, as far as can be seen from outside.
            (Err(ServeError::Listen { address, source }), Some(pid))
                if source.kind() == ErrorKind::AddrInUse =>
            {
                Ok(format!(
                    "{address}, in use while the server with pid {pid} runs"
                ))
            }
            (port, _) => port.map_err(|error| shown(&error)),
        },
    );
    for (name, file) in serve::parts(config) {
        let found = if file.as_os_str().is_empty() {
            Err("none was named; `cargo xtask run -- doctor` builds and names it".to_owned())
        } else if file.exists() {
            Ok(file.display().to_string())
        } else {
            Err(format!(
                "{} is not there; `cargo xtask run` builds it",
                file.display()
            ))
        };
        report.add(name, found);
    }
    match Local::from_config(config) {
        Ok(local) => {
            report.add(
                "sandbox",
                local
                    .check()
                    .await
                    .map(|()| "programs can be isolated".to_owned())
                    .map_err(|error| shown(&error)),
            );
            for protection in local.protections() {
                report.0.push(Finding {
                    name: format!("  {}", protection.name),
                    well: protection.active.then_some(true),
                    detail: protection.detail,
                });
            }
        }
        Err(error) => report.add("sandbox", Err(shown(&error))),
    }
    report
}

fn shown(error: &dyn std::error::Error) -> String {
    let mut text = format!("failed to {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// Where its programs are, or whether the given one lets us in.
async fn postgres(config: &Config) -> Result<String, String> {
    let Some(url) = &config.database_url else {
        return find_programs(config.postgres_bin.as_deref(), &config.path)
            .map(|bin| bin.display().to_string())
            .map_err(|error| shown(&error));
    };
    let options: PgConnectOptions = url
        .parse()
        .map_err(|error| shown(&ServeError::DatabaseUrl(error)))?;
    let connected = async {
        let mut connection = options.connect().await?;
        let version =
            sqlx::query_scalar!(r#"select current_setting('server_version') as "version!""#)
                .fetch_one(&mut connection)
                .await?;
        connection.close().await?;
        Ok(version)
    };
    match tokio::time::timeout(CONNECT_WITHIN, connected).await {
        Ok(Ok(version)) => Ok(format!("{version}, as given by --database-url")),
        Ok(Err(error)) => Err(shown(&DbError::Connect(error))),
        Err(_) => Err(format!(
            "failed to connect to the database: no answer within {} s; look at --database-url",
            CONNECT_WITHIN.as_secs()
        )),
    }
}
