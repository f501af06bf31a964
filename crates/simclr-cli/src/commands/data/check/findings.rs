//! What reading the images shows.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;
use serde_json::{Value, json};
use simclr::data::{DataError, ImageDataset, Subset, misnamed, printable};
use simclr::embed::pixel_checksum;

use crate::output::{NAMED, Output, reason};
use crate::watched::watched;

/// An image that can be used.
pub(super) struct Checked {
    pub(super) width: u32,
    pub(super) height: u32,
    /// The SHA-256 of its size and pixels.
    pub(super) digest: [u8; 32],
    /// The format that its file holds, if it is called like one of another format.
    holds: Option<&'static str>,
}

/// An image, and what is found; if it cannot be used, why.
struct Finding {
    name: String,
    outcome: Result<Checked, String>,
}

/// Findings on the images of one set or several, each read once.
#[derive(Default)]
pub(super) struct Findings {
    all: Vec<Finding>,
    by_name: HashMap<String, usize>,
}

impl Findings {
    /// Reads the images of a set that are new. Returns the place of each image of the set among the findings.
    pub(super) fn add(&mut self, images: &Arc<dyn ImageDataset>) -> Result<Vec<usize>> {
        let is_new = |&index: &usize| !self.by_name.contains_key(&images.name(index));
        let new: Vec<usize> = (0..images.len()).filter(is_new).collect();
        if !new.is_empty() {
            let new = watched("reading", Subset::new(Arc::clone(images), new)?);
            let outcomes: Vec<_> =
                (0..new.len()).into_par_iter().map(|index| check(&new, index)).collect();
            for (index, outcome) in outcomes.into_iter().enumerate() {
                let outcome = match outcome {
                    Err(error) if !error.is_one_image() => return Err(error.into()),
                    outcome => outcome.map_err(|error| reason(&error)),
                };
                let name = new.name(index);
                self.by_name.insert(name.clone(), self.all.len());
                self.all.push(Finding { name, outcome });
            }
        }
        Ok((0..images.len()).map(|index| self.by_name[&images.name(index)]).collect())
    }

    pub(super) fn name(&self, place: usize) -> &str {
        &self.all[place].name
    }

    /// What is found about an image that can be used.
    pub(super) fn usable(&self, place: usize) -> Option<&Checked> {
        self.all[place].outcome.as_ref().ok()
    }

    /// The images that cannot be used, and why.
    pub(super) fn unreadable(&self) -> Vec<(&str, &str)> {
        let faults = self.all.iter().filter_map(|Finding { name, outcome }| {
            outcome.as_ref().err().map(|reason| (name.as_str(), reason.as_str()))
        });
        faults.collect()
    }

    /// Images whose files are called like another format, and the format that they hold.
    fn misnamed(&self) -> Vec<(&str, &str)> {
        let misnamed = self.all.iter().filter_map(|Finding { name, outcome }| {
            Some((name.as_str(), outcome.as_ref().ok()?.holds?))
        });
        misnamed.collect()
    }

    /// Groups of images with the same pixels.
    fn duplicates(&self) -> Vec<Vec<&str>> {
        let mut group_of: HashMap<[u8; 32], usize> = HashMap::new();
        let mut groups: Vec<Vec<&str>> = Vec::new();
        for Finding { name, outcome } in &self.all {
            let Ok(image) = outcome else { continue };
            let group = *group_of.entry(image.digest).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(name);
        }
        groups.retain(|group| group.len() > 1);
        groups
    }

    /// Names all images that cannot be used, and the first few of those that may surprise.
    pub(super) fn print(&self, output: &Output) {
        let unreadable = self.unreadable();
        if !unreadable.is_empty() {
            output.line(format!("\nimages that are not usable: {}", unreadable.len()));
        }
        for (name, reason) in unreadable {
            output.line(format!("  {}: {}", printable(name), printable(reason)));
        }
        let duplicates = self.duplicates();
        if !duplicates.is_empty() {
            let images: usize = duplicates.iter().map(Vec::len).sum();
            output
                .line(format!("\nthe same pixels: {images} images in {} groups", duplicates.len()));
        }
        let groups = duplicates.iter().map(|group| few(group));
        print_few(output, groups);
        let misnamed = self.misnamed();
        if !misnamed.is_empty() {
            output.line(format!("\ncalled like another format: {} images", misnamed.len()));
        }
        print_few(output, misnamed.iter().map(|(name, holds)| format!("{name} holds {holds}")));
    }

    /// Adds everything to the report for machines.
    pub(super) fn add_to(&self, report: &mut Value) {
        let unreadable = self.unreadable();
        let unreadable =
            unreadable.iter().map(|(name, why)| json!({ "image": name, "reason": why }));
        let misnamed = self.misnamed();
        let misnamed =
            misnamed.iter().map(|(name, holds)| json!({ "image": name, "holds": holds }));
        report["unreadable"] = unreadable.collect();
        report["misnamed"] = misnamed.collect();
        report["duplicates"] = json!(self.duplicates());
    }
}

fn check(images: &dyn ImageDataset, index: usize) -> Result<Checked, DataError> {
    let image = images.image(index)?;
    let (width, height) = image.dimensions();
    let digest = pixel_checksum(&image);
    Ok(Checked { width, height, digest, holds: images.path(index).and_then(misnamed) })
}

/// The first few names of a group.
fn few(group: &[&str]) -> String {
    let names = group.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if group.len() > NAMED { format!("{names} and {} more", group.len() - NAMED) } else { names }
}

/// The first few lines of a list.
fn print_few(output: &Output, lines: impl ExactSizeIterator<Item = String>) {
    let count = lines.len();
    lines.take(NAMED).for_each(|line| output.line(format!("  {}", printable(&line))));
    if count > NAMED {
        output.line(format!("  and {} more; --json names all", count - NAMED));
    }
}
