//! What a large folder costs: I22.
use super::*;

/// Files of one folder.
const EACH: usize = 50;

/// Calls to the system from the event of an edit to the batch that tells of it, among so many files.
async fn calls_of_an_edit(files: usize) -> u64 {
    let (mut replica, _shared) = replica_on(Make::default()).await;
    replica.state.as_mut().unwrap().new_at_once = usize::MAX;
    {
        let mut inner = replica.volume.inner();
        for number in 0..files {
            let folder = format!("/folder/{}", number / EACH);
            inner.make_all(&folder).unwrap();
            let text = format!("text {number}\n");
            let written = inner.write(&format!("{folder}/{number}.txt"), text.as_bytes());
            written.unwrap();
        }
        inner.make_all("/folder").unwrap();
        inner.write("/folder/a.txt", b"one\n").unwrap();
    }
    replica.hear_all();
    let mut revision = 0;
    loop {
        passes(&mut replica, 2_000).await;
        let state = replica.state.as_ref().unwrap();
        if state.proposals.outstanding.is_some() {
            revision += 1;
            answered(&mut replica, revision).await;
        } else if state.trees.local.len() > files {
            break;
        }
    }
    let state = replica.state.as_ref().unwrap();
    assert_eq!(state.trees.local, state.trees.base, "all were told");
    replica
        .volume
        .inner()
        .write("/folder/a.txt", b"two\n")
        .unwrap();
    let before = replica.volume.inner().calls;
    replica.hear_all();
    replica.turn(None).await;
    tokio::time::advance(Duration::from_millis(20)).await;
    replica.turn(None).await;
    let state = replica.state.as_ref().unwrap();
    assert!(state.proposals.outstanding.is_some(), "it is on its way");
    replica.volume.inner().calls - before
}

#[tokio::test(start_paused = true)]
async fn an_edit_costs_no_more_in_a_large_folder() {
    let (few, many) = (calls_of_an_edit(10).await, calls_of_an_edit(2_000).await);
    assert_eq!(few, many, "only what changed is looked at");
}

#[test]
fn an_entry_of_the_trees_is_small() {
    let entry = size_of::<RelPath>() + size_of::<Node>();
    assert!(3 * entry <= 200, "{entry} bytes in each of three trees");
}
