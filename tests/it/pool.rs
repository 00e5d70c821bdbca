//! Requests while every connection to the database is taken, as when it is away: they are told to come again soon, and
//! what is durable is never answered as failed.
use std::future::ready;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use slipway_core::code::Code;
use slipway_core::id::Id as _;
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};

use crate::journey::Journey as _;
use crate::lab::Lab;
use crate::raw::problem;

/// All that are not held by the server's own tasks.
async fn taken(db: &PgPool) -> Vec<PoolConnection<Postgres>> {
    let mut taken = Vec::new();
    while let Ok(connection) = db.acquire().await {
        taken.push(connection);
    }
    taken
}

#[tokio::test]
async fn who_finds_no_connection_is_told_to_come_again() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let db = &lab.app().db;
    assert!(db.options().get_acquire_timeout() <= Duration::from_secs(2));
    let taken = taken(db).await;
    for (method, path) in [(Method::GET, "/account"), (Method::POST, "/workspaces")] {
        let request = ana.request(method, path).header("idempotency-key", "once");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 503, "{path}");
        assert!(answer.headers().contains_key("retry-after"), "{path}");
        assert_eq!(problem(answer).await.code, Code::DatabaseUnavailable);
    }
    drop(taken);
    ana.empty_workspace().await;
}

#[tokio::test]
async fn a_save_that_is_durable_needs_no_other_connection_to_say_so() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let db = &lab.app().db;
    let mut taken = taken(db).await;
    let mut lock = taken.pop().unwrap();
    sqlx::raw_sql("begin").execute(&mut *lock).await.unwrap();
    sqlx::query("select from workspaces where id = $1 for update")
        .bind(workspace.uuid())
        .execute(&mut *lock)
        .await
        .unwrap();
    // The one that is left is the save's, which waits for its turn in the workspace.
    drop(taken.pop());
    let save = ana.write_file(workspace, "a.txt", None, Bytes::from("tide"));
    let others = async {
        let blocked =
            "select count(*) from pg_locks where pg_backend_pid() = any(pg_blocking_pids(pid))";
        while sqlx::query_scalar::<_, i64>(blocked)
            .fetch_one(&mut *lock)
            .await
            .unwrap()
            == 0
        {
            tokio::task::yield_now().await;
        }
        // Whoever comes next gets it as soon as the save is durable.
        let mut next = pin!(db.acquire());
        tokio::select! {
            biased;
            _ = &mut next => panic!("none is free"),
            () = ready(()) => {}
        }
        sqlx::raw_sql("rollback").execute(&mut *lock).await.unwrap();
        // Held until the answer is there.
        std::future::pending::<()>().await;
    };
    let saved = tokio::select! {
        saved = save => saved,
        () = others => unreachable!("it never ends"),
    };
    saved.expect("durable");
    drop(taken);
    assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), "tide");
}
