//! What was done by whom: one row per act, written in the transaction of the act. The closed list of acts stands here.
use slipway_core::id::{Id as _, UserId};
use sqlx::PgConnection;

use crate::clock::Clock;

macro_rules! actions {
    ($($variant:ident = $text:literal,)+) => {
        /// An act that leaves an audit row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the text beside each name says it")]
        pub enum Action { $($variant,)+ }

        impl Action {
            /// Every act.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The act as it stands in the table.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

actions! {
    AccountRegister = "account.register",
    AccountSignIn = "account.sign_in",
    AccountSignOut = "account.sign_out",
    AccountUpdate = "account.update",
    AccountPassword = "account.password",
    AccountDelete = "account.delete",
    DeviceRevoke = "device.revoke",
    UserUpdate = "user.update",
    UserReset = "user.reset",
    ServerUpdate = "server.update",
    WorkspaceCreate = "workspace.create",
    WorkspaceUpdate = "workspace.update",
    WorkspaceDelete = "workspace.delete",
    WorkspaceRecover = "workspace.recover",
    WorkspacePurge = "workspace.purge",
    WorkspaceDuplicate = "workspace.duplicate",
    WorkspaceImport = "workspace.import",
    FilesWrite = "files.write",
    FilesRestore = "files.restore",
    SessionStart = "session.start",
    SessionStop = "session.stop",
    SessionKeep = "session.keep",
    TerminalOpen = "terminal.open",
    TerminalClose = "terminal.close",
    RunStart = "run.start",
    RunStop = "run.stop",
}

/// Writes the row of an act.
///
/// # Errors
/// When the database does not answer.
pub async fn record(
    db: &mut PgConnection,
    clock: &Clock,
    user: Option<UserId>,
    action: Action,
    subject: &str,
    detail: serde_json::Value,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into audit_events (at, user_id, action, subject, detail) values ($1, $2, $3, $4, $5)",
        clock.now(),
        user.map(|user| user.uuid()),
        action.as_str(),
        subject,
        detail,
    )
    .execute(db)
    .await?;
    Ok(())
}
