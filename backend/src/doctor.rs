//! `slipway-server doctor`: what this machine has of what a server needs, and what to do about the rest.
use std::fmt;

use crate::config::Config;
use crate::db::embedded::find_programs;
use crate::lock::DataDir;
use crate::serve;
use crate::session::runtime::SessionRuntime as _;
use crate::session::runtime::local::Local;

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
    let shown = |error: &dyn std::error::Error| {
        format!(
            "failed to {error}{}",
            error
                .source()
                .map(|source| format!(": {source}"))
                .unwrap_or_default()
        )
    };
    match &config.database_url {
        Some(_) => report.add("Postgres", Ok("as given by --database-url".to_owned())),
        None => report.add(
            "Postgres",
            find_programs(config.postgres_bin.as_deref(), &config.path)
                .map(|bin| bin.display().to_string())
                .map_err(|error| shown(&error)),
        ),
    }
    report.add(
        "data directory",
        DataDir::take(&config.data_dir)
            .map(|_| config.data_dir.display().to_string())
            .map_err(|error| shown(&error)),
    );
    report.add(
        "port",
        serve::listen(config)
            .await
            .map(|_| config.listen.to_string())
            .map_err(|error| shown(&error)),
    );
    for (name, file) in serve::parts(config) {
        let found = if file.exists() {
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
