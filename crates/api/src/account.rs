//! Accounts, devices and the administrator's list of users.

use serde::{Deserialize, Serialize};
use slipway_core::{
    id::{DeviceId, UserId},
    secret::Secret,
};
use time::OffsetDateTime;
use ts_rs::TS;
use utoipa::ToSchema;

/// An account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Account {
    /// Id.
    pub id: UserId,
    /// Name shown to others.
    pub name: String,
    /// E-mail address; used to sign in.
    pub email: String,
    /// Whether it may administer the server.
    pub administrator: bool,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub created_at: OffsetDateTime,
}

/// Makes an account and signs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Name shown to others.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// At least 8 characters.
    pub password: Secret,
    /// Name of this device, for the list of devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub device: Option<String>,
}

/// Signs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: Secret,
    /// Name of this device, for the list of devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub device: Option<String>,
}

/// Signed in. Browsers get the token as cookie only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// This device.
    pub device: DeviceId,
    /// Bearer token; only for clients that sent `X-Slipway-Client: native`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<Secret>,
}

/// Changes to one's own account; absent fields stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct UpdateAccount {
    /// Name shown to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
}

/// Changes the password and signs out all other devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password now.
    pub current: Secret,
    /// The new password.
    pub new: Secret,
}

/// Deletes one's own account with all workspaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccount {
    /// The password, to be sure.
    pub password: Secret,
}

/// A signed-in device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Device {
    /// Id.
    pub id: DeviceId,
    /// Name.
    pub name: String,
    /// The program that signed in, as it named itself.
    pub user_agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Sign-in.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub created_at: OffsetDateTime,
    /// Last use, to the minute.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub last_used_at: OffsetDateTime,
    /// When it will be signed out.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub expires_at: OffsetDateTime,
}

/// An account as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Whether it may administer the server.
    pub administrator: bool,
    /// Whether it may sign in.
    pub disabled: bool,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub created_at: OffsetDateTime,
    /// Its workspaces.
    #[ts(type = "number")]
    pub workspaces: u64,
}

/// One page of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Users {
    /// Rows.
    pub users: Vec<User>,
    /// Asks for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next: Option<String>,
}

/// Changes to a user by an administrator; absent fields stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// Whether it may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub disabled: Option<bool>,
    /// Whether it may administer the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub administrator: Option<bool>,
}

/// A one-time password set by an administrator; every device of the user is signed out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// To be given to the person.
    pub password: Secret,
}
