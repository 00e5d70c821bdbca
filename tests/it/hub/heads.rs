//! Heads in motion: a commit whose notification was lost is seen by the next look, however busy the server is.
use slipway_api::workspace::Template;

use crate::lab::{Lab, PATIENCE};

#[tokio::test]
async fn on_a_server_that_hears_much_a_lost_notification_is_made_good() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let other = ana.create_workspace("o", Template::Empty).await.unwrap().id;
    let db = &lab.app().db;
    let mut head = lab.app().hub.watch(workspace);
    // Another server's commit, of which nothing is heard.
    let moved = sqlx::query("update workspaces set head_rev = 7 where name = 'w'");
    moved.execute(db).await.unwrap();
    let much = async {
        loop {
            let notify = sqlx::query("select pg_notify('slipway_heads', $1)");
            notify.bind(other.to_string()).execute(db).await.unwrap();
        }
    };
    let seen = async {
        tokio::select! {
            seen = head.wait_for(|head| *head == 7) => drop(seen.unwrap()),
            () = much => {}
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap();
}
