//! Which images a report looks at.

use simclr_range::OutOfRange;

/// The most points of a map: the page draws each of them, and holds its thumbnail.
const MOST_POINTS: usize = 20_000;

/// How many images a report looks at, and which.
///
/// [`RunReport::new`](crate::RunReport::new) checks the ranges.
///
/// ```
/// use simclr_report::ReportConfig;
///
/// let quick = ReportConfig { max_images: 200, ..ReportConfig::default() };
/// assert_eq!((quick.map_points, quick.seed), (1000, 0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportConfig {
    /// The most images of each set that are embedded, at least 1: of the training set and of the test set, or, without
    /// labels, of the images that the run was pretrained on. The seed draws them from a larger set.
    pub max_images: usize,
    /// The most points of the map, 1 to 20000. Each makes the page some 3 kB larger.
    pub map_points: usize,
    /// Draws the images, and the map's start.
    pub seed: u64,
}

impl Default for ReportConfig {
    /// 2,000 images and 1,000 points: about a minute for a small encoder on two cores, and a page of three or four
    /// megabytes.
    fn default() -> Self {
        Self { max_images: 2000, map_points: 1000, seed: 0 }
    }
}

impl ReportConfig {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let Self { max_images, map_points, .. } = *self;
        OutOfRange::unless(max_images >= 1, "max_images", "at least 1", max_images)?;
        let drawable = (1..=MOST_POINTS).contains(&map_points);
        OutOfRange::unless(drawable, "map_points", format!("in 1..={MOST_POINTS}"), map_points)
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
    fn a_map_has_a_point_and_at_most_twenty_thousand() {
        for map_points in [0, 20_001] {
            let config = ReportConfig { map_points, ..ReportConfig::default() };
            let expected = format!("expected map_points to be in 1..=20000, found {map_points}");
            assert_eq!(refusal(config), expected);
        }
        assert!(ReportConfig { map_points: 20_000, ..ReportConfig::default() }.check().is_ok());
    }
}
