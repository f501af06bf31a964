//! An image in a list.

use serde::Serialize;

use super::answer::{Answer, Refusal};
use crate::exploration::{Exploration, Labelling};

/// What the page shows of an image, beside its picture.
#[derive(Debug, Serialize)]
pub(super) struct Item<'a> {
    row: usize,
    name: &'a str,
    /// The name of its class, if it has a label.
    label: Option<&'a str>,
    /// The likeliest class, and its probability.
    guess: Option<&'a str>,
    probability: Option<f32>,
    aside: bool,
}

impl<'a> Item<'a> {
    /// The image in a row that exists.
    pub(super) fn new(exploration: &'a Exploration, labelling: &'a Labelling, row: usize) -> Self {
        let session = &labelling.session;
        let class = |number: u16| &session.classes()[usize::from(number)][..];
        let guesses = session.guesses();
        Self {
            row,
            name: &exploration.names[row],
            label: session.labels()[row].map(class),
            guess: guesses.map(|guesses| class(guesses.classes[row])),
            probability: guesses.map(|guesses| guesses.probabilities[row]),
            aside: session.aside()[row],
        }
    }
}

/// Checks that there is such an image.
///
/// # Errors
///
/// That there is none.
pub(super) fn check_row(exploration: &Exploration, row: usize) -> Answer<usize> {
    let images = exploration.len();
    if row < images {
        return Ok(row);
    }
    let reason = format!("expected the number of an image, below {images}, found {row}");
    Err(Refusal::none(reason))
}
