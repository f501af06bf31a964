//! What may be asked for.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use super::answer::{Answer, Refusal, json_of};
use super::guard::{Guard, guard};
use super::token::Token;
use super::{curation, export, labelling, map, page, pictures, searching};
use crate::exploration::Exploration;

/// Bytes of a request that names images, a hundred thousand of them, and of an image to search by.
const ASKED: usize = 4 << 20;
const IMAGE: usize = 64 << 20;

pub(super) type Shared = Arc<Exploration>;

/// All that is served, below the token.
pub(super) fn router(exploration: Shared, token: Token, port: u16) -> Router {
    let at = |path: &str| format!("/{}/{path}", token.text());
    Router::new()
        .route(&at(""), get(|| async { answer_file("") }))
        .route(&at("{file}"), get(|Path(file): Path<String>| async move { answer_file(&file) }))
        .route(&at("api/about"), get(about))
        .route(&at("api/map"), get(map::positions))
        .route(&at("api/rows"), get(map::rows))
        .route(&at("api/groups"), get(map::groups))
        .route(&at("api/groups/{count}"), get(map::groups_of))
        .route(&at("api/thumbnail/{row}"), get(pictures::thumbnail))
        .route(&at("api/photo/{row}"), get(pictures::photo))
        .route(&at("api/image/{row}"), get(pictures::item))
        .route(&at("api/search"), post(searching::search))
        .route(&at("api/upload"), post(searching::upload).layer(DefaultBodyLimit::max(IMAGE)))
        .route(&at("api/odd/{count}"), get(curation::odd))
        .route(&at("api/copies"), get(curation::copies).post(curation::look_for_copies))
        .route(&at("api/aside"), get(curation::aside).post(labelling::set_aside))
        .route(&at("api/labels"), get(labelling::labels).post(labelling::label))
        .route(&at("api/undo"), post(labelling::undo))
        .route(&at("api/next/{count}"), get(labelling::next))
        .route(&at("api/held-out"), get(labelling::held_out))
        .route(&at("export/labels.csv"), get(export::labels))
        .route(&at("export/predictions.csv"), get(export::predictions))
        .fallback(|| async { Refusal::none("there is nothing of this name") })
        .layer(DefaultBodyLimit::max(ASKED))
        .with_state(exploration)
        .layer(from_fn_with_state(Arc::new(Guard::new(token, port)), guard))
}

fn answer_file(name: &str) -> Answer {
    page::file(name).ok_or_else(|| Refusal::none("the page has no such file"))
}

/// What the page begins with.
async fn about(State(exploration): State<Shared>) -> Response {
    json_of(&json!({
        "title": exploration.title,
        "images": exploration.len(),
        "skipped": exploration.skipped,
    }))
}
