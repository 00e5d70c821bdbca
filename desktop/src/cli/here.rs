//! `Here`: where a command runs: this machine's state, the server that is meant, and who is signed in there.
use slipway_api::workspace::Workspace;
use slipway_client::error::ClientError;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;

use crate::config::Config;
use crate::error::CliError;
use crate::folder::Folders;
use crate::output::Output;
use crate::server::Address;
use crate::state::{SignIn, State};

/// Characters of an id that may stand for it: fewer hit by chance.
const ID_CHARS_MIN: usize = 8;

/// Where a command runs.
pub(super) struct Here {
    pub(super) config: Config,
    pub(super) state: State,
    pub(super) output: Output,
    /// The server that was named.
    pub(super) server: Option<Address>,
}

/// A server at which this device is signed in.
pub(super) struct SignedIn {
    pub(super) client: Client,
    pub(super) server: Address,
    pub(super) who: SignIn,
    folders: Folders,
}

impl Here {
    pub(super) fn new(
        config: Config,
        output: Output,
        server: Option<&str>,
    ) -> Result<Self, CliError> {
        Ok(Self {
            state: State::open(&config.state)?,
            config,
            output,
            server: server.map(Address::parse).transpose()?,
        })
    }

    /// The folders that are kept in step.
    pub(super) fn folders(&self) -> Folders {
        self.state.folders()
    }

    /// The server that was named, or the one chosen last.
    pub(super) fn server(&self) -> Result<Option<Address>, CliError> {
        match &self.server {
            Some(server) => Ok(Some(server.clone())),
            None => self.state.current(),
        }
    }

    /// The server, with this device's token.
    pub(super) async fn signed_in(&self) -> Result<SignedIn, CliError> {
        self.signed_in_at(self.server()?.ok_or(CliError::NotSignedIn)?)
            .await
    }

    /// One server, with this device's token.
    pub(super) async fn signed_in_at(&self, server: Address) -> Result<SignedIn, CliError> {
        let who = self.state.sign_in(&server)?;
        let who = who.ok_or_else(|| CliError::NotSignedInAt(server.clone()))?;
        let token = self.state.tokens().find(who.token_store, &server).await?;
        let client = client(&server)?.with_token(token);
        Ok(SignedIn {
            client,
            server,
            who,
            folders: self.folders(),
        })
    }
}

/// A client for a server, not signed in.
pub(super) fn client(server: &Address) -> Result<Client, CliError> {
    Client::new(server.as_str()).map_err(|error| CliError::at(server, error))
}

impl SignedIn {
    /// What a client's error means here.
    pub(super) fn told(&self, error: ClientError) -> CliError {
        CliError::at(&self.server, error)
    }

    /// The workspace that a name or id means.
    pub(super) async fn workspace(&self, named: &str) -> Result<Workspace, CliError> {
        if let Ok(id) = named.parse::<WorkspaceId>() {
            return match self.one(id).await {
                Err(error) if error.code() == Some(Code::NotFound) => {
                    Err(CliError::WorkspaceUnknown(named.to_owned()))
                }
                found => found.map_err(|error| self.told(error)),
            };
        }
        let all = self.workspaces().await;
        choose(all.map_err(|error| self.told(error))?, named)
    }

    /// All workspaces. A folder of one shows from now on what that is called.
    pub(super) async fn workspaces(&self) -> Result<Vec<Workspace>, ClientError> {
        let all = self.client.workspaces().await?.workspaces;
        self.hear_names(&all);
        Ok(all)
    }

    /// The one with an id, in the same way.
    pub(super) async fn one(&self, id: WorkspaceId) -> Result<Workspace, ClientError> {
        let workspace = self.client.workspace(id).await?;
        self.hear_names(std::slice::from_ref(&workspace));
        Ok(workspace)
    }

    fn hear_names(&self, workspaces: &[Workspace]) {
        // A record that cannot be used is told of by whoever is asked about folders.
        self.folders.hear_names(&self.server, workspaces).ok();
    }
}

/// The one workspace of this name; else the one whose name differs in letter case only, or whose id begins so.
fn choose(all: Vec<Workspace>, named: &str) -> Result<Workspace, CliError> {
    let exact = |workspace: &Workspace| workspace.name == named;
    let lower = named.to_lowercase();
    let alike = |workspace: &Workspace| {
        workspace.name.to_lowercase() == lower
            || (lower.len() >= ID_CHARS_MIN && workspace.id.to_string().starts_with(&lower))
    };
    let (mut found, others): (Vec<_>, Vec<_>) = all.into_iter().partition(exact);
    if found.is_empty() {
        found = others.into_iter().filter(alike).collect();
    }
    if found.len() > 1 {
        let found = found.into_iter().map(|one| (one.id, one.name)).collect();
        let name = named.to_owned();
        return Err(CliError::WorkspaceAmbiguous { name, found });
    }
    let unknown = || CliError::WorkspaceUnknown(named.to_owned());
    found.pop().ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(id: &str, name: &str) -> Workspace {
        let json = serde_json::json!({
            "id": id, "name": name, "template": "empty", "head": 1, "entries": 0, "bytes": 0,
            "created_at": "2026-01-01T00:00:00Z", "changed_at": "2026-01-01T00:00:00Z",
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_workspace_is_named_by_name_or_by_the_beginning_of_its_id() {
        let all = || {
            vec![
                workspace("0199aaaa-0000-7000-8000-000000000001", "tides"),
                workspace("0199aaaa-0000-7000-8000-000000000002", "Tides"),
                workspace("0199bbbb-0000-7000-8000-000000000003", "moon"),
            ]
        };
        let name = |named: &str| choose(all(), named).map(|workspace| workspace.name);
        assert_eq!(name("tides").unwrap(), "tides");
        assert_eq!(name("Tides").unwrap(), "Tides");
        assert_eq!(name("MOON").unwrap(), "moon");
        assert_eq!(name("0199bbbb").unwrap(), "moon");
        assert!(matches!(name("0199"), Err(CliError::WorkspaceUnknown(_))));
        assert!(matches!(name("moo"), Err(CliError::WorkspaceUnknown(_))));
        for ambiguous in ["TIDES", "0199aaaa"] {
            let told = name(ambiguous).unwrap_err().to_string();
            assert!(
                told.contains("-000000000001") && told.contains("Tides"),
                "{told}"
            );
        }
    }
}
