//! What is in a set of images.

use serde_json::{Value, json};
use simclr::data::{ImageDataset, printable};

use super::findings::{Checked, Findings};
use crate::output::Output;

/// A set of images, read.
pub(super) struct SetReport {
    title: &'static str,
    /// The place of each image among the findings.
    pub(super) images: Vec<usize>,
    classes: Vec<(String, usize)>,
    /// Least, median and largest width and height in pixels.
    sides: Option<[[u32; 3]; 2]>,
    unreadable: usize,
}

impl SetReport {
    /// On the set `images`, whose images are at `places` among the findings.
    pub(super) fn of(
        title: &'static str,
        images: &dyn ImageDataset,
        places: Vec<usize>,
        findings: &Findings,
    ) -> Self {
        let mut classes: Vec<_> =
            images.class_names().iter().map(|name| (name.clone(), 0)).collect();
        for class in (0..images.len()).filter_map(|index| images.label(index)) {
            if let Some((_, count)) = classes.get_mut(class) {
                *count += 1;
            }
        }
        let usable: Vec<_> = places.iter().filter_map(|&place| findings.usable(place)).collect();
        let sides = spread(&usable, |image| image.width).zip(spread(&usable, |image| image.height));
        let unreadable = places.len() - usable.len();
        Self { title, images: places, classes, sides: sides.map(<[_; 2]>::from), unreadable }
    }

    pub(super) fn print(&self, output: &Output) {
        output.line(format!("\n{}: {} images", self.title, self.images.len()));
        if let Some(sides) = self.sides {
            let [width, height] =
                sides.map(|[least, median, most]| format!("{least} to {most} ({median})"));
            output.line(format!("  width {width}, height {height} pixels (median)"));
        }
        for (class, count) in &self.classes {
            output.line(format!("  {count:>7}  {}", printable(class)));
        }
        if self.unreadable > 0 {
            output.line(format!("  not usable: {}", self.unreadable));
        }
    }

    pub(super) fn json(&self) -> Value {
        let class = |(class, count): &(String, usize)| json!({ "class": class, "images": count });
        json!({
            "set": self.title,
            "images": self.images.len(),
            "classes": self.classes.iter().map(class).collect::<Vec<_>>(),
            "width": self.sides.map(|sides| sides[0]),
            "height": self.sides.map(|sides| sides[1]),
            "unreadable": self.unreadable,
        })
    }
}

/// Least, median and largest of a measure.
fn spread(images: &[&Checked], measure: impl Fn(&Checked) -> u32) -> Option<[u32; 3]> {
    let mut values: Vec<u32> = images.iter().map(|image| measure(image)).collect();
    values.sort_unstable();
    Some([*values.first()?, values[values.len() / 2], *values.last()?])
}
