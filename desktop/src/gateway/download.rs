//! Downloads: what a server or a folder answers, written to a file that the person chose. Only a whole file takes its name.
use std::path::Path;

use futures_util::StreamExt as _;

use super::Gateway;
use super::answer::Fault;
use super::asked::Asked;
use super::export;
use crate::error::CliError;
use crate::part::Part;

/// Writes what is answered at a path to a file, in place of what may stand there.
pub(super) async fn download(gateway: &Gateway, path: &str, to: &Path) -> Result<(), CliError> {
    let request = http::Request::get(path).body(bytes::Bytes::new());
    let not_found = || refused(Fault::not_found("address"));
    let asked = Asked::of(request.map_err(|_| not_found())?).map_err(refused)?;
    let mut part = Part::begin(to)?;
    if let ["workspaces", id, "export"] = asked.parts().as_slice() {
        let workspaces = &gateway.0.workspaces;
        match workspaces.find(id).map_err(refused)? {
            Some(folder) => {
                let local = workspaces.local(&folder).await.map_err(refused)?;
                export::export(&local, part.file()?, to).await?;
            }
            None => stream(gateway, &asked, &mut part).await?,
        }
    } else {
        let answer = gateway.route(&asked).await.map_err(refused)?;
        if let Some(problem) = super::pass::problem(&answer) {
            return Err(CliError::Refused(Box::new(problem)));
        }
        part.add(answer.body())?;
    }
    part.end(true)
}

/// A whole workspace of the server is larger than what is held in memory.
async fn stream(gateway: &Gateway, asked: &Asked, part: &mut Part) -> Result<(), CliError> {
    let server = gateway.0.servers.chosen().map_err(refused)?;
    let client = gateway.0.servers.client(&server).await.map_err(refused)?;
    let told = |error| CliError::at(&server, error);
    let mut pieces = client.get_stream(&asked.path).await.map_err(told)?;
    while let Some(piece) = pieces.next().await {
        part.add(&piece.map_err(told)?)?;
    }
    Ok(())
}

fn refused(fault: Fault) -> CliError {
    CliError::Refused(Box::new(fault.into_problem()))
}
