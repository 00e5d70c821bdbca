//! What signing in takes, on the command line and in the app: a server that is understood, and a device whose token is
//! kept in one place.
use slipway_api::server::ServerInfo;
use slipway_client::rest::Client;
use slipway_proto::PROTOCOL;

use crate::error::CliError;
use crate::server::Address;
use crate::state::{SignIn, State};
use crate::token::Tokens;

/// Looks whether a Slipway server answers that we understand.
///
/// # Errors
/// When none does.
pub async fn reach(server: &Address, client: &Client) -> Result<ServerInfo, CliError> {
    let info = client.server().await;
    let info = info.map_err(|error| CliError::at(server, error))?;
    if !slipway_proto::understands(info.protocol) {
        return Err(CliError::Protocol {
            server: server.clone(),
            theirs: info.protocol,
            ours: PROTOCOL,
        });
    }
    Ok(info)
}

/// Keeps the token of a device that just signed in, and signs out the one of before, whose token nobody would have any
/// more.
///
/// # Errors
/// When it cannot be kept. Then the new device is signed out: without its token it would stand in the list for nothing.
pub async fn settle(
    state: &State,
    tokens: &Tokens,
    client: &Client,
    sign_in: &SignIn,
) -> Result<(), CliError> {
    let kept = keep(state, tokens, client, sign_in).await;
    if kept.is_err() {
        drop(client.sign_out().await);
    }
    kept
}

async fn keep(
    state: &State,
    tokens: &Tokens,
    client: &Client,
    sign_in: &SignIn,
) -> Result<(), CliError> {
    let server = &sign_in.server;
    let before = state.sign_in(server)?;
    let old = match &before {
        Some(before) => tokens.find(before.token_store, server).await.ok(),
        None => None,
    };
    let token = client.token().cloned().unwrap_or_default();
    tokens.keep(sign_in.token_store, server, &token).await?;
    state.keep(sign_in)?;
    if let Some(before) = before.filter(|before| before.token_store != sign_in.token_store) {
        tokens.forget(before.token_store, server).await?;
    }
    if let Some(old) = old {
        // It may have ended long ago.
        drop(client.with_token(old).sign_out().await);
    }
    Ok(())
}
