//! How a workspace of this machine stands with its server, path by path, and what a person does about it.
use slipway_api::desktop::{
    Arrival, Conflict, Conflicts, HeldDeletions, NotUndone, ResolveConflict, Sync, SyncPath,
    SyncPathState, Undone,
};
use slipway_api::file::Kind;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_mirror::local::{Expect, LocalAct, LocalError, LocalOperation, LocalOutcome};
use slipway_mirror::notice::why;
use slipway_mirror::view::{PathState, PathView};
use slipway_sync::node::Node;

use super::answer::{self, Answer, Fault};
use super::asked::Asked;
use super::kept::Local;
use super::look::small;
use crate::clock;

/// `GET /workspaces/{id}/sync`
pub(super) async fn sync(local: &Local) -> Answer {
    let look = local.look();
    let arrivals = local.engine().arrivals().await?;
    let view = &look.view;
    answer::found(&Sync {
        brief: look.brief(),
        revision: *local.kept().shown().borrow(),
        offline_since: look.offline_since().map(Into::into),
        in_step_at: view.in_step_at.map(Into::into),
        up_bytes: view.bytes_up,
        down_bytes: view.bytes_down,
        paths: view.paths.iter().map(path).collect(),
        odd: view.odd.clone(),
        held: view.held.as_ref().map(|held| HeldDeletions {
            many: small(held.many),
            of: small(held.of),
            paths: held.first.clone(),
        }),
        partly_watched: view.partly_watched,
        notices: local.notices(),
        arrivals: arrivals.into_iter().map(arrival).collect(),
    })
}

fn path(view: &PathView) -> SyncPath {
    let code = match view.state {
        PathState::Blocked(code) => Some(code),
        _ => None,
    };
    SyncPath {
        path: view.path.clone(),
        state: match view.state {
            PathState::Waiting => SyncPathState::Waiting,
            PathState::Sending => SyncPathState::Sending,
            PathState::Missing => SyncPathState::Missing,
            PathState::Receiving => SyncPathState::Receiving,
            PathState::Blocked(_) => SyncPathState::Blocked,
        },
        bytes: view.size,
        moved: view.done,
        code,
        message: code.map(|code| why(code).to_owned()),
    }
}

fn arrival(arrival: slipway_mirror::arrival::Arrival) -> Arrival {
    Arrival {
        id: arrival.id,
        at: arrival.at.into(),
        many: small(arrival.count),
        paths: arrival.paths,
    }
}

/// `POST /workspaces/{id}/sync/confirm`: the deletions that are held back go on to the server.
pub(super) async fn confirm(local: &Local) -> Answer {
    local.kept().confirm().await;
    answer::done()
}

/// `POST /workspaces/{id}/sync/bring-back`: they are undone on this disk.
pub(super) async fn bring_back(local: &Local) -> Answer {
    local.engine().bring_back().await?;
    answer::done()
}

/// `POST /workspaces/{id}/sync/arrivals/{arrival}/undo`
pub(super) async fn undo(local: &Local, id: &str) -> Answer {
    let unknown = || Fault::not_found("change that can be taken back");
    let id = id.parse().map_err(|_| unknown())?;
    let undone = local.engine().undo(id).await?;
    let left = undone.left.into_iter();
    let left = left.map(|left| NotUndone {
        path: left.path,
        code: left.code,
    });
    answer::found(&Undone {
        many: small(undone.many),
        left: left.collect(),
    })
}

/// `GET /workspaces/{id}/conflicts`, the oldest first.
pub(super) async fn conflicts(local: &Local) -> Answer {
    let mut found = local.engine().conflicts().await?;
    found.sort_by_key(|conflict| conflict.at);
    let conflicts = found.into_iter().map(|conflict| Conflict {
        path: conflict.path,
        copy: conflict.copy,
        mine: kind(&conflict.mine),
        theirs: conflict.theirs.as_ref().map(kind),
        base: conflict.base.is_some(),
        at: conflict.at.unwrap_or_else(clock::wall).into(),
    });
    answer::found(&Conflicts {
        conflicts: conflicts.collect(),
    })
}

const fn kind(node: &Node) -> Kind {
    match node {
        Node::File { .. } => Kind::File,
        Node::Folder => Kind::Folder,
        Node::Symlink { .. } => Kind::Symlink,
    }
}

/// `GET /workspaces/{id}/conflicts/base?copy=PATH`: the content from which both began.
pub(super) async fn base(local: &Local, asked: &Asked) -> Answer {
    let copy = RelPath::parse(&asked.wish("copy").unwrap_or_default())?;
    let conflicts = local.engine().conflicts().await?;
    let unknown = || Fault::not_found("conflict, or nobody has the content from which both began");
    let conflict = conflicts.into_iter().find(|conflict| conflict.copy == copy);
    let base = conflict
        .and_then(|conflict| conflict.base)
        .ok_or_else(unknown)?;
    let content = local
        .engine()
        .base_content(base)
        .await?
        .ok_or_else(unknown)?;
    let mut answer = answer::bytes(200, content);
    let binary = http::HeaderValue::from_static("application/octet-stream");
    answer
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, binary);
    Ok(answer)
}

/// `POST /workspaces/{id}/conflicts/resolve`: the copy goes, or stays as a file of its own.
pub(super) async fn resolve(local: &Local, asked: &Asked) -> Answer {
    let wanted: ResolveConflict = asked.json()?;
    let conflicts = local.engine().conflicts().await?;
    let conflict = conflicts
        .into_iter()
        .find(|conflict| conflict.copy == wanted.copy);
    let conflict = conflict.ok_or_else(|| Fault::not_found("conflict"))?;
    if wanted.keep_copy {
        local.engine().keep_copy(wanted.copy).await?;
        return answer::done();
    }
    let operation = LocalOperation {
        path: wanted.copy,
        expect: match &conflict.mine {
            Node::File { hash, .. } => Expect::Content(*hash),
            Node::Symlink { target } => Expect::Content(ContentHash::of(target.as_bytes())),
            Node::Folder => Expect::Folder,
        },
        act: LocalAct::Delete,
    };
    let mut done = local.engine().commit(vec![operation], false).await?;
    match done.outcomes.pop() {
        Some(LocalOutcome::Stale(current)) => Err(LocalError::Stale(current.map(Box::new)).into()),
        Some(LocalOutcome::Rejected(error)) => Err(error.into()),
        _ => answer::done(),
    }
}
