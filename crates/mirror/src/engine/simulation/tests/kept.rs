//! When bytes are on the disk for good: I1 after a loss of power.
use super::*;

#[tokio::test(start_paused = true)]
async fn bytes_are_owed_after_a_loss_of_power_when_their_name_there_is_none_that_a_start_clears() {
    for is_renamed in [false, true] {
        let (replica, shared) = replica_on(Make::default()).await;
        let text = shared.lock().version(None);
        {
            let mut inner = replica.volume.inner();
            inner.write("/state/n-1", text.as_bytes()).unwrap();
            inner.write_back();
            inner.rename("/state/n-1", "/folder/a.txt").unwrap();
        }
        let volume = replica.volume.reborn();
        let folder = volume.folder("/folder".as_ref()).unwrap();
        let file = volume.open(&folder, "a.txt".as_ref(), For::Reading);
        volume.make_durable(&file.unwrap()).unwrap();
        if is_renamed {
            volume.make_durable(&folder).unwrap();
        }
        let mut oracle = shared.lock();
        oracle.excuse(0, &BTreeSet::new());
        assert_eq!(oracle.owed.is_empty(), !is_renamed);
    }
}
