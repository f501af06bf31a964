//! The ten shapes that are the classes of the sample.

/// A shape, given by its signed distance function in a frame of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motif {
    Disk,
    Ring,
    Bar,
    Triangle,
    Star,
    Cross,
    Crescent,
    Chevron,
    Heart,
    Zigzag,
}

type Point = [f32; 2];

/// Inner radius of the ring whose outer radius is 1.
const RING_HOLE: f32 = 0.62;
/// Centre and radius of the disk that is cut out of a unit disk to make the crescent.
const CRESCENT_CUT: (Point, f32) = ([0.5, 0.0], 0.85);

const BAR: [Point; 4] = [[-1.0, -0.27], [1.0, -0.27], [1.0, 0.27], [-1.0, 0.27]];
const TRIANGLE: [Point; 3] = [[0.0, -1.0], [0.866_025_4, 0.5], [-0.866_025_4, 0.5]];
/// Outer radius 1, inner radius 0.42.
const STAR: [Point; 10] = [
    [0.0, -1.0],
    [0.246_869_8, -0.339_787_1],
    [0.951_056_5, -0.309_017],
    [0.399_443_7, 0.129_787_1],
    [0.587_785_3, 0.809_017],
    [0.0, 0.42],
    [-0.587_785_3, 0.809_017],
    [-0.399_443_7, 0.129_787_1],
    [-0.951_056_5, -0.309_017],
    [-0.246_869_8, -0.339_787_1],
];
const CROSS: [Point; 12] = [
    [-0.27, -1.0],
    [0.27, -1.0],
    [0.27, -0.27],
    [1.0, -0.27],
    [1.0, 0.27],
    [0.27, 0.27],
    [0.27, 1.0],
    [-0.27, 1.0],
    [-0.27, 0.27],
    [-1.0, 0.27],
    [-1.0, -0.27],
    [-0.27, -0.27],
];
const CHEVRON: [Point; 6] =
    [[0.0, -0.8], [1.0, 0.2], [1.0, 0.8], [0.0, -0.2], [-1.0, 0.8], [-1.0, 0.2]];
/// A square on its tip, which two disks over its upper edges make a heart.
const HEART_TIP: [Point; 4] = [[0.0, -0.63], [0.63, 0.0], [0.0, 0.63], [-0.63, 0.0]];
const HEART_LOBE: (Point, f32) = ([0.315, -0.315], 0.445_477_3);
/// Three strokes like a Z, each 0.36 thick.
const ZIGZAG: [Point; 10] = [
    [-0.8, -0.9],
    [0.8, -0.9],
    [0.8, -0.54],
    [-0.25, 0.54],
    [0.8, 0.54],
    [0.8, 0.9],
    [-0.8, 0.9],
    [-0.8, 0.54],
    [0.25, -0.54],
    [-0.8, -0.54],
];

impl Motif {
    /// All motifs in the order of their labels.
    pub(super) const ALL: [Self; 10] = [
        Self::Disk,
        Self::Ring,
        Self::Bar,
        Self::Triangle,
        Self::Star,
        Self::Cross,
        Self::Crescent,
        Self::Chevron,
        Self::Heart,
        Self::Zigzag,
    ];

    /// The class name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Ring => "ring",
            Self::Bar => "bar",
            Self::Triangle => "triangle",
            Self::Star => "star",
            Self::Cross => "cross",
            Self::Crescent => "crescent",
            Self::Chevron => "chevron",
            Self::Heart => "heart",
            Self::Zigzag => "zigzag",
        }
    }

    /// Distance from `point` to the edge in the motif's frame, negative inside.
    ///
    /// Exact for the polygons, the disk and the ring. For the crescent and the heart, which combine several shapes, it
    /// is a bound that is exact near the edge, where it is used.
    pub(super) fn signed_distance(self, point: Point) -> f32 {
        match self {
            Self::Disk => norm(point) - 1.0,
            Self::Ring => {
                let radius = norm(point);
                (radius - 1.0).max(RING_HOLE - radius)
            }
            Self::Bar => to_polygon(&BAR, point),
            Self::Triangle => to_polygon(&TRIANGLE, point),
            Self::Star => to_polygon(&STAR, point),
            Self::Cross => to_polygon(&CROSS, point),
            Self::Crescent => (norm(point) - 1.0).max(-to_disk(CRESCENT_CUT, point)),
            Self::Chevron => to_polygon(&CHEVRON, point),
            Self::Heart => {
                let mirrored = [point[0].abs(), point[1]];
                to_polygon(&HEART_TIP, point).min(to_disk(HEART_LOBE, mirrored))
            }
            Self::Zigzag => to_polygon(&ZIGZAG, point),
        }
    }

    /// Area in the motif's frame (the crescent's by numeric integration).
    pub(super) fn area(self) -> f32 {
        use std::f32::consts::PI;
        match self {
            Self::Disk => PI,
            Self::Ring => PI * (1.0 - RING_HOLE * RING_HOLE),
            Self::Bar => polygon_area(&BAR),
            Self::Triangle => polygon_area(&TRIANGLE),
            Self::Star => polygon_area(&STAR),
            Self::Cross => polygon_area(&CROSS),
            Self::Crescent => 1.3928,
            Self::Chevron => polygon_area(&CHEVRON),
            // Half of each lobe lies outside the square.
            Self::Heart => polygon_area(&HEART_TIP) + PI * HEART_LOBE.1 * HEART_LOBE.1,
            Self::Zigzag => polygon_area(&ZIGZAG),
        }
    }

    /// Radius of a circle around the frame's origin that contains the whole motif.
    pub(super) fn reach(self) -> f32 {
        match self {
            Self::Zigzag => 1.21,
            Self::Chevron => 1.29,
            Self::Cross | Self::Bar => 1.04,
            _ => 1.0,
        }
    }
}

fn norm([x, y]: Point) -> f32 {
    (x * x + y * y).sqrt()
}

fn to_disk((centre, radius): (Point, f32), [x, y]: Point) -> f32 {
    norm([x - centre[0], y - centre[1]]) - radius
}

/// The distance to the nearest edge, with the sign of the even-odd rule.
fn to_polygon(corners: &[Point], [x, y]: Point) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let mut previous = corners[corners.len() - 1];
    for &corner in corners {
        let edge = [previous[0] - corner[0], previous[1] - corner[1]];
        let from = [x - corner[0], y - corner[1]];
        let along =
            (from[0] * edge[0] + from[1] * edge[1]) / (edge[0] * edge[0] + edge[1] * edge[1]);
        let along = along.clamp(0.0, 1.0);
        let away = [from[0] - along * edge[0], from[1] - along * edge[1]];
        nearest = nearest.min(away[0] * away[0] + away[1] * away[1]);
        if (corner[1] > y) != (previous[1] > y) && x < corner[0] + from[1] / edge[1] * edge[0] {
            inside = !inside;
        }
        previous = corner;
    }
    if inside { -nearest.sqrt() } else { nearest.sqrt() }
}

/// The shoelace formula.
fn polygon_area(corners: &[Point]) -> f32 {
    let mut previous = corners[corners.len() - 1];
    let mut twice = 0.0;
    for &corner in corners {
        twice += previous[0] * corner[1] - corner[0] * previous[1];
        previous = corner;
    }
    twice.abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of the points of a fine grid over -1.5..1.5 that lie inside, times the grid's area.
    fn integrated_area(motif: Motif) -> f32 {
        let side = 600;
        let step = 3.0 / side as f32;
        let at = |i: i32| -1.5 + (i as f32 + 0.5) * step;
        let inside =
            (0..side * side).filter(|i| motif.signed_distance([at(i % side), at(i / side)]) < 0.0);
        inside.count() as f32 * step * step
    }

    #[test]
    fn stated_areas_agree_with_numeric_integration() {
        for motif in Motif::ALL {
            let (stated, integrated) = (motif.area(), integrated_area(motif));
            assert!(
                (stated - integrated).abs() < 0.01,
                "{motif:?}: stated {stated}, integrated {integrated}"
            );
        }
    }

    #[test]
    fn every_motif_lies_within_its_reach() {
        for motif in Motif::ALL {
            for i in 0..300 * 300 {
                let point = [(i % 300) as f32 / 100.0 - 1.5, (i / 300) as f32 / 100.0 - 1.5];
                let inside = motif.signed_distance(point) < 0.0;
                assert!(!inside || norm(point) <= motif.reach(), "{motif:?} at {point:?}");
            }
        }
    }
}
