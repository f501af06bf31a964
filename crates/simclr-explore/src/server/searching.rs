//! Images that are like others.

use std::sync::PoisonError;

use serde::Deserialize;
use serde_json::{Value, json};
use simclr_data::decode_image_bytes_on;
use simclr_embed::Neighbour;

use super::answer::{Answer, Refusal, asked, json_of};
use super::item::{Item, check_row};
use crate::exploration::Exploration;
use crate::likeness::alike;

/// The most examples in a question.
const MOST_EXAMPLES: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    like: Vec<Example>,
    #[serde(default)]
    unlike: Vec<Example>,
    count: usize,
}

/// An image of the set, or one that was dropped on the page.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Example {
    Row(usize),
    Upload(u64),
}

/// The images that are most like some, and least like others, with the cosines to what is looked for.
pub(super) fn search(exploration: &Exploration, body: &[u8]) -> Answer {
    let Asked { like, unlike, count } = asked(body)?;
    if like.len() + unlike.len() > MOST_EXAMPLES {
        return Err(Refusal::bad(format!("expected at most {MOST_EXAMPLES} examples")));
    }
    let vectors = |examples: &[Example]| -> Answer<Vec<Vec<f32>>> {
        examples.iter().map(|example| vector(exploration, example)).collect()
    };
    let rows: Vec<usize> = like.iter().chain(&unlike).filter_map(Example::row).collect();
    let found = alike(exploration, &vectors(&like)?, &vectors(&unlike)?, &rows, count)?;
    let labelling = exploration.labelling();
    let result = |near: &Neighbour| {
        let item = Item::new(exploration, &labelling, near.row as usize);
        json!({ "item": item, "cosine": near.cosine })
    };
    Ok(json_of(&json!({ "results": found.iter().map(result).collect::<Vec<Value>>() })))
}

impl Example {
    fn row(&self) -> Option<usize> {
        match self {
            Self::Row(row) => Some(*row),
            Self::Upload(_) => None,
        }
    }
}

/// The unit vector of an example.
fn vector(exploration: &Exploration, example: &Example) -> Answer<Vec<f32>> {
    match example {
        Example::Row(row) => Ok(exploration.features.row(check_row(exploration, *row)?).to_vec()),
        Example::Upload(number) => {
            let uploads = exploration.uploads.lock().unwrap_or_else(PoisonError::into_inner);
            let gone = || Refusal::none("that image was dropped too long ago: drop it again");
            uploads.get(*number).map(<[f32]>::to_vec).ok_or_else(gone)
        }
    }
}

/// Embeds an image that the page sends, any file that a data set may hold, and gives it a number to search by. It is kept nowhere.
pub(super) fn upload(exploration: &Exploration, body: &[u8]) -> Answer {
    let embedder = exploration.embedder.lock().unwrap_or_else(PoisonError::into_inner);
    let image = decode_image_bytes_on(body, embedder.transform().ground().0).map_err(|error| {
        Refusal::new(422, format!("expected an image, found something else: {error}"))
    })?;
    let features = embedder.embed_image(&image).map_err(|error| Refusal::bad(error.to_string()))?;
    drop(embedder);
    let vector = features.unit().into_values();
    if !vector.iter().all(|x| x.is_finite()) {
        return Err(Refusal::bad("expected finite features of this image, found NaN or infinity"));
    }
    let mut uploads = exploration.uploads.lock().unwrap_or_else(PoisonError::into_inner);
    let (width, height) = image.dimensions();
    Ok(json_of(&json!({ "upload": uploads.add(vector), "width": width, "height": height })))
}
