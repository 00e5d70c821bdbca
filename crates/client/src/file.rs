//! Typed calls: files of a workspace.
use bytes::Bytes;
use reqwest::Method;
use slipway_api::file::{Changes, Commit, Committed, History, Restore, Tree, Written};
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;

use crate::error::ClientError;
use crate::rest::{Client, escape_path};

impl Client {
    /// Everything in the workspace now.
    ///
    /// # Errors
    /// As [`Client::send`]; so for every call below.
    pub async fn tree(&self, workspace: WorkspaceId) -> Result<Tree, ClientError> {
        self.get(&format!("/workspaces/{workspace}/tree")).await
    }

    /// The journal after a revision.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn changes(
        &self,
        workspace: WorkspaceId,
        after: u64,
    ) -> Result<Changes, ClientError> {
        self.get(&format!("/workspaces/{workspace}/changes?after={after}"))
            .await
    }

    /// A file's content.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn read_file(
        &self,
        workspace: WorkspaceId,
        path: &str,
    ) -> Result<Bytes, ClientError> {
        self.bytes(&format!(
            "/workspaces/{workspace}/files/{}",
            escape_path(path)
        ))
        .await
    }

    /// Writes a file over the content `base`, or makes it when `base` is `None`.
    ///
    /// # Errors
    /// As [`Client::send`]; `stale` when something else stands there.
    pub async fn write_file(
        &self,
        workspace: WorkspaceId,
        path: &str,
        base: Option<&ContentHash>,
        content: Bytes,
    ) -> Result<Written, ClientError> {
        let request = self
            .request(
                Method::PUT,
                &format!("/workspaces/{workspace}/files/{}", escape_path(path)),
            )
            .body(content);
        let request = match base {
            Some(hash) => request.header("if-match", format!("\"{hash}\"")),
            None => request.header("if-none-match", "*"),
        };
        Ok(self.send(request).await?.json().await?)
    }

    /// Commits several operations.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn commit(
        &self,
        workspace: WorkspaceId,
        commit: &Commit,
    ) -> Result<Committed, ClientError> {
        self.call(
            Method::POST,
            &format!("/workspaces/{workspace}/commits"),
            commit,
        )
        .await
    }

    /// Versions of a path, newest first.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn history(
        &self,
        workspace: WorkspaceId,
        path: &str,
    ) -> Result<History, ClientError> {
        self.get(&format!(
            "/workspaces/{workspace}/history?path={}",
            escape_path(path)
        ))
        .await
    }

    /// Brings back a path or the whole workspace as it was.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn restore(
        &self,
        workspace: WorkspaceId,
        restore: &Restore,
    ) -> Result<Committed, ClientError> {
        self.call(
            Method::POST,
            &format!("/workspaces/{workspace}/restores"),
            restore,
        )
        .await
    }
}
