//! Typed calls: the server, accounts and devices.
use std::time::Duration;

use reqwest::Method;
use slipway_api::account::{Account, Device, Register, SignIn, SignedIn};
use slipway_api::server::ServerInfo;

use crate::error::ClientError;
use crate::rest::Client;

/// Whoever answers at all says who it is within this time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

impl Client {
    /// What anyone may know.
    ///
    /// # Errors
    /// As [`Client::send`]; so for every call below.
    pub async fn server(&self) -> Result<ServerInfo, ClientError> {
        self.get("/server").await
    }

    /// Why a stream was not opened. What is no Slipway server breaks one in many ways, and tells itself by an answer.
    pub async fn why_not(&self, error: ClientError) -> ClientError {
        let is_told = error.code().is_some() || matches!(error, ClientError::Protocol(_));
        if is_told {
            return error;
        }
        match tokio::time::timeout(ANSWERS_WITHIN, self.answered_by_another()).await {
            Ok(Some(other)) => other,
            Ok(None) | Err(_) => error,
        }
    }

    /// What an answer lacks that is none of a Slipway server.
    async fn answered_by_another(&self) -> Option<ClientError> {
        let answer = self.request(Method::GET, "/server").send().await.ok()?;
        // Whatever stands in front of a server that is away says so in its own words.
        if answer.status().is_server_error() {
            return None;
        }
        let info = async { Ok(Self::checked(answer).await?.json::<ServerInfo>().await?) };
        info.await
            .err()
            .filter(|error| matches!(error, ClientError::Protocol(_)))
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// A client of something that gives every question the same answer.
    async fn of(status: &'static str, body: &'static str) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = BufReader::new(&mut stream).lines();
                while head
                    .next_line()
                    .await
                    .is_ok_and(|line| line.is_some_and(|line| !line.is_empty()))
                {}
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).await.ok();
            }
        });
        Client::new(address).unwrap()
    }

    #[tokio::test]
    async fn what_breaks_a_stream_and_is_no_server_is_told_from_a_server_that_is_away() {
        let info = r#"{"version": "9.9.9", "protocol": 1, "registration_open": true,
            "first_account": false, "can_run": true}"#;
        let page = "<html>sign in to the hotel</html>";
        for (status, body, is_other) in [
            ("200 OK", page, true),
            ("404 Not Found", page, true),
            ("200 OK", info, false),
            ("502 Bad Gateway", page, false),
        ] {
            let client = of(status, body).await;
            let why = client.why_not(ClientError::Gone).await;
            let is_found = matches!(why, ClientError::Protocol(_));
            assert_eq!(is_found, is_other, "{status} {body}: {why:?}");
        }
        // Nobody listens at port 0.
        let nobody = Client::new("http://127.0.0.1:0").unwrap();
        let why = nobody.why_not(ClientError::Gone).await;
        assert!(matches!(why, ClientError::Gone), "{why:?}");
    }
}
