//! The window's commands through Tauri's own dispatch, on a runtime that needs no display; and what the page may do.
use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tauri::http::HeaderMap;
use tauri::ipc::{CallbackFn, InvokeBody, InvokeResponseBody};
use tauri::test::{INVOKE_KEY, MockRuntime, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewWindow, WebviewWindowBuilder};

use super::*;

/// A program whose state is a folder of its own, with the capabilities of the real one.
struct Program {
    _state: tempfile::TempDir,
    _app: App<MockRuntime>,
    window: WebviewWindow<MockRuntime>,
    shell: Arc<Shell>,
}

impl Program {
    async fn start() -> Self {
        Self::with_window("main").await
    }

    async fn with_window(label: &str) -> Self {
        let state = tempfile::tempdir().unwrap();
        let config = Config {
            state: state.path().to_owned(),
            ..Config::read().unwrap()
        };
        let shell = Shell::new(Gateway::start(&config).await.unwrap(), config);
        let app = build(mock_builder(), Arc::clone(&shell))
            .build(tauri::generate_context!(test = true))
            .unwrap();
        let window = WebviewWindowBuilder::new(&app, label, tauri::WebviewUrl::default())
            .build()
            .unwrap();
        Self {
            _state: state,
            _app: app,
            window,
            shell,
        }
    }

    /// Asks as the page does; the answer, or the fault.
    fn ask(
        &self,
        command: &str,
        headers: &[(&'static str, &str)],
        body: InvokeBody,
    ) -> Result<InvokeResponseBody, Value> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let url = if cfg!(windows) {
            "http://tauri.localhost"
        } else {
            "tauri://localhost"
        };
        let request = InvokeRequest {
            cmd: command.to_owned(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: url.parse().unwrap(),
            body,
            headers: map,
            invoke_key: INVOKE_KEY.to_owned(),
        };
        tauri::test::get_ipc_response(&self.window, request)
    }
}

fn json(text: Value) -> InvokeBody {
    InvokeBody::Json(text)
}

/// The head and the body of an exchange's answer.
fn answer(raw: InvokeResponseBody) -> (Value, Vec<u8>) {
    let InvokeResponseBody::Raw(bytes) = raw else {
        panic!("an exchange answers bytes");
    };
    let (length, rest) = bytes.split_first_chunk::<4>().unwrap();
    let (head, body) = rest.split_at(u32::from_le_bytes(*length) as usize);
    (serde_json::from_slice(head).unwrap(), body.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_is_answered_by_the_gateway() {
    let program = Program::start().await;
    let headers = [
        ("slipway-method", "GET"),
        ("slipway-path", "/desktop"),
        ("slipway-headers", r#"{"accept":"application/json"}"#),
    ];
    let raw = program.ask("exchange", &headers, InvokeBody::Raw(Vec::new()));
    let (head, body) = answer(raw.unwrap());
    assert_eq!(head["status"], 200);
    let desktop: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(desktop["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_gets_wrong_is_told_and_asked_of_nobody() {
    let program = Program::start().await;
    for headers in [
        vec![],
        vec![("slipway-method", "GET")],
        vec![("slipway-method", "G T"), ("slipway-path", "/desktop")],
        vec![("slipway-method", "GET"), ("slipway-path", "no path")],
        vec![
            ("slipway-method", "GET"),
            ("slipway-path", "/desktop"),
            ("slipway-headers", "[]"),
        ],
        vec![
            ("slipway-method", "GET"),
            ("slipway-path", "/desktop"),
            ("slipway-headers", r#"{"a b":"c"}"#),
        ],
    ] {
        let fault = program.ask("exchange", &headers, InvokeBody::Raw(Vec::new()));
        assert_eq!(fault.unwrap_err()["code"], "malformed", "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_for_a_wire_that_is_not_open_is_refused() {
    let program = Program::start().await;
    let frame = || InvokeBody::Raw(vec![1]);
    let fault = program.ask("send", &[("slipway-wire", "7")], frame());
    assert_eq!(fault.unwrap_err()["code"], "wire_gone");
    let fault = program.ask("send", &[("slipway-wire", "x")], frame());
    assert_eq!(fault.unwrap_err()["code"], "malformed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_paints_is_noticed() {
    let program = Program::start().await;
    assert!(!*program.shell.painted.borrow());
    program.ask("painted", &[], json(Value::Null)).unwrap();
    assert!(*program.shell.painted.borrow());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_program_is_given_anything_but_an_address_of_the_web() {
    let program = Program::start().await;
    for url in [
        "file:///usr/bin/true",
        "slipway://x",
        "javascript:1",
        "no address",
    ] {
        let fault = program.ask(
            "open_external",
            &[],
            json(serde_json::json!({ "url": url })),
        );
        assert_eq!(fault.unwrap_err()["code"], "not_of_the_web", "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clipboard_answers_or_says_why_not() {
    let program = Program::start().await;
    // Only read: it may be that of the person who runs this.
    if let Err(fault) = program.ask("paste", &[], json(Value::Null)) {
        assert_eq!(fault["code"], "system");
        let message = fault["message"].as_str().unwrap();
        assert!(!message.contains("panic"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_page_of_the_main_window_may_ask_and_only_for_what_is_ours() {
    let program = Program::start().await;
    for command in [
        "plugin:window-state|save_window_state",
        "plugin:clipboard-manager|read_text",
        "plugin:event|listen",
        "plugin:window|close",
        "plugin:webview|create_webview",
        "plugin:path|resolve_directory",
        "plugin:resources|close",
    ] {
        let refused = program.ask(command, &[], json(serde_json::json!({})));
        assert!(refused.is_err(), "{command} is allowed");
    }
    let other = Program::with_window("other").await;
    assert!(other.ask("painted", &[], json(Value::Null)).is_err());
}

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Whoever gives the page more must change this test, too, and be asked why.
#[test]
fn the_page_may_do_what_is_listed_here_and_nothing_more() {
    let capability: Value = serde_json::from_str(&read("capabilities/main.json")).unwrap();
    assert_eq!(capability["windows"], serde_json::json!(["main"]));
    assert_eq!(capability["permissions"], serde_json::json!(["page"]));
    assert!(
        capability.get("remote").is_none(),
        "no page from elsewhere may ask"
    );
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("capabilities"));
    assert_eq!(files.unwrap().count(), 1, "one window, one file");

    let permissions = read("permissions/page.toml");
    let listed: BTreeSet<&str> = permissions
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
        .collect();
    let expected = [
        "copy",
        "dial",
        "download",
        "exchange",
        "hang_up",
        "leave",
        "listen",
        "open_external",
        "painted",
        "paste",
        "pick_folder",
        "retry",
        "save_file",
        "send",
        "show_folder",
        "title",
    ];
    assert_eq!(listed, BTreeSet::from(expected));
}

#[test]
fn the_page_gets_nothing_from_elsewhere() {
    let config: Value = serde_json::from_str(&read("tauri.conf.json")).unwrap();
    let security = &config["app"]["security"];
    let expected = [
        ("default-src", "'none'"),
        ("script-src", "'self'"),
        ("worker-src", "'self'"),
        ("style-src", "'self' 'unsafe-inline'"),
        ("img-src", "'self' data: blob:"),
        ("font-src", "'self' data:"),
        ("connect-src", "'self' ipc: http://ipc.localhost"),
        ("base-uri", "'none'"),
        ("form-action", "'none'"),
        ("frame-ancestors", "'none'"),
    ];
    let policy = security["csp"].as_str().unwrap();
    let found: Vec<(&str, &str)> = policy
        .split("; ")
        .filter_map(|rule| rule.split_once(' '))
        .collect();
    assert_eq!(found, expected);
    // Styles of the editor are made as it runs; a nonce there would forbid them all.
    let changed = &security["dangerousDisableAssetCspModification"];
    assert_eq!(*changed, serde_json::json!(["style-src"]));
    // Monaco gives plain objects methods of their own, such as `toString`, which frozen prototypes refuse.
    assert_eq!(security["freezePrototype"], false);
    assert_eq!(config["app"]["withGlobalTauri"], false);
    assert_eq!(
        config["app"]["windows"],
        serde_json::json!([]),
        "the window is made in frame.rs"
    );
}
