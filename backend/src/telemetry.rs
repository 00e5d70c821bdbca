//! The log and the metrics' recorder. A line reads alone; it never holds tokens, file contents or terminal bytes.
use std::io::IsTerminal as _;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Config, LogFormat};

/// How often what was measured is folded into the distributions that are shown. Without it, each value would be kept
/// until somebody asks for `/metrics`.
const UPKEEP: Duration = Duration::from_secs(5);

/// The log's filter is none.
#[derive(Debug, thiserror::Error)]
#[error(
    "understand --log-filter {filter:?}; give levels such as info, or target=level pairs such as info,sqlx=warn"
)]
pub struct FilterError {
    /// As given.
    filter: String,
    /// What is wrong with it.
    #[source]
    source: ParseError,
}

/// Sets up the log of this process on its standard error.
///
/// # Errors
/// When the filter is not understood.
pub fn log(config: &Config) -> Result<(), FilterError> {
    let filter = EnvFilter::try_new(&config.log_filter).map_err(|source| FilterError {
        filter: config.log_filter.clone(),
        source,
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second set-up in one process keeps the first.
    drop(match config.log {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_target(false).try_init(),
    });
    Ok(())
}

/// Sets up the metrics' recorder of this process; `None` when there is one already.
#[must_use]
pub fn metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}

/// Folds what was measured, for as long as it is awaited.
pub async fn upkeep(metrics: PrometheusHandle) {
    let mut every = tokio::time::interval(UPKEEP);
    loop {
        every.tick().await;
        metrics.run_upkeep();
    }
}
