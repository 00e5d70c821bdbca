//! What a server tells: its pages, its counts, its log and its settings, and never a secret.
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use tokio::process::Command;

use super::{Home, ended, parts};

const PASSWORD: &str = "quiet tide at seven bells";
const CONTENT: &str = "words that only their owner reads";

async fn page(home: &Home, path: &str) -> String {
    let answer = reqwest::get(format!("{}{path}", home.server().base)).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn the_counts_are_shown_and_no_client_adds_a_row_of_its_own() {
    let home = Home::start().await;
    let ana = home.user("ana").await;
    for number in 0..20 {
        let method = format!("BREW{number}").parse().unwrap();
        let odd = reqwest::Client::new().request(method, format!("{}/api/v1/account", ana.base()));
        assert_eq!(odd.send().await.unwrap().status(), 405);
    }
    let counts = page(&home, "/metrics").await;
    for row in [
        "slipway_requests_total{method=\"POST\",status=\"201\"} 1",
        "slipway_requests_total{method=\"other\",status=\"405\"} 20",
        "slipway_request_seconds_count",
        "\nslipway_connections ",
    ] {
        assert!(counts.contains(row), "{row} in {counts}");
    }
    assert!(
        !counts.contains("BREW") && !counts.contains("ana"),
        "{counts}"
    );
}

#[tokio::test]
async fn an_unknown_address_costs_the_work_of_a_wrong_password() {
    let home = Home::start().await;
    let ana = home.user("ana").await;
    let checked = async || -> u64 {
        let counts = page(&home, "/metrics").await;
        let row = counts
            .lines()
            .find_map(|line| line.strip_prefix("slipway_passwords_checked_total "));
        row.map_or(0, |count| count.parse().expect("a count"))
    };
    for email in ["ana@example.org", "nobody@example.org"] {
        let before = checked().await;
        let request = ana.request(reqwest::Method::POST, "/sign-in");
        let guess = serde_json::json!({ "email": email, "password": "a guess" });
        let refused = request.json(&guess).send().await.unwrap();
        assert_eq!(refused.status(), 401, "{email}");
        assert_eq!(checked().await - before, 1, "{email}");
    }
}

#[tokio::test]
async fn the_description_lists_every_route_and_every_code_with_its_sentence() {
    let home = Home::start().await;
    let docs = page(&home, "/docs").await;
    let document: serde_json::Value =
        serde_json::from_str(&page(&home, "/api/openapi.json").await).unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(docs.contains(&format!("<code>{path}</code>")), "{path}");
    }
    for code in slipway_core::code::Code::ALL {
        let row = docs.split(&format!("id=\"code-{code}\"")).nth(1).unwrap();
        let words = row
            .split("</tr>")
            .next()
            .unwrap()
            .split("<td>")
            .nth(2)
            .unwrap();
        assert!(words.len() > 10 && words.ends_with('.'), "{code}: {words}");
    }
}

#[tokio::test]
async fn every_line_of_a_request_carries_its_id_and_none_a_secret() {
    let home = Home::with(&["--log=json", "--log-filter=trace"]).await;
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let path = format!("/workspaces/{workspace}/files/a.txt");
    let request = ana.request(reqwest::Method::PUT, &path);
    let written = request
        .header("if-none-match", "*")
        .body(CONTENT)
        .send()
        .await
        .unwrap();
    let id = written.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(written.status(), 200);
    let log = home.log();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let of_request: Vec<_> = lines
        .iter()
        .filter(|line| line["span"]["request.id"] == id.as_str())
        .collect();
    let statements = of_request
        .iter()
        .filter(|line| line["target"] == "sqlx::query");
    assert!(
        statements.count() > 2,
        "the statements of the write are its lines"
    );
    assert!(
        of_request
            .iter()
            .any(|line| line["message"] == "Request answered")
    );
    let token = ana.token().unwrap().expose();
    for secret in [PASSWORD, CONTENT, token] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "even when everything is told");
    }
}

#[tokio::test]
async fn the_settings_are_shown_without_their_secrets() {
    let mut config = Command::new(parts().server);
    config.args(["--database-url", "postgres://mo:geheim@db.example/slipway"]);
    config.args([
        "--egress-upstream",
        "http://mo:verborgen@proxy.example:3128",
        "config",
    ]);
    let (code, shown, words) = ended(&mut config).await;
    assert_eq!(code, Some(0), "{words}");
    assert!(
        shown.contains("data_dir") && shown.contains("not shown"),
        "{shown}"
    );
    assert!(
        !shown.contains("geheim") && !shown.contains("verborgen"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_log_filter_that_is_none_is_refused() {
    let home = Home::empty();
    let mut server = Command::new(parts().server);
    server.args(parts().arguments(home.path()));
    let (code, _, words) = ended(server.args(["--log-filter", "sqlx=loudly"])).await;
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("--log-filter") && words.contains("sqlx=loudly"),
        "{words}"
    );
    assert!(!home.path().join("data").exists(), "nothing was made");
}

#[tokio::test]
async fn a_doctor_beside_a_running_server_finds_nothing_missing() {
    let home = Home::start().await;
    let pid = home.server().pid().unwrap();
    let listen = home
        .server()
        .base
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let mut doctor = Command::new(parts().server);
    let mut arguments = parts().arguments(home.path());
    arguments[1] = listen.into();
    doctor.args(arguments);
    let (code, report, words) = ended(doctor.arg("doctor")).await;
    assert!(
        report.contains(&format!("in use by the server with pid {pid}")),
        "{report}"
    );
    for name in ["data directory", "port", "Postgres"] {
        let line = report.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.starts_with("ok"), "{report}");
    }
    assert_eq!(code, Some(0), "{report}{words}");
    Client::new(&home.server().base)
        .unwrap()
        .server()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_doctor_asks_the_database_that_it_is_given() {
    let (_postgres, options) = crate::database::fresh().await;
    let url = sqlx::ConnectOptions::to_url_lossy(&options).to_string();
    let home = Home::empty();
    let asked = async |url: &str| {
        let mut doctor = Command::new(parts().server);
        doctor.args(parts().arguments(home.path()));
        let (_, report, _) = ended(doctor.args(["--database-url", url, "doctor"])).await;
        let line = report.lines().find(|line| line.contains("Postgres"));
        line.unwrap().to_owned()
    };
    assert!(asked(&url).await.starts_with("ok"));
    for wrong in ["postgres://mo:geheim@127.0.0.1:1/slipway", "not an address"] {
        let line = asked(wrong).await;
        assert!(line.starts_with("MISSING"), "{line}");
        assert!(!line.contains("geheim"), "{line}");
    }
}
