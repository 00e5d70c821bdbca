//! Placeholder: the execution image is built here.
use anyhow::Result;
use std::path::PathBuf;
/// Builds or prints.
pub fn run(_print: bool, _force: bool) -> Result<()> {
    anyhow::bail!("not yet")
}
/// The root file system, built if needed.
pub fn ensure() -> Result<PathBuf> {
    anyhow::bail!("not yet")
}
