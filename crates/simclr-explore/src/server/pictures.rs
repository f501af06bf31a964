//! The images, one at a time.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;

use super::answer::{Answer, Refusal, bytes_of, json_of, worked};
use super::item::{Item, check_row};
use super::routes::Shared;
use crate::images::Size;

pub(super) async fn thumbnail(state: State<Shared>, row: Path<usize>) -> Answer {
    picture(state, row, Size::Thumbnail).await
}

pub(super) async fn photo(state: State<Shared>, row: Path<usize>) -> Answer {
    picture(state, row, Size::Photo).await
}

async fn picture(State(exploration): State<Shared>, Path(row): Path<usize>, size: Size) -> Answer {
    check_row(&exploration, row)?;
    worked(move || {
        let picture = exploration.thumbnails.get(size, exploration.indices[row]);
        let picture = picture.map_err(|error| Refusal::none(error.to_string()))?;
        // Another server has another token, and so other addresses.
        let kept = [(header::CACHE_CONTROL, "private, max-age=3600")];
        Ok((kept, bytes_of("image/jpeg", picture)).into_response())
    })
    .await
}

/// What is known of an image.
pub(super) async fn item(State(exploration): State<Shared>, Path(row): Path<usize>) -> Answer {
    check_row(&exploration, row)?;
    worked(move || Ok(json_of(&Item::new(&exploration, &exploration.labelling(), row)))).await
}
