//! Lines around the groups on the map.

use crate::grouping::Grouping;

/// Cells along each side of the map, and those beside it.
const CELLS: usize = 96;
const MARGIN: usize = 4;
const SIDE: usize = CELLS + 2 * MARGIN;
/// How often neighbouring cells are averaged: the width of a point's surroundings grows with its root.
const BLURS: usize = 3;
/// Share of the densest cell of a group below which there is none of it.
const THIN: f32 = 0.06;

/// A line of the map, from one point to another: `[x, y, x, y]`, in the units of the map.
pub(crate) type Segment = [f32; 4];

/// The lines around each group: where its images are denser than those of any other group, and not few. Images of a group that lie scattered among others are
/// outside.
pub(crate) fn outlines(positions: &[[f32; 2]], grouping: &Grouping) -> Vec<Vec<Segment>> {
    let fields: Vec<Vec<f32>> =
        (0..grouping.medoids.len()).map(|group| density(positions, grouping, group)).collect();
    let mut highest = vec![[0.0_f32; 2]; SIDE * SIDE];
    for field in &fields {
        for (highest, &value) in highest.iter_mut().zip(field) {
            if value > highest[0] {
                *highest = [value, highest[0]];
            } else {
                highest[1] = highest[1].max(value);
            }
        }
    }
    let lead = |field: &Vec<f32>| -> Vec<f32> {
        let thin = THIN * field.iter().copied().fold(0.0, f32::max);
        let beyond = |(&value, highest): (&f32, &[f32; 2])| {
            // The densest of the others.
            let other = if value < highest[0] { highest[0] } else { highest[1] };
            value - other.max(thin)
        };
        field.iter().zip(&highest).map(beyond).collect()
    };
    fields.iter().map(|field| contour(&lead(field))).collect()
}

/// How dense a group is in each cell.
fn density(positions: &[[f32; 2]], grouping: &Grouping, group: usize) -> Vec<f32> {
    let mut field = vec![0.0; SIDE * SIDE];
    let cell = |x: f32| MARGIN + ((x * CELLS as f32) as usize).min(CELLS - 1);
    for (place, _) in
        positions.iter().zip(&grouping.of).filter(|(_, of)| usize::from(**of) == group)
    {
        field[cell(place[1]) * SIDE + cell(place[0])] += 1.0;
    }
    for _ in 0..BLURS {
        field = blurred(&blurred(&field, 1), SIDE);
    }
    field
}

/// The mean of each cell and its neighbours at a distance of `step`, the cell itself twice.
fn blurred(field: &[f32], step: usize) -> Vec<f32> {
    let at = |at: Option<usize>| at.and_then(|at| field.get(at)).copied().unwrap_or(0.0);
    let mean = |cell: usize| {
        0.25 * (at(cell.checked_sub(step)) + at(cell.checked_add(step))) + 0.5 * field[cell]
    };
    (0..field.len()).map(mean).collect()
}

/// Where a field crosses 0: marching squares between the cells' centres.
fn contour(field: &[f32]) -> Vec<Segment> {
    let mut segments = Vec::new();
    for row in 0..SIDE - 1 {
        for column in 0..SIDE - 1 {
            let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(x, y)| {
                let (column, row) = (column + x, row + y);
                (column as f32, row as f32, field[row * SIDE + column])
            });
            let mut crossings = Vec::new();
            for (a, b) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
                let (a, b) = (corners[a], corners[b]);
                if (a.2 > 0.0) != (b.2 > 0.0) {
                    let share = a.2 / (a.2 - b.2);
                    crossings.push([a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1)]);
                }
            }
            for pair in crossings.chunks_exact(2) {
                let on_map = |cells: f32| (cells + 0.5 - MARGIN as f32) / CELLS as f32;
                let [[x0, y0], [x1, y1]] = [pair[0], pair[1]].map(|point| point.map(on_map));
                segments.push([x0, y0, x1, y1]);
            }
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a point is inside of lines: a ray to the right crosses them an odd number of times.
    fn is_inside([x, y]: [f32; 2], lines: &[Segment]) -> bool {
        let crosses = |&&[x0, y0, x1, y1]: &&Segment| {
            (y0 > y) != (y1 > y) && x < x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        };
        lines.iter().filter(crosses).count() % 2 == 1
    }

    #[test]
    fn each_group_is_inside_of_its_own_lines_alone() {
        let mut positions = Vec::new();
        let mut of = Vec::new();
        for i in 0..400_u16 {
            let (x, y) = (f32::from(i % 20) / 100.0, f32::from(i / 20) / 100.0);
            positions.extend([[0.1 + x, 0.1 + y], [0.7 + x, 0.6 + y]]);
            of.extend([0, 1]);
        }
        // One of the first group that is far from it.
        positions.push([0.8, 0.7]);
        of.push(0);
        let grouping = Grouping { of, medoids: vec![0, 1] };
        let lines = outlines(&positions, &grouping);
        for (place, inside) in
            [([0.2, 0.2], [true, false]), ([0.8, 0.7], [false, true]), ([0.5, 0.5], [false; 2])]
        {
            assert_eq!([0, 1].map(|group| is_inside(place, &lines[group])), inside, "{place:?}");
        }
    }

    #[test]
    fn groups_at_the_edge_and_of_one_point_have_closed_lines() {
        let grouping = Grouping { of: vec![0, 1, 1], medoids: vec![0, 1] };
        let lines = outlines(&[[0.0, 0.0], [1.0, 1.0], [1.0, 0.5]], &grouping);
        assert!(is_inside([0.0, 0.0], &lines[0]) && is_inside([1.0, 1.0], &lines[1]));
        for lines in lines {
            // Each end of a line is an end of another.
            let ends = lines.iter().flat_map(|&[x0, y0, x1, y1]| [[x0, y0], [x1, y1]]);
            let mut ends: Vec<[i32; 2]> =
                ends.map(|end| end.map(|x| (x * 1e4).round() as i32)).collect();
            ends.sort_unstable();
            assert!(ends.chunks(2).all(|pair| pair.len() == 2 && pair[0] == pair[1]));
        }
    }
}
