//! The map, and what colours it.

use serde_json::{Value, json};
use simclr_embed::group_count;

use super::answer::{Answer, Response, binary, bytes_of, json_of};
use crate::error::ExploreError;
use crate::exploration::Exploration;
use crate::grouping::Grouping;
use crate::outlines::outlines;
use crate::preparation::SEED;

/// Stands for no class.
const NO_CLASS: u16 = u16::MAX;

/// Two f32 for each image: its place, in 0..=1, to the right and downwards.
pub(super) fn positions(exploration: &Exploration) -> Response {
    let values = exploration.preparation.positions.as_flattened();
    bytes_of("application/octet-stream", binary(values.iter().map(|x| x.to_le_bytes())))
}

/// Of all images, one list after the other: the label as u16, the guess as u16, how sure it is as u8, and whether the image is set aside as u8. 65,535 is no class.
/// The header `revision` says of which moment.
pub(super) fn rows(exploration: &Exploration) -> Response {
    let labelling = exploration.labelling();
    let session = &labelling.session;
    let mut bytes = Vec::with_capacity(6 * exploration.len());
    let labels = session.labels().iter().map(|label| label.unwrap_or(NO_CLASS));
    bytes.extend(binary(labels.map(u16::to_le_bytes)));
    if let Some(guesses) = session.guesses() {
        bytes.extend(binary(guesses.classes.iter().map(|class| class.to_le_bytes())));
        bytes.extend(guesses.probabilities.iter().map(|share| (255.0 * share) as u8));
    } else {
        bytes.extend(binary(session.labels().iter().map(|_| NO_CLASS.to_le_bytes())));
        bytes.extend(session.labels().iter().map(|_| 0));
    }
    bytes.extend(session.aside().iter().map(|&aside| u8::from(aside)));
    bytes_of("application/octet-stream", bytes).with("revision", session.revision().to_string())
}

/// The groups that the map begins with.
pub(super) fn groups(exploration: &Exploration) -> Response {
    json_of(&groups_json(exploration, &exploration.preparation.grouping))
}

/// So many groups.
pub(super) fn groups_of(exploration: &Exploration, count: usize) -> Answer {
    let grouping = Grouping::of(&exploration.features, count, &exploration.device)?;
    Ok(json_of(&groups_json(exploration, &grouping)))
}

/// As many groups as [`group_count`] finds.
pub(super) fn groups_counted(exploration: &Exploration) -> Answer {
    let found = group_count(&exploration.features, SEED, &exploration.device);
    groups_of(exploration, found.map_err(ExploreError::from)?.count)
}

/// For each group its size, the image that stands for it, and the lines around it; for each image its group.
fn groups_json(exploration: &Exploration, grouping: &Grouping) -> Value {
    let lines = outlines(&exploration.preparation.positions, grouping);
    let groups: Vec<Value> = grouping
        .medoids
        .iter()
        .zip(grouping.sizes())
        .zip(&lines)
        .map(|((medoid, size), lines)| {
            let lines: Vec<f32> =
                lines.as_flattened().iter().map(|x| (x * 1e4).round() / 1e4).collect();
            let name = &exploration.names[*medoid];
            json!({ "medoid": medoid, "name": name, "size": size, "lines": lines })
        })
        .collect();
    json!({ "groups": groups, "of": grouping.of })
}
