//! Which copies there may be where one alone writes: I12.
use super::super::world::World;
use super::*;

impl World {
    /// Whether one more copy at the hub is one too many.
    fn has_too_many_with(&mut self, copy: &str) -> bool {
        let path = RelPath::parse(copy).unwrap();
        let made = self
            .hub
            .revision(|hub| hub.change(&path, Some(Node::Folder)));
        made.unwrap();
        self.check_copies();
        self.wrong
            .take()
            .is_some_and(|wrong| wrong.invariant == "I12")
    }
}

/// A world of one, in which something was opened and written late; whether another file had its name by then.
async fn written_late(is_displaced: bool) -> World {
    let mut world = World::new(Tape::new(Vec::new()), false).await;
    world.solo = Some(0);
    {
        let mut inner = world.replicas[0].volume.inner();
        let mut oracle = world.shared.lock();
        inner.write("/folder/a.txt", b"a text\n").unwrap();
        oracle.open(0, &inner, "/folder/a.txt").unwrap();
        if is_displaced {
            inner.rename("/folder/a.txt", "/state/t-1").unwrap();
        }
        oracle.write_late(0, &mut inner).unwrap();
    }
    world
}

#[tokio::test(start_paused = true)]
async fn what_was_written_late_to_a_file_that_made_way_may_have_a_copy_and_nothing_else() {
    let (one, two) = (
        "a (conflict replica 0 3fa9c1).txt",
        "b (conflict replica 0 3fa9c1).txt",
    );
    let mut world = written_late(true).await;
    assert!(!world.has_too_many_with(one));
    assert!(world.has_too_many_with(two));
    let mut world = written_late(false).await;
    assert!(world.has_too_many_with(one));
}
