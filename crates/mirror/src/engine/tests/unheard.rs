//! A disk whose events are lost: only looks tell what is on it.
use slipway_core::path::RelPath;

use super::*;
use crate::engine::state::Surroundings;

/// The loop's state, which the test drives step by step.
struct Deaf {
    folder: TempDir,
    state: State,
    frames: mpsc::Receiver<v1::SpokeFrame>,
}

impl Deaf {
    /// In step with a hub that lists these.
    async fn listed(changes: Vec<v1::Change>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        let settings = Settings {
            root: folder.path().join("work"),
            state: folder.path().join("state"),
            name: "session".into(),
            fresh_id: "root-1".into(),
            brake: Brake::Tell,
            undo: false,
        };
        let (applied, notices) = (watch::channel(0).0, broadcast::channel(64).0);
        let state = State::with(settings, Surroundings::deaf(), applied, notices).unwrap();
        let (control, frames) = mpsc::channel(64);
        let bulk = mpsc::channel(64).0;
        let mut deaf = Self {
            folder,
            state,
            frames,
        };
        let id = LINK;
        deaf.tell(Input::Connected(Link { id, control, bulk }))
            .await;
        deaf.hub(greeting("e", true)).await;
        deaf.hub(listing(1, changes)).await;
        deaf
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    async fn tell(&mut self, input: Input) {
        self.state.take(input).await;
        self.state.act().await;
    }

    async fn hub(&mut self, frame: hub_frame::Frame) {
        let frame = v1::HubFrame { frame: Some(frame) };
        self.tell(Input::Hub(LINK, frame)).await;
    }

    /// Looks at a path; tells the batch that follows.
    async fn look(&mut self, path: &str) -> Option<v1::Propose> {
        self.state.mark(&[self.file(path)]);
        self.state.look();
        self.state.act().await;
        self.proposed()
    }

    /// Looks at everything, as a flush does, for which nothing waits for its turn.
    async fn look_at_everything(&mut self) -> Option<v1::Propose> {
        self.tell(Input::Flush(oneshot::channel().0)).await;
        self.proposed()
    }

    fn proposed(&mut self) -> Option<v1::Propose> {
        while let Ok(frame) = self.frames.try_recv() {
            if let Some(spoke_frame::Frame::Propose(propose)) = frame.frame {
                return Some(propose);
            }
        }
        None
    }

    /// The hub takes a whole batch.
    async fn accept(&mut self, propose: &v1::Propose, revision: u64) {
        let mut applied = v1::Outcome::default();
        applied.set_result(v1::outcome::Result::Applied);
        let result = v1::ProposeResult {
            batch: propose.batch,
            revision,
            outcomes: vec![applied; propose.operations.len()],
        };
        self.hub(hub_frame::Frame::Result(result)).await;
    }
}

fn paths(propose: &v1::Propose) -> Vec<&str> {
    let operations = propose.operations.iter();
    operations
        .map(|operation| operation.path.as_str())
        .collect()
}

fn deleted(propose: Option<v1::Propose>) -> Vec<String> {
    let operations = propose.into_iter().flat_map(|propose| propose.operations);
    let deleted = operations.filter(|operation| operation.node.is_none());
    deleted.map(|operation| operation.path).collect()
}

#[tokio::test]
async fn a_hub_that_does_not_listen_is_listened_to() {
    let mut deaf = Deaf::listed(Vec::new()).await;
    // More than there is room for to tell that they are on the disk.
    let told = async {
        for revision in 2..200 {
            let text = revision.to_string();
            let change = change(revision, "a.txt", Some(&text));
            deaf.hub(changes(vec![change])).await;
        }
    };
    let told = tokio::time::timeout(BOUND, told).await;
    told.expect("all of it is taken");
    while deaf.frames.try_recv().is_ok() {}
    // Heard by the loop itself, when its time comes.
    let at = deaf.state.wake_at().unwrap();
    deaf.state.wake(at);
    deaf.state.act().await;
    let last = deaf.frames.try_recv().unwrap().frame;
    let applied = v1::Applied { revision: 199 };
    assert_eq!(last, Some(spoke_frame::Frame::Applied(applied)));
}

#[tokio::test]
async fn a_file_is_seen_with_the_folders_that_no_event_told_of_and_missed_with_them() {
    let mut lab = Deaf::listed(Vec::new()).await;
    std::fs::create_dir_all(lab.file("d/e")).unwrap();
    std::fs::write(lab.file("d/e/z.txt"), "z").unwrap();
    let propose = lab.look("d/e/z.txt").await.unwrap();
    assert_eq!(paths(&propose), ["d", "d/e", "d/e/z.txt"]);
    lab.accept(&propose, 2).await;
    std::fs::remove_dir_all(lab.file("d")).unwrap();
    let proposed = lab.look_at_everything().await;
    assert_eq!(deleted(proposed), ["d/e/z.txt", "d/e", "d"]);
}

#[tokio::test]
async fn what_went_with_a_folder_that_the_hub_deleted_too_is_seen_to_have_gone() {
    let mut lab = Deaf::listed(vec![hub::folder(1, "d")]).await;
    std::fs::write(lab.file("d/x.txt"), "x").unwrap();
    let propose = lab.look("d/x.txt").await.unwrap();
    std::fs::remove_dir_all(lab.file("d")).unwrap();
    lab.hub(changes(vec![change(2, "d", None)])).await;
    // The hub took the file in a folder of its own.
    lab.accept(&propose, 3).await;
    lab.hub(changes(vec![
        hub::folder(3, "d"),
        change(3, "d/x.txt", Some("x")),
    ]))
    .await;
    assert!(!lab.file("d/x.txt").exists());
    // By the next look, which is none at everything.
    lab.state.look();
    let waiting: Vec<_> = lab.state.to_propose.iter().map(RelPath::as_str).collect();
    assert_eq!(waiting, ["d", "d/x.txt"]);
}

#[tokio::test]
async fn a_folder_that_a_batch_deleted_and_made_again_for_a_file_in_it_is_known() {
    let mut lab = Deaf::listed(vec![change(1, "d", Some("a file"))]).await;
    std::fs::remove_file(lab.file("d")).unwrap();
    lab.state.mark(&[lab.file("d")]);
    lab.state.look();
    std::fs::create_dir(lab.file("d")).unwrap();
    std::fs::write(lab.file("d/z.txt"), "z").unwrap();
    let propose = lab.look("d/z.txt").await.unwrap();
    assert_eq!(paths(&propose), ["d", "d", "d/z.txt"], "deleted and made");
    lab.accept(&propose, 2).await;
    let first = |change| v1::Change {
        last_of_revision: false,
        ..change
    };
    lab.hub(changes(vec![
        first(change(2, "d", None)),
        first(hub::folder(2, "d")),
        change(2, "d/z.txt", Some("z")),
    ]))
    .await;
    std::fs::remove_dir_all(lab.file("d")).unwrap();
    assert_eq!(deleted(lab.look_at_everything().await), ["d/z.txt", "d"]);
}

#[tokio::test]
async fn a_flush_waits_for_the_file_that_a_folder_made_way_for() {
    let mut lab = Deaf::listed(vec![hub::folder(1, "d")]).await;
    std::fs::remove_dir(lab.file("d")).unwrap();
    std::fs::write(lab.file("d"), "first").unwrap();
    let (answer, mut flushed) = oneshot::channel();
    lab.state.take(Input::Flush(answer)).await;
    // Written again before it is sent: only the folder's end can be told of.
    std::fs::write(lab.file("d"), "first and second").unwrap();
    lab.state.act().await;
    let propose = lab.proposed().unwrap();
    assert_eq!(deleted(Some(propose.clone())), ["d"]);
    lab.accept(&propose, 2).await;
    assert!(flushed.try_recv().is_err());
    let propose = lab.look_at_everything().await.unwrap();
    lab.accept(&propose, 3).await;
    assert_eq!(flushed.try_recv(), Ok(3));
}
