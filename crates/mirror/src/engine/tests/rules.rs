//! Rules that come from the hub let in nothing that was left out here.
use super::*;

/// A folder in step, in which something stays out.
async fn with_a_secret() -> Lab {
    let mut lab = Lab::asking().await;
    lab.list(1, &[(".slipwayignore", "secret/\n"), ("a.txt", "a")])
        .await;
    std::fs::create_dir(lab.file("secret")).unwrap();
    lab.write("secret/key", "mine alone");
    assert!(lab.flush_of(1).await.is_empty());
    lab
}

async fn rules_come(lab: &mut Lab, revision: u64, text: Option<&str>) {
    lab.hub(changes(vec![change(revision, ".slipwayignore", text)]))
        .await;
    lab.applied(revision).await;
}

#[tokio::test]
async fn what_was_left_out_stays_out_until_somebody_changes_the_rules_here() {
    let mut lab = with_a_secret().await;
    rules_come(&mut lab, 2, Some("!secret/\n")).await;
    assert_eq!(lab.notice().await, Notice::RulesHeld);
    assert!(lab.flush_of(2).await.is_empty());
    rules_come(&mut lab, 3, None).await;
    assert!(lab.flush_of(3).await.is_empty());
    lab.engine.stop().await;
    let mut lab = Lab::with(lab.folder, Brake::Ask).await;
    lab.hub(greeting("e", false)).await;
    assert!(lab.flush_of(3).await.is_empty(), "after a restart, too");
    lab.write(".slipwayignore", "# nothing\n");
    let mut told = lab.flush_of(4).await;
    told.sort();
    assert_eq!(told, [".slipwayignore", "secret", "secret/key"]);
}

#[tokio::test]
async fn rules_that_leave_out_more_count_at_once() {
    let mut lab = with_a_secret().await;
    rules_come(&mut lab, 2, Some("secret/\ndata/\n")).await;
    std::fs::create_dir(lab.file("data")).unwrap();
    lab.write("data/x", "x");
    lab.write("b.txt", "b");
    assert_eq!(lab.flush_of(3).await, ["b.txt"]);
    assert!(lab.notices.try_recv().is_err());
    // And what they left out stays out as well.
    rules_come(&mut lab, 4, Some("")).await;
    assert_eq!(lab.notice().await, Notice::RulesHeld);
    assert!(lab.flush_of(4).await.is_empty());
}

#[tokio::test]
async fn the_first_rules_of_a_folder_count_whatever_they_let_in() {
    let mut lab = Lab::asking().await;
    lab.list(
        1,
        &[(".slipwayignore", "!*.swp\n"), ("a.swp", "kept on purpose")],
    )
    .await;
    assert_eq!(lab.read("a.swp"), "kept on purpose");
}
