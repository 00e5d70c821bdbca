//! What a workspace is called where its folder is shown: as at the server, whoever renames it, and the folder stays.
use std::path::Path;

use serde_json::{Value, json};
use slipway_api::desktop::Told;
use slipway_api::workspace::Template;

use super::seat::Seat;
use super::signed_in;

/// The workspace of this machine, once it is called so.
async fn called(seat: &mut Seat, id: &str, name: &str) -> Value {
    loop {
        let all = seat.ask("GET", "/desktop/workspaces").await.done();
        let all = all["workspaces"].as_array().expect("a list").clone();
        let one = all.into_iter().find(|one| one["id"] == id);
        let one = one.expect("it is listed");
        if one["name"] == name {
            return one;
        }
        seat.until_told(|told| matches!(told, Told::Workspaces))
            .await;
    }
}

#[tokio::test]
async fn a_workspace_is_called_as_at_the_server_whoever_renames_it_and_its_folder_stays() {
    let (_lab, ana, mut seat) = signed_in().await;
    let made = ana.create_workspace("tides", Template::Empty).await;
    let made = made.unwrap();
    let clone = json!({ "workspace": made.id });
    let cloned = seat.say("POST", "/desktop/clone", clone).await.done();
    let id = cloned["id"].as_str().unwrap().to_owned();
    let folder = cloned["folder"].as_str().unwrap().to_owned();
    assert_eq!(folder, seat.path("tides").display().to_string());
    assert_eq!(cloned["short"], "~/home/tides");
    let rename = async |name: &str| {
        let path = format!("/workspaces/{}", made.id);
        let request = ana.request(reqwest::Method::PATCH, &path);
        let renamed = ana.send(request.json(&json!({ "name": name })));
        renamed.await.unwrap();
    };
    // At the server.
    rename("moon").await;
    let one = called(&mut seat, &id, "moon").await;
    assert_eq!(one["folder"], folder);
    // The command line beside the app says the same.
    let (_, told, _) = seat.command(&["status"]).await;
    assert_eq!(told[0]["folder"]["name"], "moon");
    // In the window.
    let path = format!("/workspaces/{id}");
    let renamed = seat.say("PATCH", &path, json!({ "name": "sea" })).await;
    assert_eq!(renamed.done()["name"], "sea");
    called(&mut seat, &id, "sea").await;
    // What is noted of it otherwise takes nothing of that back.
    let opened = json!({ "folder": folder });
    let opened = seat.say("POST", "/desktop/open", opened).await.done();
    assert_eq!(
        (&opened["id"], &opened["name"]),
        (&json!(id), &json!("sea"))
    );
    // While the app was closed.
    seat.gateway.stop().await;
    rename("sun").await;
    seat.again().await;
    let one = called(&mut seat, &id, "sun").await;
    assert_eq!(one["folder"], folder);
    assert!(Path::new(&folder).is_dir());
}
