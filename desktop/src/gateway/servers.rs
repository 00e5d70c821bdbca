//! The servers at which somebody signed in from this machine: which one the page works with, and a client for each.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slipway_api::account::Account;
use slipway_api::desktop::Told;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::secret::Secret;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::answer::Fault;
use crate::error::CliError;
use crate::server::Address;
use crate::state::{SignIn, State};
use crate::token::{TokenError, TokenStore, Tokens};

/// Who is signed in where. Cheap to clone.
#[derive(Clone)]
pub(super) struct Servers(Arc<Inner>);

struct Inner {
    state: State,
    tokens: Tokens,
    known: Mutex<Known>,
    told: broadcast::Sender<Told>,
    /// Grows whenever somebody signs in or out, or another server is chosen.
    moved: watch::Sender<u64>,
    /// Grows whenever a folder got through to the chosen server.
    reached: watch::Sender<u64>,
}

struct Known {
    chosen: Option<Address>,
    clients: HashMap<String, Client>,
    /// The keychain gave nothing out, and is not asked again before this: each question may show a dialog.
    closed_until: Option<(Instant, String)>,
}

/// An app that ends is not held up.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);
/// How long a keychain that gives nothing out is left alone.
const KEYCHAIN_AGAIN: Duration = Duration::from_secs(60);

impl Servers {
    pub(super) fn open(state: &State, told: broadcast::Sender<Told>) -> Result<Self, CliError> {
        let tokens = state.tokens().in_memory_too();
        let chosen = state.current()?;
        Ok(Self(Arc::new(Inner {
            state: state.clone(),
            tokens,
            known: Mutex::new(Known {
                chosen,
                clients: HashMap::new(),
                closed_until: None,
            }),
            told,
            moved: watch::channel(0).0,
            reached: watch::channel(0).0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> &State {
        &self.0.state
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Moves whenever somebody signs in or out, or another server is chosen.
    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        self.0.moved.subscribe()
    }

    /// A folder got through to a server.
    pub(super) fn reached(&self, server: &Address) {
        if self.chosen_if_any().as_ref() == Some(server) {
            self.0.reached.send_modify(|times| *times += 1);
        }
    }

    /// Moves whenever a folder got through to the chosen server.
    pub(super) fn reaches(&self) -> watch::Receiver<u64> {
        self.0.reached.subscribe()
    }

    /// The server that the page works with.
    pub(super) fn chosen(&self) -> Result<Address, Fault> {
        self.chosen_if_any().ok_or_else(|| {
            Fault::new(
                Code::NoServer,
                "No server was chosen on this machine. Choose one first.",
            )
        })
    }

    pub(super) fn chosen_if_any(&self) -> Option<Address> {
        self.lock().chosen.clone()
    }

    /// Chooses the server that the page works with.
    pub(super) fn choose(&self, server: &Address) -> Result<(), CliError> {
        self.0.state.choose(server)?;
        let mut known = self.lock();
        (known.chosen, known.closed_until) = (Some(server.clone()), None);
        drop(known);
        self.tell();
        Ok(())
    }

    /// Who is signed in at a server, as it was last seen.
    pub(super) fn who(&self, server: &Address) -> Result<Option<SignIn>, CliError> {
        let who = self.0.state.sign_in(server)?;
        Ok(who.filter(|who| self.0.tokens.may_have(who.token_store, server)))
    }

    /// A client of nobody.
    pub(super) fn anyone(&self, server: &Address) -> Result<Client, CliError> {
        Client::new(server.as_str()).map_err(|error| CliError::at(server, error))
    }

    /// A client for a server, with the token of this device if somebody is signed in there.
    pub(super) async fn client(&self, server: &Address) -> Result<Client, Fault> {
        let known = self.lock().clients.get(server.as_str()).cloned();
        if let Some(client) = known.as_ref().filter(|client| client.token().is_some()) {
            return Ok(client.clone());
        }
        // Somebody may have signed in beside the app.
        let anyone = match known {
            Some(client) => client,
            None => self.anyone(server)?,
        };
        let client = match self.token(server).await? {
            Some(token) => anyone.with_token(token),
            None => anyone,
        };
        let mut known = self.lock();
        known
            .clients
            .insert(server.as_str().to_owned(), client.clone());
        Ok(client)
    }

    /// The token of this device; `None` when nobody is signed in.
    async fn token(&self, server: &Address) -> Result<Option<Secret>, Fault> {
        let Some(who) = self.0.state.sign_in(server)? else {
            return Ok(None);
        };
        let closed = self.lock().closed_until.clone();
        if let Some((until, reason)) = closed.filter(|_| who.token_store == TokenStore::Keychain)
            && Instant::now() < until
        {
            return Err(TokenError::NoKeychain(reason).into());
        }
        match self.0.tokens.find(who.token_store, server).await {
            Ok(token) => Ok(Some(token)),
            Err(TokenError::NoKeychain(reason)) => {
                let until = Instant::now() + KEYCHAIN_AGAIN;
                self.lock().closed_until = Some((until, reason.clone()));
                Err(TokenError::NoKeychain(reason).into())
            }
            Err(
                TokenError::NotInKeychain(_) | TokenError::NotInFile(_) | TokenError::MemoryEnds,
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody signed in; what ran with the token of before ends.
    pub(super) fn signed_in(&self, sign_in: &SignIn, client: Client) {
        let mut known = self.lock();
        known.chosen = Some(sign_in.server.clone());
        let before = known
            .clients
            .insert(sign_in.server.as_str().to_owned(), client);
        drop(known);
        if let Some(before) = before {
            before.cut();
        }
        self.tell();
    }

    /// What the server says of the account now.
    pub(super) fn seen(&self, server: &Address, account: Account) -> Result<(), CliError> {
        let Some(who) = self.0.state.sign_in(server)? else {
            return Ok(());
        };
        if who.account.as_ref() == Some(&account) {
            return Ok(());
        }
        self.0.state.note(&SignIn {
            name: account.name.clone(),
            email: account.email.clone(),
            account: Some(account),
            ..who
        })?;
        self.0.told.send(Told::Account).ok();
        Ok(())
    }

    /// The server no longer takes this client's token. What was worked on here stays; the server stays chosen.
    pub(super) async fn expired(&self, server: &Address, client: &Client) -> Result<(), Fault> {
        {
            let mut known = self.lock();
            let current = known.clients.get(server.as_str());
            let is_current = current.is_some_and(|current| current.token() == client.token());
            if client.token().is_none() || !is_current {
                return Ok(());
            }
            known.clients.remove(server.as_str());
        }
        // Somebody may have signed in anew beside the app.
        let again = self.token(server).await?;
        if again.is_some() && again.as_ref() != client.token() {
            self.tell();
            return Ok(());
        }
        self.forget(server).await
    }

    /// Forgets a sign-in; the server stays chosen.
    pub(super) async fn forget(&self, server: &Address) -> Result<(), Fault> {
        if let Some(who) = self.0.state.sign_in(server)? {
            // A token that is of no use need not be reached for.
            let forgotten = self.0.tokens.forget(who.token_store, server).await;
            self.0.state.forget(server)?;
            if self.chosen_if_any().as_ref() == Some(server) {
                self.0.state.choose(server)?;
            }
            if who.token_store != TokenStore::Keychain {
                forgotten?;
            }
        }
        if let Some(client) = self.lock().clients.remove(server.as_str()) {
            client.cut();
        }
        self.tell();
        Ok(())
    }

    /// Signs out where the token is in memory only: nobody could do so any more, and the device would stay in the list.
    pub(super) async fn leave(&self) {
        let clients: Vec<_> = self.lock().clients.drain().collect();
        for (server, client) in clients {
            let Ok(server) = Address::parse(&server) else {
                continue;
            };
            let who = self.0.state.sign_in(&server).ok().flatten();
            let in_memory = who.is_some_and(|who| who.token_store == TokenStore::Memory);
            if in_memory && client.token().is_some() {
                // The server may be away.
                drop(tokio::time::timeout(LEAVES_WITHIN, client.sign_out()).await);
                self.0.state.forget(&server).ok();
                if self.chosen_if_any().as_ref() == Some(&server) {
                    self.0.state.choose(&server).ok();
                }
            }
        }
    }

    /// Takes every connection for dead.
    pub(super) fn cut(&self) {
        for client in self.lock().clients.values() {
            client.cut();
        }
    }

    fn tell(&self) {
        self.0.moved.send_modify(|moved| *moved += 1);
        self.0.told.send(Told::Account).ok();
    }
}
