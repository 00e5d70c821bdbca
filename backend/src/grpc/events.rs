//! Events: hints that something moved.
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use slipway_core::id::WorkspaceId;
use slipway_proto::v1::{self, events_server};
use tonic::{Request, Response, Result};

use super::{bounded, signed_in};
use crate::error::Error;
use crate::event::subscription;
use crate::state::App;

pub(super) struct Events(pub(super) App);

#[tonic::async_trait]
impl events_server::Events for Events {
    type SubscribeStream = BoxStream<'static, Result<v1::Event>>;

    async fn subscribe(
        &self,
        request: Request<v1::SubscribeEvents>,
    ) -> Result<Response<Self::SubscribeStream>> {
        let user = signed_in(&self.0, request.metadata()).await?;
        let workspace = match request.get_ref().workspace_id.as_str() {
            "" => None,
            id => Some(
                id.parse::<WorkspaceId>()
                    .map_err(|_| Error::not_found("workspace"))?,
            ),
        };
        let events = subscription::open(&self.0, user, workspace).await?;
        Ok(Response::new(bounded(&self.0, user, events.map(Ok))))
    }
}
