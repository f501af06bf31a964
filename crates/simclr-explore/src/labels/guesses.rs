//! What the labels say about every image.

/// The likeliest class of each image, and how sure that is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guesses {
    /// The likeliest class, an index into the names of the classes.
    pub classes: Vec<u16>,
    /// Its probability, in 0..=1.
    pub probabilities: Vec<f32>,
    /// That probability less the one of the second class, in 0..=1: what is near 0 is undecided.
    pub margins: Vec<f32>,
}

impl Guesses {
    /// The guesses of rows of probabilities, one for each class.
    pub(super) fn of<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]>) -> Self {
        let mut guesses = Self::default();
        for row in rows {
            let (mut first, mut second) = (0, f32::NEG_INFINITY);
            for (class, &probability) in row.iter().enumerate().skip(1) {
                if probability > row[first] {
                    second = row[first];
                    first = class;
                } else {
                    second = second.max(probability);
                }
            }
            guesses.classes.push(first as u16);
            guesses.probabilities.push(row[first]);
            guesses.margins.push(row[first] - second.max(0.0));
        }
        guesses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_between_the_two_likeliest() {
        let rows = [[0.5_f32, 0.125, 0.375], [0.0, 0.25, 0.75], [0.5, 0.5, 0.0]];
        let guesses = Guesses::of(rows.iter().map(|row| &row[..]));
        assert_eq!(guesses.classes, [0, 2, 0]);
        assert_eq!(guesses.probabilities, [0.5, 0.75, 0.5]);
        assert_eq!(guesses.margins, [0.125, 0.5, 0.0]);
    }
}
