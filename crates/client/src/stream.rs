//! Terminals and events by gRPC, on the connection for interaction: for a program that hands frames on as they are.
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use slipway_core::id::WorkspaceId;
use slipway_proto::agent::AgentHandle;
use slipway_proto::relay::Attachment;
use slipway_proto::v1;
use slipway_proto::v1::events_client::EventsClient;

use crate::error::ClientError;
use crate::line::Purpose;
use crate::rest::Client;

impl Client {
    /// Attaches to a terminal of the session that the hello names. What comes back are encoded `TerminalServer` messages.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub async fn attach(
        &self,
        attachment: Attachment,
    ) -> Result<BoxStream<'static, Result<Bytes, ClientError>>, ClientError> {
        let over = self.over();
        let token = self.token().cloned().unwrap_or_default();
        // The server serves this call as an agent does.
        let server = AgentHandle::new(self.channel(Purpose::Interaction)?, token);
        let frames = attachment.open(&server).await?;
        let frames = frames.map(|frame| frame.map_err(ClientError::from));
        Ok(frames.take_until(over.cancelled_owned()).boxed())
    }

    /// What moves in a workspace, or without one in the account's list; first what stands now.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub async fn subscribe(
        &self,
        workspace: Option<WorkspaceId>,
    ) -> Result<BoxStream<'static, Result<v1::Event, ClientError>>, ClientError> {
        let over = self.over();
        let wanted = v1::SubscribeEvents {
            workspace_id: workspace.map(|id| id.to_string()).unwrap_or_default(),
        };
        let mut events = EventsClient::new(self.channel(Purpose::Interaction)?);
        let events = events.subscribe(self.signed(wanted)?).await?.into_inner();
        let events = events.map(|event| event.map_err(ClientError::from));
        Ok(events.take_until(over.cancelled_owned()).boxed())
    }
}
