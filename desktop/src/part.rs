//! `Part`: a file that is being written beside its place. Only a whole one takes the name that a person asked for; one
//! that breaks off goes, and no error tells what it was called meanwhile.
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::error::CliError;

/// A file that is being written.
pub(crate) struct Part {
    to: PathBuf,
    file: NamedTempFile<File>,
}

impl Part {
    /// Begins a file that will stand at a path.
    pub(crate) fn begin(to: &Path) -> Result<Self, CliError> {
        let folder = to
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let open = |path: &Path| {
            let mut options = File::options();
            options.write(true).create_new(true).mode(0o600).open(path)
        };
        let file = Builder::new().make_in(folder, open);
        Ok(Self {
            to: to.to_owned(),
            file: file.map_err(CliError::file(folder))?,
        })
    }

    /// Adds what comes next.
    pub(crate) fn add(&mut self, piece: &[u8]) -> Result<(), CliError> {
        let added = self.file.as_file_mut().write_all(piece);
        added.map_err(CliError::file(&self.to))
    }

    /// The file, for who writes it by himself.
    pub(crate) fn file(&self) -> Result<File, CliError> {
        let file = self.file.as_file().try_clone();
        file.map_err(CliError::file(&self.to))
    }

    /// It is whole, and takes its name: in the place of what stands there, or only where nothing does.
    pub(crate) fn end(self, replaces: bool) -> Result<(), CliError> {
        let Self { to, file } = self;
        let kept = || -> io::Result<()> {
            file.as_file().sync_all()?;
            let kept = match replaces {
                true => file.persist(&to),
                false => file.persist_noclobber(&to),
            };
            kept.map(drop).map_err(|error| error.error)
        };
        kept().map_err(CliError::file(&to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn only_a_whole_file_takes_the_name_and_one_that_breaks_off_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("tides.zip");
        let mut part = Part::begin(&to).unwrap();
        part.add(b"half").unwrap();
        assert!(!to.exists());
        drop(part);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        let mut part = Part::begin(&to).unwrap();
        part.add(b"whole").unwrap();
        part.end(false).unwrap();
        assert_eq!(names(folder.path()), ["tides.zip"]);
        assert!(Part::begin(&to).unwrap().end(false).is_err());
        assert_eq!(std::fs::read(&to).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["tides.zip"]);
    }

    #[test]
    fn an_error_names_what_the_person_knows() {
        let folder = tempfile::tempdir().unwrap();
        let told = |to: &str| {
            let part = Part::begin(&folder.path().join(to));
            part.and_then(|part| part.end(true))
                .unwrap_err()
                .to_string()
        };
        std::fs::create_dir(folder.path().join("taken")).unwrap();
        for to in ["missing/tides.zip", "taken"] {
            let told = told(to);
            // The folder of this test is a temporary one itself.
            let told = told.strip_prefix(folder.path().to_str().unwrap()).unwrap();
            let first = to.split('/').next().unwrap();
            let named = told.starts_with(&format!("/{first} cannot be used: "));
            assert!(named && !told.contains(".tmp"), "{told}");
        }
        // A full disk is told as plainly.
        let full = File::options().write(true).open("/dev/full").unwrap();
        let beside = tempfile::TempPath::try_from_path(folder.path().join("full")).unwrap();
        let mut part = Part {
            to: "/home/ada/tides.zip".into(),
            file: NamedTempFile::from_parts(full, beside),
        };
        let told = part.add(b"x").unwrap_err().to_string();
        assert!(told.starts_with("/home/ada/tides.zip cannot be used: No space left"));
        assert!(!told.contains("full"), "{told}");
    }
}
