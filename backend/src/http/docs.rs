//! The API's description: `/api/openapi.json` for programs, `/docs` for people, made from the same document.
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use slipway_core::code::Code;
use utoipa::openapi::OpenApi;

use crate::state::App;

/// Both pages, rendered once.
pub fn routes(document: &OpenApi) -> Router<App> {
    let json: Arc<str> = document.to_json().unwrap_or_default().into();
    let page: Arc<str> = page(document).into();
    Router::new()
        .route(
            "/api/openapi.json",
            get(move || async move {
                (
                    [(header::CONTENT_TYPE, "application/json")],
                    json.to_string(),
                )
            }),
        )
        .route("/docs", get(move || async move { Html(page.to_string()) }))
}

fn page(document: &OpenApi) -> String {
    let value = serde_json::to_value(document).unwrap_or_default();
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Slipway API</title><style>\
        body{font:15px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#181f27;background:#fafbfd}\
        code{font:13px ui-monospace,monospace}td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #e4e6ea;vertical-align:top}\
        @media(prefers-color-scheme:dark){body{color:#eaedf1;background:#13181f}td,th{border-color:#262c33}a{color:#54c8ec}}</style>\
        <h1>Slipway API</h1><p>Errors are <code>application/problem+json</code>; act on <code>code</code>. \
        The machine-readable document is <a href=\"/api/openapi.json\">openapi.json</a>.</p>\
        <h2>Routes</h2><table><tr><th>Method<th>Address<th>Who may<th>What</tr>",
    );
    for (path, item) in value["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let text = |name: &str| escape(operation[name].as_str().unwrap_or_default());
            let _ = write!(
                html,
                "<tr><td><code>{}</code><td><code>{}</code><td>{}<td>{}</tr>",
                escape(&method.to_uppercase()),
                escape(path),
                text("x-permission"),
                if operation["summary"].is_string() {
                    text("summary")
                } else {
                    text("description")
                },
            );
        }
    }
    html.push_str("</table><h2>Codes</h2><table><tr><th>Code<th>What it means</tr>");
    for code in Code::ALL {
        let _ = write!(
            html,
            "<tr id=\"code-{code}\"><td><code>{code}</code><td>{}</tr>",
            escape(code.meaning()),
        );
    }
    html.push_str("</table></html>");
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
