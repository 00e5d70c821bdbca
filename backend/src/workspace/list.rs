//! The list of one's workspaces, page by page, in the order that is asked for.
use axum::extract::State;
use serde::Deserialize;
use slipway_api::workspace::{Workspace, WorkspaceFilter, WorkspaceSort, Workspaces};
use slipway_core::code::Code;
use slipway_core::limits::PAGE_ROWS_MAX;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::store::{self, Cursor, Wanted};
use crate::error::Error;
use crate::http::extract::{Json, Query, SignedIn};
use crate::http::page::Page;
use crate::state::App;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    filter: Option<WorkspaceFilter>,
    #[serde(default)]
    search: String,
    sort: Option<WorkspaceSort>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// The own workspaces, the last changed first unless `sort` says otherwise.
#[utoipa::path(get, path = "/api/v1/workspaces", tag = "workspaces", params(("filter" = Option<WorkspaceFilter>, Query), ("search" = Option<String>, Query), ("sort" = Option<WorkspaceSort>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)), responses((status = 200, body = Workspaces)), extensions(("x-permission" = json!("signed-in"))))]
pub(super) async fn list(
    State(app): State<App>,
    user: SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<Workspaces>, Error> {
    let page = Page::of(query.limit.unwrap_or(PAGE_ROWS_MAX));
    let sort = query.sort.unwrap_or(WorkspaceSort::Changed);
    let after = query.cursor.as_deref().map(|text| parse(text, sort));
    let wanted = Wanted {
        filter: Some(query.filter.unwrap_or(WorkspaceFilter::Active)),
        one: None,
        search: query.search.trim(),
        sort,
        after: after.transpose()?,
        rows: page.limit(),
    };
    let mut workspaces = store::list(&app.db, user.user, wanted).await?;
    let next = page.cut(&mut workspaces, |last| {
        format!("{}~{}", key(last, sort), last.id)
    });
    Ok(Json(Workspaces { workspaces, next }))
}

/// What a row is sorted by; its beginning says which order it belongs to.
fn key(row: &Workspace, sort: WorkspaceSort) -> String {
    let time = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    match sort {
        WorkspaceSort::Changed => format!("changed~{}", time(row.changed_at)),
        WorkspaceSort::Created => format!("created~{}", time(row.created_at)),
        WorkspaceSort::Name => format!("name~{}", row.name),
    }
}

fn parse(text: &str, sort: WorkspaceSort) -> Result<Cursor, Error> {
    let parsed = || {
        let (key, id) = text.rsplit_once('~')?;
        let (of, key) = key.split_once('~')?;
        let id = id.parse().ok()?;
        let time = || OffsetDateTime::parse(key, &Rfc3339).ok();
        match (of, sort) {
            ("changed", WorkspaceSort::Changed) | ("created", WorkspaceSort::Created) => {
                Some(Cursor::Time(time()?, id))
            }
            ("name", WorkspaceSort::Name) => Some(Cursor::Name(key.to_owned(), id)),
            _ => None,
        }
    };
    parsed().ok_or_else(|| {
        Error::new(
            Code::InvalidRequest,
            "The cursor is none of this list in this order. Ask for the first page again.",
        )
        .with_field("cursor", Code::InvalidRequest, "not a cursor of this list")
    })
}
