//! What of the machine the embedded Postgres stands on: its programs, the account that runs it, the folders on its way.
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{EmbeddedError, io};

/// Unix socket paths end at 107 bytes; Postgres appends `/.s.PGSQL.5432`.
const SOCKET_DIR_BYTES_MAX: usize = 90;

/// The folder with initdb and postgres: as told, the newest of Debian's, or the one in PATH.
///
/// # Errors
/// When there is none.
pub fn find_programs(
    told: Option<&Path>,
    path: &std::ffi::OsStr,
) -> Result<PathBuf, EmbeddedError> {
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    debian.sort_by_key(|bin| {
        bin.parent()
            .and_then(|dir| dir.file_name()?.to_str()?.parse::<u32>().ok())
            .unwrap_or(0)
    });
    told.map(Path::to_owned)
        .into_iter()
        .chain(debian.into_iter().rev())
        .chain(std::env::split_paths(path))
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .ok_or(EmbeddedError::Missing)
}

/// Postgres refuses root; then an account of its own runs it, which must stand in /etc/passwd.
pub(super) fn owner() -> Result<Option<(u32, u32)>, EmbeddedError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres:", "nobody:"]
        .iter()
        .find_map(|name| {
            let line = passwd.lines().find(|line| line.starts_with(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        })
        .map(Some)
        .ok_or(EmbeddedError::NoAccount)
}

/// The folders above must let Postgres' account through: x for others on those that are ours to change.
pub(super) fn passable(data_dir: &Path, uid: u32) -> Result<(), EmbeddedError> {
    use std::os::unix::fs::MetadataExt as _;
    let full =
        std::fs::canonicalize(data_dir).map_err(io(format!("find {}", data_dir.display())))?;
    for folder in full.ancestors() {
        let meta =
            std::fs::metadata(folder).map_err(io(format!("look at {}", folder.display())))?;
        if meta.uid() != uid && meta.mode() & 0o001 == 0 {
            let mode = std::fs::Permissions::from_mode((meta.mode() & 0o7777) | 0o001);
            std::fs::set_permissions(folder, mode).map_err(io(format!(
                "let Postgres pass through {}",
                folder.display()
            )))?;
            tracing::warn!(
                folder = %folder.display(),
                "Everyone may now pass through {}, though not list it: the account that runs Postgres must reach its \
                    data below. Choose another --data-dir if this must not be",
                folder.display()
            );
        }
    }
    Ok(())
}

/// Where a folder's sockets lie: in it when its path is short enough, else below a short name that its path decides.
#[must_use]
pub fn socket_dir(folder: &Path, temporary: &Path) -> PathBuf {
    let near = folder.join("run");
    if near.as_os_str().len() <= SOCKET_DIR_BYTES_MAX {
        return near;
    }
    let name = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
    temporary.join(format!("slipway-pg-{}", &name[..16]))
}
