//! Labels, and what they teach.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, asked, json_of, worked};
use super::item::Item;
use super::routes::Shared;
use crate::error::ExploreError;
use crate::exploration::{Exploration, Labelling};
use crate::labels::LabelSession;

/// The most images to label next.
const MOST: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelAsked {
    rows: Vec<usize>,
    /// `null` takes labels away.
    class: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AsideAsked {
    rows: Vec<usize>,
    aside: bool,
}

/// Classes, counts, and whether all is saved.
pub(super) async fn labels(State(exploration): State<Shared>) -> Answer {
    worked(move || Ok(json_of(&summary(&exploration.labelling())))).await
}

/// Labels images.
pub(super) async fn label(
    State(exploration): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let LabelAsked { rows, class } = asked(&headers, &body)?;
    changed(exploration, move |session| session.label(&rows, class.as_deref())).await
}

/// Sets images aside, or takes them back.
pub(super) async fn set_aside(
    State(exploration): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let AsideAsked { rows, aside } = asked(&headers, &body)?;
    changed(exploration, move |session| session.set_aside(&rows, aside)).await
}

/// Takes the last change back.
pub(super) async fn undo(
    State(exploration): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let _: serde_json::Map<String, Value> = asked(&headers, &body)?;
    changed(exploration, |session| session.undo().map(drop)).await
}

/// Changes labels, saves them, and says what there is now.
async fn changed(
    exploration: Shared,
    change: impl FnOnce(&mut LabelSession) -> Result<(), ExploreError> + Send + 'static,
) -> Answer {
    worked(move || {
        let mut labelling = exploration.labelling();
        let done = change(&mut labelling.session);
        labelling.save(&exploration.names);
        done?;
        Ok(json_of(&summary(&labelling)))
    })
    .await
}

fn summary(labelling: &Labelling) -> Value {
    let session = &labelling.session;
    let mut counts = vec![0_usize; session.classes().len()];
    session.labels().iter().flatten().for_each(|&class| counts[usize::from(class)] += 1);
    let classes: Vec<Value> = session
        .classes()
        .iter()
        .zip(&counts)
        .map(|(name, count)| json!({ "name": name, "labels": count }))
        .collect();
    json!({
        "revision": session.revision(),
        "classes": classes,
        "labels": counts.iter().sum::<usize>(),
        "aside": session.aside().iter().filter(|aside| **aside).count(),
        "undoable": session.undoable(),
        "guesses": session.guesses().is_some(),
        "unsaved": labelling.saved.unsaved(),
    })
}

/// Images whose labels would teach most.
pub(super) async fn next(State(exploration): State<Shared>, Path(count): Path<usize>) -> Answer {
    worked(move || {
        let labelling = exploration.labelling();
        let rows = labelling.session.next_to_label(count.min(MOST));
        Ok(json_of(&json!({ "next": items(&exploration, &labelling, &rows) })))
    })
    .await
}

fn items<'a>(
    exploration: &'a Exploration,
    labelling: &'a Labelling,
    rows: &[usize],
) -> Vec<Item<'a>> {
    rows.iter().map(|&row| Item::new(exploration, labelling, row)).collect()
}

/// How often the labels of this moment tell each other's classes.
pub(super) async fn held_out(State(exploration): State<Shared>) -> Answer {
    worked(move || {
        let (revision, measure) = {
            let labelling = exploration.labelling();
            (labelling.session.revision(), labelling.session.held_out_later())
        };
        let found = measure()?;
        let found = found.map(|found| {
            json!({ "right": found.right, "labels": found.labels, "accuracy": found.accuracy() })
        });
        Ok(json_of(&json!({ "revision": revision, "held_out": found })))
    })
    .await
}
