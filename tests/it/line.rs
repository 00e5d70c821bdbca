//! A network between server and database that drops without a word: a statement under way is not waited for as long as
//! the system would, one that only takes its time is, and once the network is back all goes on.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use slipway_backend::clock::Clock;
use slipway_backend::db::line;
use slipway_client::error::ClientError;
use slipway_core::code::Code;
use slipway_core::id::{Id as _, WorkspaceId};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::database;
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE, code};

const SILENT_MAX: Duration = Duration::from_millis(300);

/// Hands on what goes between a port and Postgres' socket; while it does not flow, takes everything and says nothing.
struct Network {
    port: u16,
    flows: watch::Sender<bool>,
    /// How often somebody asked whether there is a database, and no more.
    asked: watch::Sender<u32>,
}

/// Of the question whether it is there.
const QUESTION_BYTES: usize = 8;

impl Network {
    async fn before(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let flows = watch::Sender::new(true);
        let asked = watch::Sender::new(0);
        let (told, counted) = (flows.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (socket, told, counted) = (socket.clone(), told.clone(), counted.clone());
                tokio::spawn(async move {
                    if carry(near, socket, told).await == QUESTION_BYTES {
                        counted.send_modify(|asked| *asked += 1);
                    }
                });
            }
        });
        Self { port, flows, asked }
    }
}

/// One connection; how much was asked over it.
async fn carry(mut near: TcpStream, socket: PathBuf, flows: watch::Sender<bool>) -> usize {
    let mut asked = 0;
    let mut told = flows.subscribe();
    let mut far = UnixStream::connect(socket).await.expect("Postgres");
    let (mut question, mut answer) = ([0; 4096], [0; 4096]);
    loop {
        let length = tokio::select! {
            read = near.read(&mut question) => read.unwrap_or(0),
            read = far.read(&mut answer) => {
                let length = read.unwrap_or(0);
                if *told.borrow() && near.write_all(&answer[..length]).await.is_err() || length == 0 {
                    break;
                }
                continue;
            }
        };
        if length == 0 {
            break;
        }
        asked += length;
        if *told.borrow() && far.write_all(&question[..length]).await.is_err() {
            break;
        }
    }
    // Not even an end comes through.
    told.wait_for(|flows| *flows).await.ok();
    asked
}

/// Lets saves of a workspace wait until it ends.
async fn lock(database: &PgConnectOptions, workspace: WorkspaceId) -> PgConnection {
    let mut lock = database.connect().await.expect("Postgres");
    sqlx::raw_sql("begin")
        .execute(&mut lock)
        .await
        .expect("a transaction");
    sqlx::query("select from workspaces where id = $1 for update")
        .bind(workspace.uuid())
        .execute(&mut lock)
        .await
        .expect("a lock");
    lock
}

/// Until a statement waits for the lock.
async fn under_way(lock: &mut PgConnection) {
    let waiting =
        "select count(*) from pg_locks where pg_backend_pid() = any(pg_blocking_pids(pid))";
    let waits = async {
        while sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&mut *lock)
            .await
            .expect("a count")
            == 0
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waits)
        .await
        .expect("in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_under_way_ends_with_the_network_and_only_with_that() {
    let (postgres, direct) = database::fresh().await;
    let network = Network::before(direct.get_socket().unwrap().join(".s.PGSQL.5432")).await;
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let over_there = PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(network.port)
        .username("postgres")
        .database(direct.get_database().unwrap());
    let options = line::lead(over_there, folder.path(), SILENT_MAX, stop.clone()).unwrap();
    let lab = Lab::on(postgres, options, Clock::System, Vec::new()).await;
    let ana = Arc::new(lab.user("ana").await);
    let workspace = ana.empty_workspace().await;
    let save = |name: &'static str| {
        let (ana, content) = (Arc::clone(&ana), Bytes::from(name));
        tokio::spawn(async move { ana.write_file(workspace, name, None, content).await })
    };

    // It takes its time: the database is there, and is asked more than once whether it is.
    let mut held = lock(&direct, workspace).await;
    let slow = save("slow");
    under_way(&mut held).await;
    let before = *network.asked.borrow();
    let mut asked = network.asked.subscribe();
    let more = asked.wait_for(|asked| *asked >= before + 3);
    let more = tokio::time::timeout(PATIENCE, more).await;
    more.expect("in time").unwrap();
    assert!(!slow.is_finished());
    held.close().await.unwrap();
    slow.await.unwrap().expect("durable");

    let mut held = lock(&direct, workspace).await;
    let lost = save("lost");
    under_way(&mut held).await;
    network.flows.send_replace(false);
    let refused = tokio::time::timeout(PATIENCE / 3, lost).await;
    let refused: Result<_, ClientError> = refused.expect("not for ever").unwrap();
    assert_eq!(code(refused), Code::DatabaseUnavailable);

    network.flows.send_replace(true);
    held.close().await.unwrap();
    let again = async {
        while let Err(error) = save("lost").await.unwrap() {
            assert!(
                matches!(&error, ClientError::Problem(problem) if problem.code == Code::DatabaseUnavailable),
                "{error}"
            );
        }
    };
    tokio::time::timeout(PATIENCE, again)
        .await
        .expect("in time");
    assert_eq!(ana.read_file(workspace, "lost").await.unwrap(), "lost");
    drop(lab);
    stop.cancel();
}
