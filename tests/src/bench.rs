//! Benchmarks: what is measured, against which goal, beside which peers. The goals stand in tests/bench/goals.toml.
use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

pub mod bulk;
pub mod cut;
pub mod desktop;
pub mod echo;
pub mod files;
pub mod group;
pub mod idle;
pub mod lab;
pub mod machine;
pub mod page;
pub mod peer;
pub mod process;
pub mod resume;
pub mod stall;
pub mod start;
pub mod sync;
pub mod tail;
pub mod tree;
pub mod workload;

const GOALS: &str = include_str!("../bench/goals.toml");

/// One measured figure, beside one peer.
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
    /// What the peer had: in the figure's unit, or in that of `detail` when the figure is a ratio.
    pub peer_value: Option<f64>,
    /// What stands behind the figure.
    pub detail: String,
}

/// What peers had: their names and values.
pub type Beside = Vec<(String, f64)>;

/// The file of the goals: the one list of benchmarks.
#[derive(serde::Deserialize)]
struct Goals {
    benchmark: Vec<Benchmark>,
}

#[derive(serde::Deserialize)]
struct Benchmark {
    name: String,
    figures: BTreeMap<String, Goal>,
}

#[derive(serde::Deserialize)]
struct Goal {
    unit: String,
    max: Option<f64>,
    min: Option<f64>,
    /// The bound itself does not count: "below the peer's".
    #[serde(default)]
    strict: bool,
}

impl Goal {
    const fn is_bounded(&self) -> bool {
        self.max.is_some() || self.min.is_some()
    }

    fn holds(&self, value: f64) -> bool {
        let above = |min: f64| value > min || (!self.strict && value >= min);
        let below = |max: f64| value < max || (!self.strict && value <= max);
        self.min.is_none_or(above) && self.max.is_none_or(below)
    }

    fn words(&self) -> String {
        let or_equal = if self.strict { "" } else { "=" };
        match (self.max, self.min) {
            (Some(max), _) => format!("<{or_equal} {max}"),
            (None, Some(min)) => format!(">{or_equal} {min}"),
            (None, None) => String::new(),
        }
    }
}

/// A figure held against its goal: one row for each peer, or a single one without any.
///
/// # Errors
/// When it is not among the goals.
pub fn figure(
    name: &str,
    value: f64,
    detail: impl Into<String>,
    beside: &[(String, f64)],
) -> Result<Vec<Row>> {
    let goals = goals()?;
    let goal = goals
        .iter()
        .find_map(|benchmark| benchmark.figures.get(name))
        .with_context(|| format!("{name} is not in goals.toml"))?;
    let alone = Row {
        name: name.to_owned(),
        value,
        unit: goal.unit.clone(),
        goal: goal.words(),
        met: goal.is_bounded().then(|| goal.holds(value)),
        peer: None,
        peer_value: None,
        detail: detail.into(),
    };
    if beside.is_empty() {
        return Ok(vec![alone]);
    }
    let with = |(peer, value): &(String, f64)| Row {
        peer: Some(peer.clone()),
        peer_value: Some(*value),
        ..alone.clone()
    };
    Ok(beside.iter().map(with).collect())
}

fn goals() -> Result<Vec<Benchmark>> {
    let goals: Goals = toml::from_str(GOALS).context("read goals.toml")?;
    Ok(goals.benchmark)
}

/// The benchmarks that are meant, in the order in which they run: the one of this name, the group of this name, or all.
///
/// # Errors
/// When nothing has this name.
pub fn chosen(wanted: Option<&str>) -> Result<Vec<String>> {
    let names: Vec<String> = goals()?.into_iter().map(|one| one.name).collect();
    let Some(wanted) = wanted else {
        return Ok(names);
    };
    let is_meant = |name: &String| {
        let rest = name.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let meant: Vec<_> = names
        .iter()
        .filter(|name| is_meant(name))
        .cloned()
        .collect();
    ensure!(
        !meant.is_empty(),
        "there is no benchmark {wanted}; there are {}",
        names.join(", ")
    );
    Ok(meant)
}

/// The goals of these benchmarks that nothing was measured for.
///
/// # Errors
/// When the goals cannot be read.
pub fn unjudged(benchmarks: &[String], rows: &[Row]) -> Result<Vec<String>> {
    let measured = |name: &str| rows.iter().any(|row| row.name == name);
    Ok(goals()?
        .into_iter()
        .filter(|benchmark| benchmarks.contains(&benchmark.name))
        .flat_map(|benchmark| benchmark.figures)
        .filter(|(name, goal)| goal.is_bounded() && !measured(name))
        .map(|(name, _)| name)
        .collect())
}

/// The rows as a Markdown table, one line for each figure.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| figure | Slipway | goal | met | beside | how |\n|---|---|---|---|---|---|\n",
    );
    for figure in rows.chunk_by(|a, b| a.name == b.name) {
        let row = &figure[0];
        let met = match row.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let beside: Vec<String> = figure
            .iter()
            .filter_map(|row| Some(format!("{} {}", row.peer.as_ref()?, short(row.peer_value?))))
            .collect();
        text += &format!(
            "| `{}` | {} {} | {} | {met} | {} | {} |\n",
            row.name,
            short(row.value),
            row.unit,
            row.goal,
            beside.join(", "),
            row.detail
        );
    }
    text
}

/// Three digits that mean something.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ if value == 0.0 => "0".to_owned(),
        _ => format!("{value:.3}"),
    }
}

/// The moment; benchmarks measure real time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "benchmarks measure real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// The time of day, as the stamps of files tell it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "benchmarks measure real time")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Says something while measuring: standard error, so that standard output holds the figures alone.
#[expect(clippy::print_stderr, reason = "a benchmark speaks to people")]
pub fn tell(line: &str) {
    eprintln!("{line}");
}

/// A count as a figure.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
pub const fn count(number: u64) -> f64 {
    number as f64
}

/// Samples of one unit, by default milliseconds.
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
    /// The smallest and the largest, as "0.9-1.2".
    #[must_use]
    pub fn range(&self) -> String {
        format!("{:.2}-{:.2}", self.quantile(0.0), self.quantile(1.0))
    }
    /// The median.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_a_row_for_each_peer_and_a_line_of_the_table() {
        let beside = [("ttyd".to_owned(), 0.2), ("wetty".to_owned(), 3.5)];
        let rows = figure("echo_cpu", 212.4, "how", &beside).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].peer.as_deref(), Some("wetty"));
        let line = table(&rows);
        assert!(
            line.contains(
                "| `echo_cpu` | 212 us a key | <= 300 | yes | ttyd 0.200, wetty 3.50 | how |"
            ),
            "{line}"
        );
    }

    #[test]
    fn a_goal_without_a_row_is_not_judged() {
        let rows = figure("echo_cpu", 212.4, "how", &[]).unwrap();
        let missing = unjudged(&["echo".to_owned()], &rows).unwrap();
        assert!(
            missing.contains(&"echo_p50_to_ttyd".to_owned()),
            "{missing:?}"
        );
        assert!(
            !missing.contains(&"echo_cpu".to_owned()) && !missing.contains(&"write_p99".to_owned())
        );
    }

    #[test]
    fn a_name_means_one_benchmark_or_a_group() {
        assert_eq!(chosen(Some("echo")).unwrap(), ["echo"]);
        let group = chosen(Some("sync")).unwrap();
        assert!(group.len() > 2 && group.iter().all(|name| name.starts_with("sync-")));
        assert!(chosen(None).unwrap().len() > group.len());
        assert!(chosen(Some("syn")).is_err());
    }

    #[test]
    fn a_strict_goal_is_missed_at_its_bound() {
        let met = |value| figure("echo_p50_to_wetty", value, "", &[]).unwrap()[0].met;
        assert_eq!(met(0.99), Some(true));
        assert_eq!(met(1.0), Some(false));
    }

    #[test]
    fn a_figure_without_a_bound_is_neither_met_nor_missed() {
        assert_eq!(
            figure("echo_p50_to_pty", 9.0, "", &[]).unwrap()[0].met,
            None
        );
        assert!(figure("unheard_of", 9.0, "", &[]).is_err());
    }
}
