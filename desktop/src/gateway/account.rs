//! The program itself, the server that the page works with, and who is signed in there.
use http::HeaderName;
use serde_json::Value;
use slipway_api::account::{Account, SignedIn};
use slipway_api::desktop::Keychain;
use slipway_api::desktop::{ChooseServer, Desktop, ServerHere, TOKEN_KEPT_HEADER, TokenKept};
use slipway_core::code::Code;
use slipway_core::secret::Secret;

use super::Gateway;
use super::answer::{self, Answer, Fault};
use super::asked::Asked;
use super::pass;
use crate::error::CliError;
use crate::server::Address;
use crate::sign_in;
use crate::state::SignIn;
use crate::token::TokenStore;

impl From<TokenStore> for TokenKept {
    fn from(store: TokenStore) -> Self {
        match store {
            TokenStore::Keychain => Self::Keychain,
            TokenStore::File => Self::File,
            TokenStore::Memory => Self::Memory,
        }
    }
}

/// The program, its keychain and its server.
pub(super) async fn about(gateway: &Gateway) -> Answer {
    let inner = &gateway.0;
    let server = match inner.servers.chosen_if_any() {
        Some(address) => {
            let who = inner.servers.who(&address)?;
            Some(ServerHere {
                kept: who.as_ref().map(|who| who.token_store.into()),
                account: who.and_then(|who| who.account),
                open_to_readers: address.is_open_to_readers(),
                address: address.as_str().to_owned(),
            })
        }
        None => None,
    };
    answer::found(&Desktop {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: inner.config.host.clone(),
        home: inner.config.home.display().to_string(),
        keychain: inner.servers.tokens().keychain().await,
        server,
    })
}

/// Chooses the server that the page works with, if it is one that we understand.
pub(super) async fn choose(gateway: &Gateway, asked: &Asked) -> Answer {
    let wanted: ChooseServer = asked.json()?;
    let address = Address::parse(&wanted.address)?;
    let servers = &gateway.0.servers;
    let info = sign_in::reach(&address, &servers.anyone(&address)?).await?;
    servers.choose(&address)?;
    answer::found(&info)
}

/// Signs in, or makes an account, at the chosen server. The token is kept here and taken out of the answer.
pub(super) async fn sign_in(gateway: &Gateway, asked: &Asked) -> Answer {
    let inner = &gateway.0;
    let server = inner.servers.chosen()?;
    let store = store(gateway, asked).await?;
    let anyone = inner.servers.anyone(&server)?;
    sign_in::reach(&server, &anyone).await?;
    let mut body: Value = asked.json()?;
    if let Some(body) = body.as_object_mut() {
        // As the list of devices names it.
        let device = format!("Slipway on {}", inner.config.host);
        body.entry("device").or_insert_with(|| device.into());
    }
    let answer = pass::exchange(&anyone, &asked.with_json(&body), &asked.path)
        .await
        .map_err(|error| CliError::at(&server, error))?;
    if !answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status().as_u16();
    let not_understood = || Fault::from(CliError::NotSlipway(server.clone()));
    let mut signed_in: SignedIn =
        serde_json::from_slice(answer.body()).map_err(|_| not_understood())?;
    let token = signed_in.token.take().ok_or_else(not_understood)?;
    keep(gateway, &server, store, token, &signed_in.account).await?;
    Ok(answer::json(status, &signed_in))
}

async fn keep(
    gateway: &Gateway,
    server: &Address,
    store: TokenStore,
    token: Secret,
    account: &Account,
) -> Result<(), Fault> {
    let servers = &gateway.0.servers;
    let client = servers.anyone(server)?.with_token(token);
    let sign_in = SignIn {
        server: server.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        token_store: store,
        account: Some(account.clone()),
    };
    sign_in::settle(servers.state(), servers.tokens(), &client, &sign_in).await?;
    servers.signed_in(&sign_in, client);
    gateway.retry();
    Ok(())
}

/// Where the token goes: where the person chose, else to the keychain, if there is one.
async fn store(gateway: &Gateway, asked: &Asked) -> Result<TokenStore, Fault> {
    let store = match asked.header(HeaderName::from_static(TOKEN_KEPT_HEADER)) {
        Some("file") => return Ok(TokenStore::File),
        Some("memory") => return Ok(TokenStore::Memory),
        Some("keychain") | None => TokenStore::Keychain,
        Some(_) => {
            let message = "Choose keychain, file or memory for the token.";
            return Err(Fault::new(Code::InvalidRequest, message));
        }
    };
    let words = match gateway.0.servers.tokens().keychain().await {
        Keychain::Ready => return Ok(store),
        Keychain::Locked => {
            "The system's keychain is locked. Unlock it and try again, or choose where else the sign-in is kept."
        }
        Keychain::Absent => "The system has no keychain. Choose where the sign-in is kept.",
    };
    Err(Fault::new(Code::KeychainUnavailable, words))
}

/// Signs this device out. Work that is not at the server yet stays here.
pub(super) async fn sign_out(gateway: &Gateway, asked: &Asked) -> Answer {
    let servers = &gateway.0.servers;
    let server = servers.chosen()?;
    let answer = gateway.pass(&server, asked, &asked.path).await?;
    let is_out = pass::problem(&answer)
        .is_some_and(|problem| super::standing::is_signed_out(Some(problem.code)));
    if answer.status().is_success() || is_out {
        servers.forget(&server).await?;
        return answer::done();
    }
    Ok(answer)
}

/// The account; as it was last seen while the server is away.
pub(super) async fn account(gateway: &Gateway, asked: &Asked) -> Answer {
    let servers = &gateway.0.servers;
    let server = servers.chosen()?;
    let answer = gateway.pass(&server, asked, &asked.path).await;
    match answer {
        Ok(answer) => {
            if let Ok(account) = serde_json::from_slice::<Account>(answer.body()) {
                servers.seen(&server, account)?;
            }
            Ok(answer)
        }
        Err(fault) if fault.code() == Code::Unreachable => {
            let known = servers.who(&server)?.and_then(|who| who.account);
            known.map_or(Err(fault), |account| answer::found(&account))
        }
        Err(fault) => Err(fault),
    }
}
