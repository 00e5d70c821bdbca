//! A database in a file of a simulated volume, which crashes with it.
use std::io;

use redb::StorageBackend;
use rustix::io::Errno;

use super::calls::Held;
use super::{Inner, SimVolume};

#[derive(Debug)]
pub(super) struct File {
    volume: SimVolume,
    held: Held,
}

impl File {
    pub(super) const fn new(volume: SimVolume, held: Held) -> Self {
        Self { volume, held }
    }

    fn change(
        &self,
        call: &'static str,
        work: impl FnOnce(&mut Inner) -> Result<(), Errno>,
    ) -> io::Result<()> {
        Ok(self.volume.call(call, "the base", work)?)
    }
}

impl StorageBackend for File {
    fn len(&self) -> io::Result<u64> {
        let inner = self.volume.inner();
        let live = inner.live.get(&self.held.id);
        Ok(live.map_or(0, |live| live.now.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inner = self.volume.inner();
        let live = inner.live.get(&self.held.id);
        let from = live.and_then(|live| live.now.get(offset as usize..)?.get(..out.len()));
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change("ftruncate", |inner| {
            inner.cut(self.held.id, len as usize);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change("fdatasync", |inner| {
            inner.make_durable(self.held.id);
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change("pwrite", |inner| {
            if inner.full {
                return Err(Errno::NOSPC);
            }
            inner.put_bytes(self.held.id, offset as usize, data);
            Ok(())
        })
    }
}
