//! Which command helps after one that failed: said on the command line alone, since the window has no commands.
use crate::error::CliError;
use crate::folder::FolderError;
use crate::token::TokenError;

/// An error as the command line tells it.
pub(crate) fn told(error: &CliError) -> String {
    match of(error) {
        Some(hint) => format!("{error} {hint}"),
        None => error.to_string(),
    }
}

fn of(error: &CliError) -> Option<String> {
    Some(match error {
        CliError::NotSignedIn => "Do it with: slipway login SERVER".to_owned(),
        CliError::NotSignedInAt(server)
        | CliError::SignInEnded(server)
        | CliError::Token(TokenError::NotInKeychain(server) | TokenError::NotInFile(server)) => {
            format!("Do it with: slipway login {server}")
        }
        CliError::Token(TokenError::NoKeychain(_)) => {
            "For the file: slipway login SERVER --token-store file".to_owned()
        }
        CliError::Token(TokenError::MemoryEnds) => {
            "The window may be signed in for itself alone. Here: slipway login SERVER --token-store file"
                .to_owned()
        }
        CliError::NotSlipway(_) => "`slipway doctor` tells more.".to_owned(),
        CliError::WorkspaceUnknown(_) => "`slipway workspaces` lists yours.".to_owned(),
        CliError::TerminalUnknown(_) => {
            "`slipway terminal WORKSPACE --list` shows those that are open.".to_owned()
        }
        CliError::NoTerminal => {
            "For one command there is: slipway run WORKSPACE -- COMMAND".to_owned()
        }
        CliError::Exists(_) => "`--force` replaces it.".to_owned(),
        CliError::Folder(FolderError::InUse(_)) => {
            "`slipway status` tells how it stands.".to_owned()
        }
        CliError::Folder(FolderError::Unknown(_)) => {
            "Begin with: slipway mirror WORKSPACE DIR".to_owned()
        }
        CliError::Ours(error) => return of(error),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Address;

    #[test]
    fn the_command_line_says_which_command_helps_and_the_error_alone_does_not() {
        let server = Address::parse("https://slipway.example.org").unwrap();
        let login = "Do it with: slipway login https://slipway.example.org";
        for (error, command) in [
            (CliError::SignInEnded(server.clone()), login),
            (
                CliError::Ours(Box::new(CliError::NotSignedInAt(server.clone()))),
                login,
            ),
            (TokenError::NotInFile(server.clone()).into(), login),
            (
                TokenError::NoKeychain("locked".to_owned()).into(),
                "--token-store file",
            ),
            (CliError::NotSlipway(server), "slipway doctor"),
            (FolderError::InUse("/tides".into()).into(), "slipway status"),
            (
                FolderError::Unknown("/tides".into()).into(),
                "slipway mirror",
            ),
            (
                CliError::WorkspaceUnknown("tides".to_owned()),
                "slipway workspaces",
            ),
        ] {
            assert!(told(&error).contains(command), "{error:?}");
            assert!(!error.to_string().contains("slipway "), "{error}");
            assert!(error.to_string().ends_with('.'), "{error}");
        }
    }
}
