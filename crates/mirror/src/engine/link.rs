//! The connection to a hub: how it begins and ends.
use slipway_proto::v1;
use slipway_proto::v1::spoke_frame::Frame;

use super::state::State;
use super::{Link, LinkId};
use crate::planted::{self, Bug};

impl State {
    pub(super) fn is_current(&self, id: LinkId) -> bool {
        self.link.as_ref().is_some_and(|link| link.id == id)
    }

    pub(super) async fn connected(&mut self, link: Link) {
        self.disconnected();
        let outgoing = self
            .beside
            .sender(self.disk.root(), &link.bulk, &self.parts);
        self.contents.connect(outgoing);
        self.link = Some(link);
        self.troubles.offer_again();
        self.send(Frame::Hello(self.hub.hello())).await;
    }

    pub(super) fn disconnected(&mut self) {
        self.hub.behind = !self.shows_all();
        self.link = None;
        if planted::is(Bug::LostAnswer)
            && let Some(batch) = self.proposals.outstanding.clone()
        {
            for (path, node) in batch.brought() {
                self.agree(&path, Some(node));
            }
        }
        self.hub.hung_up();
        self.proposals.hung_up();
        self.reports.hung_up();
        self.contents.disconnect(&mut self.disk);
    }

    pub(super) async fn send(&mut self, frame: Frame) {
        if let Some(link) = &self.link
            && link
                .control
                .send(v1::SpokeFrame { frame: Some(frame) })
                .await
                .is_err()
        {
            self.disconnected();
        }
    }
}
