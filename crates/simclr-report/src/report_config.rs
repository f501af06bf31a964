//! How much a report looks at.

use crate::error::ReportError;

/// The most points of a map: t-SNE compares each with all others, a thousand times.
const MOST_POINTS: usize = 5000;

/// How many images a report looks at, and which.
///
/// ```
/// use simclr_report::ReportConfig;
///
/// let quick = ReportConfig { max_images: 200, ..ReportConfig::default() };
/// assert_eq!((quick.map_points, quick.seed), (1000, 0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportConfig {
    /// Images that are embedded, at least 1: as many of the training set, and as many test; or, without labels, as
    /// many of the images that the run was pretrained on. Larger sets are drawn from.
    pub max_images: usize,
    /// Points of the map, 1 to 5000: the time of t-SNE grows with the square, and the page by some 3 kB for
    /// each.
    pub map_points: usize,
    /// Chooses the images, and the start of the map. The same seed makes the same page on the same
    /// backend, byte for byte.
    pub seed: u64,
}

impl Default for ReportConfig {
    /// 2,000 images and 1,000 points: a minute or so for a small encoder on two cores, and a page of
    /// three or four megabytes.
    fn default() -> Self {
        Self { max_images: 2000, map_points: 1000, seed: 0 }
    }
}

impl ReportConfig {
    pub(crate) fn check(&self) -> Result<(), ReportError> {
        if self.max_images == 0 {
            let (field, expected) = ("max_images", "at least 1");
            return Err(ReportError::Config { field, expected, found: self.max_images });
        }
        if !(1..=MOST_POINTS).contains(&self.map_points) {
            let (field, expected) = ("map_points", "in 1..=5000");
            return Err(ReportError::Config { field, expected, found: self.map_points });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(config: ReportConfig) -> String {
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn no_images_are_refused() {
        let config = ReportConfig { max_images: 0, ..ReportConfig::default() };
        assert_eq!(refusal(config), "expected max_images to be at least 1, found 0");
    }

    #[test]
    fn a_map_has_a_point_and_at_most_five_thousand() {
        for map_points in [0, 5001] {
            let config = ReportConfig { map_points, ..ReportConfig::default() };
            let expected = format!("expected map_points to be in 1..=5000, found {map_points}");
            assert_eq!(refusal(config), expected);
        }
        assert!(ReportConfig { map_points: 5000, ..ReportConfig::default() }.check().is_ok());
    }
}
