//! Workspaces.
use utoipa_axum::router::OpenApiRouter;
use crate::state::App;
/// Routes.
pub fn routes() -> OpenApiRouter<App> { OpenApiRouter::new() }
