//! `slipway clone` and `slipway mirror`.
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use slipway_mirror::notice::Notice;
use tokio::sync::broadcast::error::RecvError;

use super::here::{Here, SignedIn};
use super::names;
use crate::control::Control;
use crate::error::CliError;
use crate::folder::{Folder, FolderError, Folders, Remote, file_name};
use crate::keep::Kept;
use crate::keep::stand::{Apart, Stand, StandState};
use crate::output::{Output, plain, quote};
use crate::tty;

/// Makes a folder with all files of a workspace.
#[derive(Args)]
pub(super) struct Clone {
    /// The workspace's name or id.
    workspace: String,
    /// The folder; it is made, or empty, or one of this workspace, which is brought in step both ways. By default the
    /// workspace's name, in this folder.
    dir: Option<PathBuf>,
}

/// Keeps a folder in step with a workspace, both ways, until Ctrl-C.
///
/// Edits of both sides that do not go together are kept side by side; without the server they wait for it.
#[derive(Args)]
pub(super) struct Mirror {
    /// The workspace's name or id.
    workspace: String,
    /// The folder: one that was kept in step with this workspace before, or an empty one; it is made if need be.
    dir: PathBuf,
}

pub(super) async fn clone(here: &Here, args: Clone) -> Result<(), CliError> {
    let signed_in = here.signed_in().await?;
    let workspace = signed_in.workspace(&args.workspace).await?;
    let dir = args
        .dir
        .unwrap_or_else(|| PathBuf::from(file_name(&workspace.name)));
    let folders = here.folders();
    let was_known = folders.at(&dir)?.is_some();
    let folder = folders.take(&dir, &signed_in.server, &workspace)?;
    let kept = Kept::following(&folders, &folder, &signed_in.client, &here.config.host)?;
    let mut notices = kept.notices();
    let done = {
        let mut whole = Box::pin(kept.until(workspace.head));
        loop {
            tokio::select! {
                done = &mut whole => break done,
                notice = notices.recv() => tell_notice(here.output, &folder, notice)?,
                number = tty::ended() => break Err(CliError::Interrupted(number)),
            }
        }
    };
    kept.stop().await;
    done?;
    let shown =
        json!({ "folder": folder.path, "workspace": workspace.id, "revision": workspace.head });
    here.output.tell(&shown, || {
        let (name, path) = (&workspace.name, folder.path.display());
        let has = match was_known {
            false => format!("has all files of {name}, as of revision {}", workspace.head),
            true => format!(
                "was a folder of {name} before: what was changed and deleted in it went there, and what changed there came"
            ),
        };
        format!(
            "{path} {has}. Keep it in step: slipway mirror {} {}",
            quote(name),
            quote(&path.to_string())
        )
    })
}

pub(super) async fn mirror(here: &Here, args: Mirror) -> Result<(), CliError> {
    let (folders, known) = (here.folders(), here.folders().at(&args.dir)?);
    let signed_in = here.signed_in().await?;
    // A folder that is known goes on also while the server is away.
    let folder = match known.filter(|folder| is_meant(folder, &args.workspace, &signed_in)) {
        Some(folder) => folder,
        None => {
            let workspace = signed_in.workspace(&args.workspace).await?;
            folders.take(&args.dir, &signed_in.server, &workspace)?
        }
    };
    let remote = folder.remote()?;
    let kept = Kept::following(&folders, &folder, &signed_in.client, &here.config.host)?;
    let kept = Arc::new(kept);
    let control = Control::listen(&folders.home(&folder), Arc::clone(&kept));
    if let Err(error) = &control {
        here.output
            .remark(&format!("Other commands cannot ask this one: {error}."));
    }
    let done = tokio::select! {
        done = watch(here.output, &kept) => done,
        never = names::hear(&signed_in, &kept, remote) => match never {},
    };
    drop(control);
    kept.stop().await;
    done
}

/// Whether a known folder is of the workspace that was named.
fn is_meant(folder: &Folder, named: &str, signed_in: &SignedIn) -> bool {
    folder.is_there()
        && folder.remote.as_ref().is_some_and(|remote| {
            remote.server == signed_in.server
                && (folder.name == named || remote.workspace.to_string() == named)
        })
}

/// Tells how the folder stands until a signal comes or the server refuses.
async fn watch(output: Output, kept: &Kept) -> Result<(), CliError> {
    let (standing, mut known) = (kept.standing(), kept.known());
    let mut standing = standing.ok_or_else(|| FolderError::OnlyHere(kept.folder().path))?;
    let (mut shown, mut notices) = (kept.shown(), kept.notices());
    let mut view = kept.view().await?;
    let mut line = Line::new(output);
    let mut ended = Box::pin(tty::ended());
    let mut refused = Box::pin(kept.refusal());
    let done = loop {
        let stand = kept.stand(&view.borrow_and_update());
        let folder = known.borrow_and_update().clone();
        line.show(&folder, &stand)?;
        tokio::select! {
            Ok(()) = known.changed() => {}
            Ok(()) = standing.changed() => {}
            Ok(()) = shown.changed() => {}
            Ok(()) = view.changed() => {}
            notice = notices.recv() => {
                line.end()?;
                tell_notice(output, &folder, notice)?;
            }
            refusal = &mut refused => break Err(refusal),
            _ = &mut ended => break Ok(()),
        }
    };
    line.end()?;
    done
}

/// The one line that tells how it stands.
struct Line {
    output: Output,
    told: Option<(String, Stand)>,
    /// What a log was told last.
    logged: Option<(String, StandState, usize, usize)>,
    /// Something stands on the line.
    open: bool,
}

impl Line {
    const fn new(output: Output) -> Self {
        Self {
            output,
            told: None,
            logged: None,
            open: false,
        }
    }

    fn show(&mut self, folder: &Folder, stand: &Stand) -> Result<(), CliError> {
        let now = (folder.name.clone(), stand.clone());
        let before = self.told.replace(now);
        if before == self.told {
            return Ok(());
        }
        if self.output.is_json() {
            let object = json!({
                "event": "stand", "folder": folder.path, "name": folder.name, "stand": stand,
            });
            return self.output.tell(&object, String::new);
        }
        let text = words(folder, stand);
        if tty::is_seen() {
            self.open = true;
            return self
                .output
                .bytes(format!("\r\x1b[K{}", plain(&text)).as_bytes());
        }
        // A log is told of changes of name and state and of what cannot go, neither of every revision nor of what is on
        // its way.
        let Apart {
            waiting,
            blocked,
            held,
            ..
        } = stand.apart;
        let news = Some((folder.name.clone(), stand.state, blocked, held));
        if self.logged == news || (stand.state == StandState::Connected && waiting > 0) {
            return Ok(());
        }
        self.logged = news;
        self.output.tell(&(), || text)
    }

    /// What follows begins on a line of its own, and then how it stands is told again.
    fn end(&mut self) -> Result<(), CliError> {
        if self.open {
            self.open = false;
            self.told = None;
            return self.output.bytes(b"\n");
        }
        Ok(())
    }
}

/// How a folder stands, in a sentence.
pub(super) fn words(folder: &Folder, stand: &Stand) -> String {
    let name = &folder.name;
    let why = || stand.reason.clone().unwrap_or_default();
    match stand.state {
        StandState::Connecting => format!("{name}: connecting"),
        StandState::Connected => format!("{name}: {}", in_step(stand)),
        StandState::Offline => {
            format!(
                "{name}: offline; edits are kept and go out when the server is back. {}",
                why()
            )
        }
        StandState::Refused => format!("{name}: the server refuses: {}", why()),
        StandState::Stopped => format!("{name}: not kept in step now"),
        StandState::Local => format!("{name}: on this machine only"),
        StandState::Gone => format!("{name}: {}", why()),
    }
}

/// How far a folder that is connected is in step.
fn in_step(stand: &Stand) -> String {
    let Apart {
        waiting,
        blocked,
        blocked_paths,
        held,
    } = &stand.apart;
    let files = |many: usize| match many {
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    let mut said = match waiting {
        0 => format!("in step at revision {}", stand.revision),
        many => format!("{} on the way", files(*many)),
    };
    if *blocked > 0 {
        let more = match blocked - blocked_paths.len().min(*blocked) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = blocked_paths.join(", ");
        said += &format!(", except for {}: {named}{more}", files(*blocked));
    }
    if *held > 0 {
        said += &format!("; {held} deletions wait for your word");
    }
    said
}

fn tell_notice(
    output: Output,
    folder: &Folder,
    notice: Result<Notice, RecvError>,
) -> Result<(), CliError> {
    let notice = match notice {
        Ok(notice) => notice,
        // Many at once: the newest are told. After the end nothing is.
        Err(RecvError::Lagged(_) | RecvError::Closed) => return Ok(()),
    };
    let object = json!({
        "event": "notice", "folder": folder.path, "code": notice.code(), "message": notice.to_string(),
    });
    output.tell(&object, || match &notice {
        Notice::Deleted { held: 1.., .. } => format!(
            "{notice} To delete them in the workspace, too: slipway status {} --confirm",
            quote(&folder.path.to_string_lossy())
        ),
        notice => notice.to_string(),
    })
}

/// The revision that has what the folder around `dir` holds, if that is a copy of the workspace.
pub(super) async fn flushed(
    here: &Here,
    signed_in: &SignedIn,
    workspace: slipway_core::id::WorkspaceId,
    dir: &Path,
) -> Result<Option<u64>, CliError> {
    let folders: Folders = here.folders();
    let around = folders.around(dir)?.filter(|folder| {
        let is_copy =
            |remote: &Remote| remote.workspace == workspace && remote.server == signed_in.server;
        folder.remote.as_ref().is_some_and(is_copy) && folder.is_there()
    });
    let Some(folder) = around else {
        return Ok(None);
    };
    here.output
        .remark("Bringing the folder's files to the workspace");
    let asked = crate::control::ask(&folders.home(&folder), crate::control::Ask::Flush).await;
    if let Some(revision) = asked.and_then(|answer| answer.flushed) {
        return Ok(Some(revision));
    }
    let kept = Kept::following(&folders, &folder, &signed_in.client, &here.config.host)?;
    let flushed = tokio::select! {
        flushed = kept.flush() => flushed,
        number = tty::ended() => Err(CliError::Interrupted(number)),
    };
    kept.stop().await;
    flushed.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_step_is_not_said_to_be() {
        let said = |waiting, blocked, held| {
            let paths = ["large.bin", "b", "c"].iter().take(blocked);
            in_step(&Stand {
                state: StandState::Connected,
                revision: 7,
                reason: None,
                apart: Apart {
                    waiting,
                    blocked,
                    blocked_paths: paths.map(|&path| path.to_owned()).collect(),
                    held,
                },
                conflicts: None,
            })
        };
        assert_eq!(said(0, 0, 0), "in step at revision 7");
        assert_eq!(
            said(0, 1, 0),
            "in step at revision 7, except for 1 file: large.bin"
        );
        assert_eq!(
            said(2, 5, 0),
            "2 files on the way, except for 5 files: large.bin, b, c and 2 more"
        );
        assert_eq!(
            said(0, 0, 12),
            "in step at revision 7; 12 deletions wait for your word"
        );
    }
}
