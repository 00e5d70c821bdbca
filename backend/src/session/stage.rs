//! The steps of a session's start and how long each took.
use slipway_api::session::{Stage, StageName};
use time::OffsetDateTime;

/// Steps in the order they began.
#[derive(Clone, Debug, Default)]
pub(super) struct Stages(Vec<Stage>);

impl Stages {
    /// The first step: the request is stored.
    pub(super) fn accepted(now: OffsetDateTime) -> Self {
        let mut stages = Self::default();
        stages.begin(StageName::Accepted, now);
        stages
    }

    /// Steps that were stored.
    pub(super) fn from_inner(stages: Vec<Stage>) -> Self {
        Self(stages)
    }

    /// The steps, to be stored or shown.
    pub(super) fn into_inner(self) -> Vec<Stage> {
        self.0
    }

    /// A step begins; one of the same name from an earlier attempt is replaced.
    pub(super) fn begin(&mut self, name: StageName, now: OffsetDateTime) {
        self.0.retain(|stage| stage.name != name);
        self.0.push(Stage {
            name,
            detail: None,
            started_at: now,
            ms: None,
        });
    }

    /// A step is done; nothing happens when it did not begin or is done already.
    pub(super) fn end(&mut self, name: StageName, now: OffsetDateTime) {
        if let Some(stage) = self.find(name)
            && stage.ms.is_none()
        {
            let took = (now - stage.started_at).whole_milliseconds();
            stage.ms = Some(u64::try_from(took).unwrap_or(0));
        }
    }

    /// More about a step that goes on.
    pub(super) fn detail(&mut self, name: StageName, detail: String) {
        if let Some(stage) = self.find(name) {
            stage.detail = Some(detail);
        }
    }

    fn find(&mut self, name: StageName) -> Option<&mut Stage> {
        self.0.iter_mut().find(|stage| stage.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    #[test]
    fn a_step_of_a_new_attempt_replaces_the_old_one_and_ends_once() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let mut stages = Stages::accepted(start);
        stages.begin(StageName::Place, start);
        stages.end(StageName::Place, start + Duration::milliseconds(5));
        stages.begin(StageName::Place, start + Duration::seconds(1));
        stages.end(StageName::Place, start + Duration::milliseconds(1_020));
        stages.end(StageName::Place, start + Duration::seconds(9));
        let found: Vec<_> = stages.into_inner().iter().map(|s| (s.name, s.ms)).collect();
        assert_eq!(
            found,
            [(StageName::Accepted, None), (StageName::Place, Some(20))]
        );
    }
}
