//! What ends with an account: its sessions and, when it is deleted, everything it had on the server's disk.
use reqwest::Method;
use serde_json::json;
use slipway_api::account::SignIn;
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::secret::Secret;

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE, code};

const PASSWORD: &str = "quiet tide at seven bells";

async fn with_session(client: &Client) -> WorkspaceId {
    let workspace = client.empty_workspace().await;
    let socket = Socket::connect(client).await.expect("a socket");
    client.started(&socket, workspace).await;
    workspace
}

/// How many places there are, and whose volumes.
async fn left(lab: &Lab) -> (usize, Vec<WorkspaceId>) {
    let runtime = &lab.app().runtime;
    let mut volumes = runtime.volumes().await.expect("volumes");
    volumes.sort();
    (runtime.list().await.expect("places").len(), volumes)
}

async fn until(lab: &Lab, places: usize, volumes: &[WorkspaceId]) {
    let waited = async {
        while left(lab).await != (places, volumes.to_vec()) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await; // waits: processes and files end in their own time
        }
    };
    if tokio::time::timeout(PATIENCE, waited).await.is_err() {
        panic!(
            "{:?} is left, not {places} and {volumes:?}",
            left(lab).await
        );
    }
}

#[tokio::test]
async fn a_deleted_account_leaves_no_session_and_no_volume() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let (hers, his) = (with_session(&ana).await, with_session(&bo).await);
    let mut both = vec![hers, his];
    both.sort();
    assert_eq!(left(&lab).await, (2, both));
    let password = json!({ "password": PASSWORD });
    bo.tell(Method::DELETE, "/account", &password)
        .await
        .unwrap();
    assert_eq!(code(bo.account().await), Code::SignInExpired);
    until(&lab, 1, &[hers]).await;
    let rows: i64 = sqlx::query_scalar("select (select count(*) from workspaces) + (select count(*) from sessions) + (select count(*) from devices)")
        .fetch_one(&lab.app().db)
        .await
        .unwrap();
    assert_eq!(rows, 3, "hers, each");
    // The address is free again.
    lab.user("bo").await;
}

#[tokio::test]
async fn a_disabled_account_runs_nothing_and_finds_everything_when_it_may_again() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let his = with_session(&bo).await;
    bo.write_file(his, "a.txt", None, "still here".into())
        .await
        .unwrap();
    let him = format!("/admin/users/{}", bo.account().await.unwrap().id);
    let disable = json!({ "disabled": true });
    ana.tell(Method::PATCH, &him, &disable).await.unwrap();
    assert_eq!(code(bo.account().await), Code::SignInExpired);
    until(&lab, 0, &[his]).await;
    let sign_in = SignIn {
        email: "bo@example.org".into(),
        password: Secret::new(PASSWORD),
        device: None,
    };
    assert_eq!(code(bo.sign_in(&sign_in).await), Code::AccountDisabled);
    let enable = json!({ "disabled": false });
    ana.tell(Method::PATCH, &him, &enable).await.unwrap();
    let (bo, _) = bo.sign_in(&sign_in).await.unwrap();
    assert_eq!(bo.read_file(his, "a.txt").await.unwrap(), "still here");
}
