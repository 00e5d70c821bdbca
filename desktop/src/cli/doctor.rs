//! `slipway doctor`: whether everything that the other commands need is there, each in a line.
use serde::Serialize;
use serde_json::json;

use super::here::{Here, client};
use super::hint;
use crate::error::{CliError, exit};
use crate::server::{self, Address};
use crate::sign_in;
use crate::token::TokenStore;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
}

impl Check {
    fn new(name: &'static str, found: Result<String, String>) -> Self {
        let ok = found.is_ok();
        let detail = found.unwrap_or_else(|problem| problem);
        Self { name, ok, detail }
    }
}

pub(super) async fn doctor(here: &Here) -> Result<u8, CliError> {
    let mut checks = vec![
        Check::new(
            "program",
            Ok(format!("slipway {}", env!("CARGO_PKG_VERSION"))),
        ),
        Check::new(
            "state",
            Ok(format!("{}, for you alone", here.state.path().display())),
        ),
        Check::new("keychain", keychain(here).await),
    ];
    let server = here.server()?;
    let asked = match &server {
        Some(server) => server.clone(),
        None => Address::parse(server::DEFAULT)?,
    };
    checks.push(Check::new("server", reached(&asked).await));
    checks.push(Check::new("sign-in", signed_in(here).await));
    let well = checks.iter().all(|check| check.ok);
    let shown = json!({ "well": well, "checks": checks });
    here.output.tell(&shown, || {
        let line = |check: &Check| {
            let mark = if check.ok { "ok  " } else { "FAIL" };
            format!("{mark}  {:9} {}", check.name, check.detail)
        };
        checks.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if well { 0 } else { exit::FAILED })
}

/// Without a keychain a file will do, if somebody chose it.
async fn keychain(here: &Here) -> Result<String, String> {
    let error = match here.state.tokens().probe_keychain().await {
        Ok(()) => return Ok("takes a token and gives it back".to_owned()),
        Err(error) => error,
    };
    let server = here.server().ok().flatten();
    let who = server.and_then(|server| here.state.sign_in(&server).ok()?);
    match who {
        Some(who) if who.token_store != TokenStore::Keychain => {
            Ok(format!("not needed: the token is in {}", who.token_store))
        }
        _ => Err(hint::told(&error.into())),
    }
}

async fn reached(server: &Address) -> Result<String, String> {
    let told = |error: CliError| error.to_string();
    let client = client(server).map_err(told)?;
    let info = sign_in::reach(server, &client).await.map_err(told)?;
    let runs = match info.cannot_run_reason {
        Some(reason) if !info.can_run => format!("; it runs no code: {reason}"),
        _ => String::new(),
    };
    let version = info.version;
    Ok(format!("{server} is reached: version {version}{runs}"))
}

async fn signed_in(here: &Here) -> Result<String, String> {
    let told = |error: CliError| hint::told(&error);
    let signed_in = here.signed_in().await.map_err(told)?;
    let account = signed_in.client.account().await;
    let account = account.map_err(|error| told(signed_in.told(error)))?;
    Ok(format!(
        "{} ({}), token in {}",
        account.name, account.email, signed_in.who.token_store
    ))
}
