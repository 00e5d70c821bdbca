//! The line to a database on another machine. A network that drops tells nobody, and what waits for an answer would wait
//! for as long as the system does. Here a connection to a database that is not there any more ends, as if that had
//! closed it, and whoever waits is told to come again.
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// A statement may take as long as it likes, but after this the database is asked whether it is there, and has as long
/// to say so.
pub const SILENT_MAX: Duration = Duration::from_secs(4);
/// From one try to reach it to the next.
const AGAIN: Duration = Duration::from_millis(50);
/// What Postgres answers with one byte before it knows who asks.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// Of what is handed on at once.
const PIECE_BYTES: usize = 16 * 1024;

/// What went over a connection last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Question,
    /// Or a part of it.
    Answer,
    /// An answer, and nothing for so long that it was whole.
    Nothing,
}

/// Where the database is.
struct Line {
    host: String,
    port: u16,
    silent_max: Duration,
}

/// Options that lead over a line, by a socket in a folder of its own, until `stop`. A database that is reached by a
/// socket of this machine needs none.
///
/// # Errors
/// When the socket cannot be made.
pub fn lead(
    options: PgConnectOptions,
    folder: &Path,
    silent_max: Duration,
    stop: CancellationToken,
) -> io::Result<PgConnectOptions> {
    if options.get_socket().is_some() || options.get_host().starts_with('/') {
        return Ok(options);
    }
    let line = Line {
        host: options.get_host().to_owned(),
        port: options.get_port(),
        silent_max,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let socket = folder.join(format!(".s.PGSQL.{}", line.port));
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&socket)?;
    tokio::spawn(stop.run_until_cancelled_owned(Arc::new(line).serve(listener)));
    Ok(options.socket(folder))
}

impl Line {
    async fn serve(self: Arc<Self>, listener: UnixListener) {
        loop {
            match listener.accept().await {
                Ok((near, _)) => {
                    let line = Arc::clone(&self);
                    tokio::spawn(async move {
                        if let Err(error) = line.carry(near).await {
                            tracing::warn!(%error, "A connection to the database ends");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "No further connection to the database");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// One connection, up to its end or that of the database.
    async fn carry(&self, near: UnixStream) -> io::Result<()> {
        let far = timeout(self.silent_max, self.reach()).await?;
        let (mut near_read, mut near_write) = near.into_split();
        let (mut far_read, mut far_write) = far.into_split();
        let last = watch::Sender::new(Last::Nothing);
        let questions = async {
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                let length = near_read.read(&mut piece).await?;
                if length == 0 {
                    return far_write.shutdown().await;
                }
                last.send_replace(Last::Question);
                far_write.write_all(&piece[..length]).await?;
            }
        };
        let answers = async {
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                let length = tokio::select! {
                    read = far_read.read(&mut piece) => read?,
                    () = self.is_gone(&last) => return Err(io::ErrorKind::TimedOut.into()),
                };
                if length == 0 {
                    return Ok(());
                }
                last.send_replace(Last::Answer);
                near_write.write_all(&piece[..length]).await?;
            }
        };
        tokio::select! {
            end = answers => end,
            Err(error) = questions => Err(error),
        }
    }

    /// Ends when an answer has been awaited for so long that the database was asked whether it is there, and it is not.
    async fn is_gone(&self, last: &watch::Sender<Last>) {
        let mut went = last.subscribe();
        // The sender outlives this.
        while went.wait_for(|last| *last != Last::Nothing).await.is_ok() {
            sleep(self.silent_max).await;
            if !self.is_there().await {
                return;
            }
            last.send_if_modified(|last| {
                let is_whole = *last == Last::Answer;
                if is_whole {
                    *last = Last::Nothing;
                }
                is_whole
            });
        }
    }

    async fn is_there(&self) -> bool {
        let answer = async {
            let mut far = self.connect().await?;
            far.write_all(&SSL_REQUEST).await?;
            far.read_u8().await
        };
        matches!(timeout(self.silent_max, answer).await, Ok(Ok(_)))
    }

    /// A connection to a database that may be about to start.
    async fn reach(&self) -> TcpStream {
        loop {
            match self.connect().await {
                Ok(far) => return far,
                Err(error) => tracing::debug!(%error, "The database is not reached"),
            }
            sleep(AGAIN).await;
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let far = TcpStream::connect((self.host.as_str(), self.port)).await?;
        far.set_nodelay(true)?;
        // What nobody confirms, and a connection that the way there has forgotten, end by themselves.
        sockopt::set_socket_keepalive(&far, true)?;
        sockopt::set_tcp_keepidle(&far, self.silent_max)?;
        sockopt::set_tcp_keepintvl(&far, self.silent_max)?;
        let millis = u32::try_from(2 * self.silent_max.as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(&far, millis)?;
        Ok(far)
    }
}
