//! The way between server and agent: a Unix socket that is listened to for writing only when a write found no room.
//!
//! A Unix socket tells its writer of every piece that the other side has taken. Whoever listens to that for the life of
//! a connection, as tokio's own stream does, is woken twice for each key that passes: once for the key, once because
//! the other side has read it.
use std::io::{self, IoSlice, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::net::RecvFlags;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tonic::transport::server::Connected;

/// One end of a connection.
#[derive(Debug)]
pub struct Carrier {
    reader: AsyncFd<UnixStream>,
    /// A second descriptor of the same socket: each can be listened to once.
    writer: Arc<UnixStream>,
    /// Listens for room, after a write found none.
    blocked: Option<AsyncFd<Arc<UnixStream>>>,
}

impl Carrier {
    /// Takes over a connected socket.
    ///
    /// # Errors
    /// When no descriptor is left.
    pub fn new(stream: tokio::net::UnixStream) -> io::Result<Self> {
        let stream = stream.into_std()?;
        let writer = Arc::new(stream.try_clone()?);
        Ok(Self {
            reader: listen(stream, Interest::READABLE)?,
            writer,
            blocked: None,
        })
    }

    /// Connects to the socket at a path, however long that is.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(path: &Path) -> io::Result<Self> {
        let (address, _folder) = address(path)?;
        Self::new(tokio::net::UnixStream::connect(address).await?)
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        send: impl Fn(&UnixStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            if let Some(blocked) = &self.blocked {
                drop(ready!(blocked.poll_write_ready(context))?);
                self.blocked = None;
            }
            match send(&self.writer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Tells at once when there is room by now.
                    self.blocked = Some(listen(self.writer.clone(), Interest::WRITABLE)?);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => return Poll::Ready(sent),
            }
        }
    }
}

/// Listens on a socket at a path, however long that is.
///
/// # Errors
/// When it cannot be made.
pub fn bind(path: &Path) -> io::Result<tokio::net::UnixListener> {
    let (address, _folder) = address(path)?;
    tokio::net::UnixListener::bind(address)
}

/// What an address of a socket holds.
const ADDRESS_BYTES_MAX: usize = 107;

/// A path as an address can hold it, valid as long as what comes with it: Linux knows a short one to every open folder.
fn address(path: &Path) -> io::Result<(PathBuf, Option<OwnedFd>)> {
    #[cfg(target_os = "linux")]
    if let (true, Some(folder), Some(name)) = (
        path.as_os_str().len() > ADDRESS_BYTES_MAX,
        path.parent(),
        path.file_name(),
    ) {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(folder, flags, Mode::empty())?;
        let short = format!("/proc/self/fd/{}", folder.as_raw_fd());
        return Ok((Path::new(&short).join(name), Some(folder)));
    }
    Ok((path.to_owned(), None))
}

#[expect(
    unsafe_code,
    reason = "the safe constructor is deprecated in favour of this one"
)]
fn listen<T: AsRawFd>(socket: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: both kinds of `T` here own their descriptor, which stays open as long as they are watched.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest)? })
}

impl AsyncRead for Carrier {
    #[expect(
        unsafe_code,
        reason = "bulk output is read into memory that is not cleared before"
    )]
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.reader.poll_read_ready(context))?;
            let room = buffer.remaining();
            // SAFETY: nothing that was initialized is made uninitialized; only bytes that were received are counted.
            let unfilled = unsafe { buffer.unfilled_mut() };
            let received = guard.try_io(|socket| {
                let (_, bytes) = rustix::net::recv(socket.get_ref(), unfilled, RecvFlags::empty())?;
                Ok(bytes)
            });
            match received {
                Err(_) => {}
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Ok(Ok(bytes)) => {
                    if bytes > 0 && bytes < room {
                        // That was all; the next piece is told of again.
                        guard.clear_ready();
                    }
                    // SAFETY: the kernel has written so many bytes.
                    unsafe { buffer.assume_init(bytes) };
                    buffer.advance(bytes);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, |mut socket| socket.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, |mut socket| socket.write_vectored(pieces))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.writer.shutdown(Shutdown::Write))
    }
}

impl Connected for Carrier {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

#[cfg(test)]
#[path = "carrier_tests.rs"]
mod tests;
