//! Downloads: what a server or a folder answers, written to a file that the person chose. Only a whole file takes its name.
use std::io::Write as _;
use std::path::Path;

use futures_util::StreamExt as _;

use super::Gateway;
use super::answer::Fault;
use super::asked::Asked;
use super::export;
use crate::error::CliError;

/// Writes what is answered at a path to a file, in place of what may stand there.
pub(super) async fn download(gateway: &Gateway, path: &str, to: &Path) -> Result<(), CliError> {
    let request = http::Request::get(path).body(bytes::Bytes::new());
    let not_found = || refused(Fault::not_found("address"));
    let asked = Asked::of(request.map_err(|_| not_found())?).map_err(refused)?;
    let folder = to.parent().unwrap_or(Path::new("."));
    let mut part = tempfile::NamedTempFile::new_in(folder).map_err(CliError::file(folder))?;
    if let ["workspaces", id, "export"] = asked.parts().as_slice() {
        let workspaces = &gateway.0.workspaces;
        match workspaces.find(id).map_err(refused)? {
            Some(folder) => {
                let local = workspaces.local(&folder).await.map_err(refused)?;
                let file = part.as_file().try_clone().map_err(CliError::file(to))?;
                export::export(&local, file, to).await?;
            }
            None => stream(gateway, &asked, &mut part, to).await?,
        }
    } else {
        let answer = gateway.route(&asked).await.map_err(refused)?;
        if let Some(problem) = super::pass::problem(&answer) {
            return Err(CliError::Refused(Box::new(problem)));
        }
        part.write_all(answer.body()).map_err(CliError::file(to))?;
    }
    part.as_file().sync_all().map_err(CliError::file(to))?;
    let kept = part.persist(to).map_err(|error| error.error);
    kept.map(drop).map_err(CliError::file(to))
}

/// A whole workspace of the server is larger than what is held in memory.
async fn stream(
    gateway: &Gateway,
    asked: &Asked,
    part: &mut tempfile::NamedTempFile,
    to: &Path,
) -> Result<(), CliError> {
    let server = gateway.0.servers.chosen().map_err(refused)?;
    let client = gateway.0.servers.client(&server).await.map_err(refused)?;
    let told = |error| CliError::at(&server, error);
    let mut pieces = client.get_stream(&asked.path).await.map_err(told)?;
    while let Some(piece) = pieces.next().await {
        part.write_all(&piece.map_err(told)?)
            .map_err(CliError::file(to))?;
    }
    Ok(())
}

fn refused(fault: Fault) -> CliError {
    CliError::Refused(Box::new(fault.into_problem()))
}
