//! The table of everything that changes something: a least valid body for each operation, and the audit row it leaves.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]

use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use slipway_client::rest::Client;

use super::{Names, Operation, PASSWORD};

/// What an operation needs to be valid, and the audit row that it leaves.
pub(super) struct Case {
    pub(super) operation: &'static str,
    pub(super) action: &'static str,
    body: Body,
}

enum Body {
    Nothing,
    /// Made with the workspace's name.
    Json(fn(&str) -> Value),
    File,
    Delete,
    Zip,
    Upload,
}

const fn case(operation: &'static str, action: &'static str, body: Body) -> Case {
    Case {
        operation,
        action,
        body,
    }
}

/// Every operation that changes something; the walk fails for one that is missing here.
pub(super) static CASES: &[Case] = &[
    case(
        "POST /accounts",
        "account.register",
        Body::Json(|_| json!({ "name": "New", "email": "new@example.org", "password": PASSWORD })),
    ),
    case(
        "POST /sign-in",
        "account.sign_in",
        Body::Json(|_| json!({ "email": "ana@example.org", "password": PASSWORD })),
    ),
    case("POST /sign-out", "account.sign_out", Body::Nothing),
    case(
        "PATCH /account",
        "account.update",
        Body::Json(|_| json!({ "name": "Ana II" })),
    ),
    case(
        "DELETE /account",
        "account.delete",
        Body::Json(|_| json!({ "password": PASSWORD })),
    ),
    case(
        "PUT /account/password",
        "account.password",
        Body::Json(|_| json!({ "current": PASSWORD, "new": "loud tide at eight bells" })),
    ),
    case(
        "DELETE /account/devices/{device}",
        "device.revoke",
        Body::Nothing,
    ),
    case(
        "PATCH /admin/server",
        "server.update",
        Body::Json(|_| json!({ "registration_open": true })),
    ),
    case(
        "PATCH /admin/users/{user}",
        "user.update",
        Body::Json(|_| json!({ "disabled": false })),
    ),
    case(
        "POST /admin/users/{user}/password-reset",
        "user.reset",
        Body::Json(|_| json!({ "password": PASSWORD })),
    ),
    case(
        "POST /workspaces",
        "workspace.create",
        Body::Json(|name| json!({ "name": format!("{name} made"), "template": "empty" })),
    ),
    case("POST /workspaces/import", "workspace.import", Body::Zip),
    case(
        "PATCH /workspaces/{workspace}",
        "workspace.update",
        Body::Json(|name| json!({ "name": format!("{name} again") })),
    ),
    case(
        "DELETE /workspaces/{workspace}",
        "workspace.delete",
        Body::Json(|name| json!({ "name": name })),
    ),
    case(
        "POST /workspaces/{workspace}/recover",
        "workspace.recover",
        Body::Nothing,
    ),
    case(
        "DELETE /workspaces/{workspace}/trash",
        "workspace.purge",
        Body::Nothing,
    ),
    case(
        "POST /workspaces/{workspace}/duplicate",
        "workspace.duplicate",
        Body::Json(|name| json!({ "name": format!("{name} copy") })),
    ),
    case(
        "POST /workspaces/{workspace}/commits",
        "files.write",
        Body::Json(
            |_| json!({ "batch": "one", "operations": [{ "path": "new.txt", "kind": "file", "text": "x" }] }),
        ),
    ),
    case(
        "PUT /workspaces/{workspace}/files/{*path}",
        "files.write",
        Body::File,
    ),
    case(
        "DELETE /workspaces/{workspace}/files/{*path}",
        "files.write",
        Body::Delete,
    ),
    case(
        "POST /workspaces/{workspace}/moves",
        "files.write",
        Body::Json(|_| json!({ "from": "main.py", "to": "other.py" })),
    ),
    case(
        "POST /workspaces/{workspace}/folders",
        "files.write",
        Body::Json(|_| json!({ "path": "folder" })),
    ),
    case(
        "POST /workspaces/{workspace}/uploads",
        "files.write",
        Body::Upload,
    ),
    case(
        "POST /workspaces/{workspace}/restores",
        "files.restore",
        Body::Json(|_| json!({ "revision": 0 })),
    ),
    case(
        "POST /workspaces/{workspace}/session",
        "session.start",
        Body::Nothing,
    ),
    case(
        "DELETE /workspaces/{workspace}/session",
        "session.stop",
        Body::Nothing,
    ),
    case(
        "POST /workspaces/{workspace}/session/keep",
        "session.keep",
        Body::Json(|_| json!({ "until_done": false })),
    ),
    case(
        "POST /sessions/{session}/terminals",
        "terminal.open",
        Body::Json(|_| json!({ "cols": 80, "rows": 24 })),
    ),
    case(
        "DELETE /sessions/{session}/terminals/{terminal}",
        "terminal.close",
        Body::Nothing,
    ),
    case(
        "POST /workspaces/{workspace}/runs",
        "run.start",
        Body::Json(|_| json!({ "target": { "kind": "command", "line": "true" } })),
    ),
    case(
        "POST /runs/{run}/stop",
        "run.stop",
        Body::Json(|_| json!({})),
    ),
    case("POST /runs/{run}/rerun", "run.start", Body::Nothing),
];

/// A valid request of an operation, with these names in its address.
pub(super) fn request(
    by: &Client,
    operation: &Operation,
    names: &Names,
    workspace: &str,
) -> RequestBuilder {
    let mut path = operation.path.replace("{*path}", "main.py");
    for (name, value) in names {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    assert!(
        !path.contains('{'),
        "{path} holds a name that the walk lacks"
    );
    if operation.path.ends_with("/history") {
        path += "?path=main.py";
    }
    let key = operation.key();
    let case = CASES.iter().find(|case| case.operation == key);
    assert!(
        case.is_some() || !operation.changes(),
        "{key} is missing in the table"
    );
    let body = case.map_or(&Body::Nothing, |case| &case.body);
    if matches!(body, Body::Zip) {
        path += "?name=imported";
    }
    let request = by.request(operation.method.clone(), &path);
    match body {
        Body::Nothing => request,
        Body::Json(make) => request.json(&make(workspace)),
        Body::File => request.header("if-match", "*").body("x = 1\n"),
        Body::Delete => request.header("if-match", "*"),
        Body::Zip => request.body(zipped()),
        Body::Upload => request
            .multipart(Form::new().part("file", Part::bytes(b"up".to_vec()).file_name("up.txt"))),
    }
}

fn zipped() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("a.txt", options).unwrap();
    std::io::Write::write_all(&mut zip, b"a").unwrap();
    zip.finish().unwrap().into_inner()
}
