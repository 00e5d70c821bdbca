//! The API as its own document describes it: every operation is walked, so that none can be added without a
//! permission, without its refusals, or without its audit row.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;
use slipway_api::account::{Device, SignIn, Users};
use slipway_api::problem::Problem;
use slipway_api::run::RunState;
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::code::Code;
use slipway_core::id::SessionId;
use slipway_core::secret::Secret;

use crate::journey::Journey as _;
use crate::lab::Lab;
use crate::raw::problem;

mod cases;

use cases::{CASES, request};

const PASSWORD: &str = "quiet tide at seven bells";
const UNKNOWN: &str = "01890000-0000-7000-8000-00000000dead";

/// One operation of the document.
struct Operation {
    method: Method,
    /// Below `/api/v1`, with its names in braces.
    path: String,
    permission: String,
}

impl Operation {
    fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
    fn changes(&self) -> bool {
        self.method != Method::GET
    }
}

/// The names that stand in an address.
type Names = BTreeMap<&'static str, String>;

fn unknown() -> Names {
    ["workspace", "session", "terminal", "run", "device", "user"]
        .into_iter()
        .map(|name| (name, UNKNOWN.to_owned()))
        .collect()
}

async fn document(lab: &Lab) -> Vec<Operation> {
    let text = reqwest::get(format!("{}/api/openapi.json", lab.base()))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let permission = operation["x-permission"].as_str();
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.strip_prefix("/api/v1").unwrap().to_owned(),
                permission: permission
                    .unwrap_or_else(|| panic!("{method} {path} names no permission"))
                    .to_owned(),
            });
        }
    }
    assert!(operations.len() > 40, "the document is whole");
    operations
}

#[tokio::test]
async fn every_operation_has_a_permission_and_keeps_to_it() {
    let lab = Lab::start().await;
    let (_admin, bo) = (lab.user("ana").await, lab.user("bo").await);
    let nobody = Client::new(lab.base()).unwrap();
    for operation in document(&lab).await {
        let key = operation.key();
        let anonymous = request(&nobody, &operation, &unknown(), "w");
        match operation.permission.as_str() {
            "public" => continue,
            "signed-in" | "workspace-owner" => {}
            "administrator" => {
                let answer = request(&bo, &operation, &unknown(), "w").send().await;
                let refused = problem(answer.unwrap()).await;
                assert_eq!(
                    (refused.status, refused.code),
                    (403, Code::Forbidden),
                    "{key}"
                );
            }
            other => panic!("{key} names a permission that nobody knows: {other}"),
        }
        let refused = problem(anonymous.send().await.unwrap()).await;
        assert_eq!(
            (refused.status, refused.code),
            (401, Code::SignInRequired),
            "{key}"
        );
    }
}

#[tokio::test]
async fn the_id_of_another_is_as_unknown_as_one_that_never_was() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let names = things_of(&ana).await;
    let foreign = |problem: &Problem| (problem.status, problem.code, problem.detail.clone());
    let mut walked = 0;
    for operation in document(&lab).await {
        if !operation.path.contains('{') {
            continue;
        }
        walked += 1;
        let key = operation.key();
        // Only an administrator may name users; all of them are theirs, so only an unknown one is unknown.
        let by = if operation.permission == "administrator" {
            &ana
        } else {
            &bo
        };
        let unknown = request(by, &operation, &unknown(), "w")
            .send()
            .await
            .unwrap();
        let unknown = foreign(&problem(unknown).await);
        assert_eq!((unknown.0, unknown.1), (404, Code::NotFound), "{key}");
        if operation.permission != "administrator" {
            let theirs = request(by, &operation, &names, "w").send().await.unwrap();
            assert_eq!(foreign(&problem(theirs).await), unknown, "{key}");
        }
    }
    assert!(walked > 25, "{walked} operations with ids were walked");
    assert_eq!(ana.workspaces().await.unwrap().workspaces.len(), 1);
}

/// Ids of things that an account has.
async fn things_of(ana: &Client) -> Names {
    let workspace = ana
        .create_workspace("w", Template::Python)
        .await
        .unwrap()
        .id;
    let socket = Socket::connect(ana).await.unwrap();
    let session = ana.started(&socket, workspace).await.id;
    let terminal = ana.open_terminal(session, 80, 24).await.unwrap().id;
    let run = ana.command(workspace, "sleep 1000").await.unwrap().id;
    let devices: Vec<Device> = ana.get("/account/devices").await.unwrap();
    BTreeMap::from([
        ("workspace", workspace.to_string()),
        ("session", session.to_string()),
        ("terminal", terminal.to_string()),
        ("run", run.to_string()),
        ("device", devices[0].id.to_string()),
        ("user", UNKNOWN.to_owned()),
    ])
}

#[tokio::test]
async fn every_change_leaves_its_audit_row() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let bo = lab.user("bo").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let live = ana
        .create_workspace("live", Template::Python)
        .await
        .unwrap()
        .id;
    let session = ana.started(&socket, live).await.id;
    let operations = document(&lab).await;
    for case in CASES {
        let known = operations
            .iter()
            .any(|operation| operation.key() == case.operation);
        assert!(known, "{} is no operation any more", case.operation);
    }
    for (number, operation) in operations.iter().filter(|one| one.changes()).enumerate() {
        let key = operation.key();
        let own = key.starts_with("DELETE /account")
            || key.ends_with("/password")
            || key.ends_with("sign-out");
        let by = if own {
            &lab.user(&format!("user{number}")).await
        } else {
            &ana
        };
        let name = format!("w{number}");
        let names = prepared(
            &lab,
            by,
            &key,
            &name,
            (&socket, &live.to_string(), session),
            &bo,
        )
        .await;
        let before = newest(&lab).await;
        let answer = request(by, operation, &names, &name).send().await.unwrap();
        let status = answer.status();
        assert!(
            status.is_success(),
            "{key}: {status} {}",
            answer.text().await.unwrap()
        );
        let case = CASES.iter().find(|case| case.operation == key).unwrap();
        let rows: Vec<String> =
            sqlx::query_scalar("select action from audit_events where seq > $1")
                .bind(before)
                .fetch_all(&lab.app().db)
                .await
                .unwrap();
        assert_eq!(rows, [case.action], "{key}");
    }
}

async fn newest(lab: &Lab) -> i64 {
    sqlx::query_scalar("select coalesce(max(seq), 0) from audit_events")
        .fetch_one(&lab.app().db)
        .await
        .unwrap()
}

/// Makes what an operation acts on.
async fn prepared(
    lab: &Lab,
    by: &Client,
    key: &str,
    name: &str,
    (socket, live, session): (&Socket, &str, SessionId),
    bo: &Client,
) -> Names {
    let mut names = unknown();
    names.insert("session", session.to_string());
    let needs_live = ["session/keep", "/runs"]
        .iter()
        .any(|end| key.ends_with(end));
    if needs_live {
        names.insert("workspace", live.to_owned());
    } else if key.contains("{workspace}") {
        let workspace = by
            .create_workspace(name, Template::Python)
            .await
            .unwrap()
            .id;
        names.insert("workspace", workspace.to_string());
        if key.ends_with("recover") || key.ends_with("trash") {
            by.delete_workspace(workspace, name).await.unwrap();
        }
        if key.starts_with("DELETE") && key.ends_with("session") {
            by.started(socket, workspace).await;
        }
    }
    if key.contains("{terminal}") {
        let terminal = by.open_terminal(session, 80, 24).await.unwrap().id;
        names.insert("terminal", terminal.to_string());
    }
    if key.contains("{run}") {
        let workspace = live.parse().unwrap();
        let line = if key.ends_with("stop") {
            "sleep 1000"
        } else {
            "true"
        };
        let run = by.command(workspace, line).await.unwrap().id;
        let state = if key.ends_with("stop") {
            RunState::Running
        } else {
            RunState::Done
        };
        by.until_run(socket, workspace, run, state).await;
        names.insert("run", run.to_string());
    }
    if key.contains("{device}") {
        let me = by.account().await.unwrap();
        let again = SignIn {
            email: me.email,
            password: Secret::new(PASSWORD),
            device: None,
        };
        Client::new(lab.base())
            .unwrap()
            .sign_in(&again)
            .await
            .unwrap();
        let devices = by.devices().await.unwrap();
        let other = devices.iter().find(|device| !device.current).unwrap();
        names.insert("device", other.id.to_string());
    }
    if key.contains("{user}") {
        let me = bo.account().await.unwrap().id;
        names.insert("user", me.to_string());
    }
    names
}

#[tokio::test]
async fn what_stands_beside_the_operations_is_refused_with_a_problem() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    assert_eq!(
        ana.get::<Users>("/admin/users").await.unwrap().users.len(),
        1
    );
    for operation in document(&lab).await {
        let key = operation.key();
        let path = operation.path.replace("{*path}", "main.py");
        // A method that no address takes.
        let answer = ana.request(Method::TRACE, &path).send().await.unwrap();
        let refused = problem(answer).await;
        assert_eq!(
            (refused.status, refused.code),
            (405, Code::MethodNotAllowed),
            "{key}"
        );
    }
    for path in ["/nothing", "/workspaces/", "/workspaces//tree"] {
        let answer = ana.request(Method::GET, path).send().await.unwrap();
        assert_eq!(problem(answer).await.status, 404, "{path}");
    }
}
