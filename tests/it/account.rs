//! Accounts: who is administrator, what a wrong password says, and what signing out ends.
use reqwest::Method;
use slipway_api::account::{ChangePassword, Register, SignIn, Users};
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::UserId;
use slipway_core::secret::Secret;

use crate::lab::{Lab, code};

mod cookie;
mod guess;
mod removal;

fn register(email: &str, password: &str) -> Register {
    Register {
        name: "Mo".into(),
        email: email.into(),
        password: Secret::new(password),
        device: None,
    }
}

fn sign_in(email: &str, password: &str) -> SignIn {
    SignIn {
        email: email.into(),
        password: Secret::new(password),
        device: None,
    }
}

#[tokio::test]
async fn the_first_account_is_administrator_and_only_that_one_sees_the_users() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    assert!(ana.account().await.unwrap().administrator);
    assert!(!bo.account().await.unwrap().administrator);
    assert_eq!(
        ana.get::<Users>("/admin/users").await.unwrap().users.len(),
        2
    );
    assert_eq!(code(bo.get::<Users>("/admin/users").await), Code::Forbidden);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer() {
    let lab = Lab::start().await;
    let nobody = Client::new(lab.base()).unwrap();
    nobody
        .register(&register("mo@example.org", "quiet tide at seven bells"))
        .await
        .unwrap();
    let unknown = code(
        nobody
            .sign_in(&sign_in("no@example.org", "whatever it is"))
            .await,
    );
    let wrong = code(
        nobody
            .sign_in(&sign_in("mo@example.org", "whatever it is"))
            .await,
    );
    assert_eq!(
        (unknown, wrong),
        (Code::WrongCredentials, Code::WrongCredentials)
    );
    let taken = nobody
        .register(&register("MO@example.org", "another long password"))
        .await;
    assert_eq!(code(taken), Code::EmailTaken);
    let weak = nobody
        .register(&register("bo@example.org", "password"))
        .await;
    assert_eq!(code(weak), Code::WeakPassword);
}

#[tokio::test]
async fn a_new_password_signs_the_other_devices_out() {
    let lab = Lab::start().await;
    let nobody = Client::new(lab.base()).unwrap();
    let (old, new) = ("quiet tide at seven bells", "loud tide at eight bells");
    let (first, _) = nobody
        .register(&register("mo@example.org", old))
        .await
        .unwrap();
    let (second, _) = nobody
        .sign_in(&sign_in("mo@example.org", old))
        .await
        .unwrap();
    assert_eq!(first.devices().await.unwrap().len(), 2);
    let change = ChangePassword {
        current: Secret::new(old),
        new: Secret::new(new),
    };
    first
        .tell(Method::PUT, "/account/password", &change)
        .await
        .unwrap();
    assert_eq!(code(second.account().await), Code::SignInExpired);
    assert_eq!(first.devices().await.unwrap().len(), 1);
    assert_eq!(
        code(nobody.sign_in(&sign_in("mo@example.org", old)).await),
        Code::WrongCredentials
    );
    nobody
        .sign_in(&sign_in("mo@example.org", new))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let me = ana.account().await.unwrap().id;
    let other = bo.account().await.unwrap().id;
    let set = async |client: &Client, user: UserId, change: serde_json::Value| {
        let path = format!("/admin/users/{user}");
        client.tell(Method::PATCH, &path, &change).await
    };
    let delete = serde_json::json!({ "password": "quiet tide at seven bells" });
    for change in [
        serde_json::json!({ "administrator": false }),
        serde_json::json!({ "disabled": true }),
    ] {
        assert_eq!(code(set(&ana, me, change).await), Code::Forbidden);
    }
    let refused = ana.tell(Method::DELETE, "/account", &delete).await;
    assert_eq!(code(refused), Code::Forbidden);
    // With a second one the first may go; of two who remove each other at once one stays.
    set(&ana, other, serde_json::json!({ "administrator": true }))
        .await
        .unwrap();
    let down = || serde_json::json!({ "administrator": false });
    let (one, two) = tokio::join!(set(&ana, other, down()), set(&bo, me, down()));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let left = if one.is_ok() { &ana } else { &bo };
    let users = left.get::<Users>("/admin/users").await.unwrap().users;
    assert_eq!(users.iter().filter(|user| user.administrator).count(), 1);
}
