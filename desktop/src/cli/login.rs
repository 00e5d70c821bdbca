//! `slipway login` and `slipway logout`.
use clap::Args;
use serde_json::json;
use slipway_api::account::SignIn as Credentials;
use slipway_client::error::ClientError;
use slipway_core::code::Code;
use slipway_core::secret::Secret;

use super::here::{Here, client};
use crate::error::CliError;
use crate::server::{self, Address};
use crate::sign_in;
use crate::state::SignIn;
use crate::token::{TokenError, TokenStore};
use crate::tty;

/// Signs this device in at a server.
///
/// The password is asked for without being shown, or read as one line from the input.
#[derive(Args)]
pub(super) struct Login {
    /// The server's address; by default the one of before, or this machine.
    #[arg(value_name = "SERVER")]
    address: Option<String>,
    /// The account's e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// How this device is named in the list of devices.
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Where the token is kept; by default the system's keychain, if there is one.
    #[arg(long, value_enum, value_name = "WHERE")]
    token_store: Option<TokenStore>,
}

/// Signs this device out.
#[derive(Args)]
pub(super) struct Logout {
    /// The server's address; by default the one chosen last.
    #[arg(value_name = "SERVER")]
    address: Option<String>,
    /// Forgets the token on this machine only, without asking the server, which goes on listing the device.
    #[arg(long)]
    local: bool,
}

pub(super) async fn login(here: &Here, login: Login) -> Result<(), CliError> {
    let server = match &login.address {
        Some(typed) => Address::parse(typed)?,
        None => here
            .server()?
            .map_or_else(|| Address::parse(server::DEFAULT), Ok)?,
    };
    let store = choose_store(here, login.token_store).await?;
    let anyone = client(&server)?;
    sign_in::reach(&server, &anyone).await?;
    if server.is_open_to_readers() {
        here.output.remark(&format!(
            "The connection to {server} is not encrypted: whoever carries it can read password and files."
        ));
    }
    here.output.remark(&format!("Signing in at {server}"));
    let credentials = ask(here, login).await?;
    let (client, account) = anyone
        .sign_in(&credentials)
        .await
        .map_err(|error| refused(&server, error))?;
    let sign_in = SignIn {
        server: server.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        token_store: store,
        account: Some(account),
    };
    sign_in::settle(&here.state, &here.state.tokens(), &client, &sign_in).await?;
    let shown = json!({
        "server": server, "name": sign_in.name, "email": sign_in.email, "token_store": store,
    });
    here.output.tell(&shown, || {
        let SignIn { name, email, .. } = &sign_in;
        format!("Signed in at {server} as {name} ({email}). The token is in {store}.")
    })
}

fn refused(server: &Address, error: ClientError) -> CliError {
    CliError::at(server, error)
}

/// Where the token goes. Without a keychain a person is told, and chooses.
async fn choose_store(here: &Here, wanted: Option<TokenStore>) -> Result<TokenStore, CliError> {
    match wanted {
        Some(TokenStore::Memory) => return Err(TokenError::MemoryEnds.into()),
        Some(TokenStore::File) => return Ok(TokenStore::File),
        Some(TokenStore::Keychain) | None => {}
    }
    let Err(error) = here.state.tokens().probe_keychain().await else {
        return Ok(TokenStore::Keychain);
    };
    let TokenError::NoKeychain(reason) = &error else {
        return Err(error.into());
    };
    if wanted.is_some() || here.output.is_json() || !tty::can_ask() {
        return Err(error.into());
    }
    here.output.remark(&format!(
        "There is no system keychain to keep the token in ({reason}).\n\
         It can be kept in a file that only you can read, below {}.",
        here.state.path().display()
    ));
    let answer = tty::ask("Keep it in that file? [y/N]").await?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(TokenStore::File);
    }
    Err(error.into())
}

/// What is not given is asked for.
async fn ask(here: &Here, login: Login) -> Result<Credentials, CliError> {
    let can_ask = tty::can_ask();
    let email = match login.email {
        Some(email) => email,
        None if can_ask => tty::ask("E-mail").await?,
        None => return Err(CliError::Missing("The e-mail address", "--email")),
    };
    let password = if tty::is_typed() {
        tty::ask_hidden("Password").await?
    } else {
        tty::line().await?
    };
    if password.is_empty() {
        return Err(CliError::Missing("The password", "one line on the input"));
    }
    let device = login
        .device
        .unwrap_or_else(|| format!("slipway on {}", here.config.host));
    Ok(Credentials {
        email: email.trim().to_owned(),
        password: Secret::new(password),
        device: Some(device),
    })
}

pub(super) async fn logout(here: &Here, logout: Logout) -> Result<(), CliError> {
    let server = match &logout.address {
        Some(typed) => Address::parse(typed)?,
        None => here.server()?.ok_or(CliError::NotSignedIn)?,
    };
    let who = here.state.sign_in(&server)?;
    let who = who.ok_or_else(|| CliError::NotSignedInAt(server.clone()))?;
    let tokens = here.state.tokens();
    if !logout.local {
        let token = tokens.find(who.token_store, &server).await?;
        match client(&server)?.with_token(token).sign_out().await {
            Ok(()) => {}
            // It is signed out already.
            Err(error)
                if matches!(
                    error.code(),
                    Some(Code::SignInExpired | Code::SignInRequired)
                ) => {}
            Err(error) => return Err(refused(&server, error)),
        }
    }
    tokens.forget(who.token_store, &server).await?;
    here.state.forget(&server)?;
    let shown = json!({ "server": server, "signed_out": !logout.local });
    here.output.tell(&shown, || {
        if logout.local {
            format!("The token for {server} is forgotten on this machine. The server still lists the device.")
        } else {
            format!("Signed out at {server}.")
        }
    })
}
