//! Benchmarks: what is measured, against which goal, beside which peer. The goals stand in tests/bench/goals.toml.
use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Serialize;

pub mod files;
pub mod lab;
pub mod page;
pub mod process;
pub mod terminal;
pub mod ttyd;

const GOALS: &str = include_str!("../bench/goals.toml");

/// One measured figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Name, as in the goals.
    pub name: String,
    /// What was measured.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The bound, in words: "<= 120".
    pub goal: String,
    /// Whether the bound holds; absent without a bound.
    pub met: Option<bool>,
    /// Who else was measured in the same run.
    pub peer: Option<String>,
    /// What the peer had, in the unit that `detail` names.
    pub peer_value: Option<f64>,
    /// What stands behind the figure.
    pub detail: String,
}

#[derive(serde::Deserialize)]
struct Goal {
    unit: String,
    max: Option<f64>,
    min: Option<f64>,
}

/// Makes a row and holds it against its goal.
///
/// # Errors
/// When the goals cannot be read.
pub fn row(
    name: &str,
    value: f64,
    detail: impl Into<String>,
    peer: Option<(&str, f64)>,
) -> Result<Row> {
    let goals: BTreeMap<String, Goal> = toml::from_str(GOALS).context("read goals.toml")?;
    let goal = goals.get(name);
    let met = goal.map(|goal| {
        goal.max.is_none_or(|max| value <= max) && goal.min.is_none_or(|min| value >= min)
    });
    let words = goal.map_or_else(String::new, |goal| match (goal.max, goal.min) {
        (Some(max), _) => format!("<= {max}"),
        (None, Some(min)) => format!(">= {min}"),
        (None, None) => String::new(),
    });
    Ok(Row {
        name: name.to_owned(),
        value,
        unit: goal.map_or_else(String::new, |goal| goal.unit.clone()),
        goal: words,
        met,
        peer: peer.map(|(name, _)| name.to_owned()),
        peer_value: peer.map(|(_, value)| value),
        detail: detail.into(),
    })
}

/// The moment; benchmarks measure real time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "benchmarks measure real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Samples in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds the time since `start`.
    pub fn since(&mut self, start: Instant) {
        self.0.push(start.elapsed().as_secs_f64() * 1e3);
    }
    /// Adds a number.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }
    /// Adds another's samples.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }
    /// The `part`-quantile, 0 to 1; NaN without samples.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index below the number of samples"
    )]
    pub fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let index = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
        sorted.get(index).copied().unwrap_or(f64::NAN)
    }
    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
