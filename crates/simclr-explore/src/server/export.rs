//! Tables to take away.

use super::answer::{Response, bytes_of};
use crate::exploration::Exploration;
use crate::labels::{LabelSession, label_table};

/// `name,label`, of each image with a label.
pub(super) fn labels(exploration: &Exploration) -> Response {
    let labelling = exploration.labelling();
    let session = &labelling.session;
    let labels = session.by_class().into_iter();
    let lines = labels.map(|(row, class)| [&exploration.names[row][..], class]);
    table("labels.csv", label_table(["name", "label"], lines))
}

/// `name,class,probability,source`, of each image that is not set aside: its label, of probability 1, or else what the classifier makes of it. `simclr sort` reads it.
pub(super) fn predictions(exploration: &Exploration) -> Response {
    let labelling = exploration.labelling();
    let session = &labelling.session;
    let rows = (0..exploration.len()).filter(|&row| !session.aside()[row]);
    let lines = rows.filter_map(|row| prediction(exploration, session, row));
    table("predictions.csv", label_table(["name", "class", "probability", "source"], lines))
}

fn prediction(
    exploration: &Exploration,
    session: &LabelSession,
    row: usize,
) -> Option<[String; 4]> {
    let class = |number: u16| session.classes()[usize::from(number)].clone();
    let (class, probability, source) = match (session.labels()[row], session.guesses()) {
        (Some(label), _) => (class(label), "1".to_owned(), "label"),
        (None, Some(guesses)) => {
            (class(guesses.classes[row]), guesses.probabilities[row].to_string(), "prediction")
        }
        (None, None) => return None,
    };
    Some([exploration.names[row].clone(), class, probability, source.to_owned()])
}

fn table(name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    bytes_of("text/csv; charset=utf-8", bytes).with("content-disposition", disposition)
}
