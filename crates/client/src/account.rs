//! Typed calls: the server, accounts and devices.
use reqwest::Method;
use slipway_api::account::{Account, Device, Register, SignIn, SignedIn};
use slipway_api::server::ServerInfo;

use crate::error::ClientError;
use crate::rest::Client;

impl Client {
    /// What anyone may know.
    ///
    /// # Errors
    /// As [`Client::send`]; so for every call below.
    pub async fn server(&self) -> Result<ServerInfo, ClientError> {
        self.get("/server").await
    }

    /// Makes an account; the client that comes back is signed in.
    ///
    /// # Errors
    /// When the server refuses, or gives no token.
    pub async fn register(&self, register: &Register) -> Result<(Self, Account), ClientError> {
        self.signed_in(self.call(Method::POST, "/accounts", register).await?)
    }

    /// Signs in; the client that comes back is signed in.
    ///
    /// # Errors
    /// When the server refuses, or gives no token.
    pub async fn sign_in(&self, sign_in: &SignIn) -> Result<(Self, Account), ClientError> {
        self.signed_in(self.call(Method::POST, "/sign-in", sign_in).await?)
    }

    /// Signs this device out.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        self.send(self.request(Method::POST, "/sign-out"))
            .await
            .map(drop)
    }

    /// Our own account.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn account(&self) -> Result<Account, ClientError> {
        self.get("/account").await
    }

    /// Our devices.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn devices(&self) -> Result<Vec<Device>, ClientError> {
        self.get("/account/devices").await
    }

    fn signed_in(&self, answer: SignedIn) -> Result<(Self, Account), ClientError> {
        let token = answer
            .token
            .ok_or_else(|| ClientError::Protocol("a sign-in without token".to_owned()))?;
        Ok((self.with_token(token), answer.account))
    }
}
