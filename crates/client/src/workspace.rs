//! Typed calls: workspaces.
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use reqwest::Method;
use slipway_api::workspace::{CreateWorkspace, DeleteWorkspace, Template, Workspace, Workspaces};
use slipway_core::id::WorkspaceId;

use crate::error::ClientError;
use crate::rest::{Client, escape_path};

impl Client {
    /// Our active workspaces, the last changed first.
    ///
    /// # Errors
    /// As [`Client::send`]; so for every call below.
    pub async fn workspaces(&self) -> Result<Workspaces, ClientError> {
        self.get("/workspaces").await
    }

    /// One workspace.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn workspace(&self, workspace: WorkspaceId) -> Result<Workspace, ClientError> {
        self.get(&format!("/workspaces/{workspace}")).await
    }

    /// Makes a workspace from a template.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn create_workspace(
        &self,
        name: &str,
        template: Template,
    ) -> Result<Workspace, ClientError> {
        self.call(
            Method::POST,
            "/workspaces",
            &CreateWorkspace {
                name: name.to_owned(),
                template,
            },
        )
        .await
    }

    /// The same, done once: asked again with the same key, the answer is the first one's.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn create_workspace_once(
        &self,
        key: &str,
        name: &str,
        template: Template,
    ) -> Result<Workspace, ClientError> {
        let name = name.to_owned();
        let request = self.request(Method::POST, "/workspaces");
        let request = request.header("idempotency-key", key);
        let made = self.send(request.json(&CreateWorkspace { name, template }));
        Ok(made.await?.json().await?)
    }

    /// Makes a workspace from a zip file.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn import_workspace(&self, name: &str, zip: Bytes) -> Result<Workspace, ClientError> {
        let path = format!(
            "/workspaces/import?name={}",
            escape_path(name).replace('/', "%2F")
        );
        let request = self
            .request(Method::POST, &path)
            .header("content-type", "application/zip")
            .body(zip);
        Ok(self.send(request).await?.json().await?)
    }

    /// The workspace as zip file.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn export_workspace(&self, workspace: WorkspaceId) -> Result<Bytes, ClientError> {
        self.bytes(&format!("/workspaces/{workspace}/export")).await
    }

    /// The workspace as zip file, piece by piece as it is made.
    ///
    /// # Errors
    /// As [`Client::send`]; each piece when the connection breaks.
    pub async fn export_stream(
        &self,
        workspace: WorkspaceId,
    ) -> Result<impl Stream<Item = Result<Bytes, ClientError>> + Unpin + use<>, ClientError> {
        self.get_stream(&format!("/workspaces/{workspace}/export"))
            .await
    }

    /// What is answered at a path, piece by piece.
    ///
    /// # Errors
    /// As [`Client::send`]; each piece when the connection breaks.
    pub async fn get_stream(
        &self,
        path: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, ClientError>> + Unpin + use<>, ClientError> {
        let answer = self.send(self.request(Method::GET, path)).await?;
        Ok(Box::pin(answer.bytes_stream().map_err(ClientError::from)))
    }

    /// Puts a workspace in the trash.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn delete_workspace(
        &self,
        workspace: WorkspaceId,
        name: &str,
    ) -> Result<(), ClientError> {
        self.tell(
            Method::DELETE,
            &format!("/workspaces/{workspace}"),
            &DeleteWorkspace {
                name: name.to_owned(),
            },
        )
        .await
    }
}
