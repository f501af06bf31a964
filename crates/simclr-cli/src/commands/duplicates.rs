//! `simclr duplicates`.

use std::sync::OnceLock;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use simclr::data::{ImageDataset, WholeSet, printable};
use simclr::embed::{Duplicate, DuplicateGroup, DuplicateSearch, Fingerprint, Relation};

use crate::bar::Bar;
use crate::output::Output;
use crate::photo_args::PhotoArgs;
use crate::table_args::TableArgs;

/// The columns of the table.
const COLUMNS: [&str; 9] =
    ["group", "name", "relation", "of", "likeness", "mirrored", "width", "height", "bytes"];

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    photos: PhotoArgs,
    /// For sets of 20,000 images and more, whose nearest images are searched by chance
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    table: TableArgs,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        self.table.check()?;
        let (photos, prints) = self.photos.embed_with_fingerprints()?;
        let search = DuplicateSearch {
            images: &photos.images,
            fingerprints: &prints,
            embedded: Some(&photos.embedded),
            seed: self.seed,
        };
        let device = photos.embedder.device();
        let bar = OnceLock::new();
        let compared = |done, of| {
            bar.get_or_init(|| Bar::new("comparing pixels", of, "images")).set(done);
        };
        let groups = search.find_telling(device, &compared)?;
        drop(bar);
        let found = Found { images: &photos.images, prints: &prints, groups };
        found.print(output);
        let mut result = found.json();
        result["images"] = photos.names().len().into();
        result["skipped_images"] = photos.embedded.skipped.len().into();
        self.table.write(COLUMNS, found.rows(), output, result)
    }
}

/// Groups of copies, for people and machines.
struct Found<'a> {
    images: &'a WholeSet,
    prints: &'a [Option<Fingerprint>],
    groups: Vec<DuplicateGroup>,
}

impl Found<'_> {
    fn print(&self, output: &Output) {
        for group in &self.groups {
            let best = group.members[0].index;
            let (count, name) = (group.members.len() - 1, self.name(best));
            let copies = if count == 1 { "1 copy".to_owned() } else { format!("{count} copies") };
            output.line(format!("{copies} of {name} ({})", self.size(best)));
            for member in &group.members[1..] {
                let of = of(member.relation).filter(|&of| of != best);
                let of = of.map_or(String::new(), |of| format!(" of {}", self.name(of)));
                let relation = in_words(member.relation);
                let (name, size) = (self.name(member.index), self.size(member.index));
                output.line(format!("  {relation:<22} {name} ({size}){of}"));
            }
        }
        let [bytes, pixels, near] = self.counts();
        let groups = if self.groups.len() == 1 { "group" } else { "groups" };
        output.line(format!(
            "{} {groups}: {bytes} copies of the same bytes, {pixels} of the same pixels, {near} near duplicates",
            self.groups.len()
        ));
    }

    fn name(&self, index: usize) -> String {
        printable(&self.images.name(index))
    }

    /// Width and height.
    fn dimensions(&self, index: usize) -> [u32; 2] {
        let print = self.prints[index].as_ref();
        print.map_or([0, 0], |print| [print.width(), print.height()])
    }

    fn size(&self, index: usize) -> String {
        let [width, height] = self.dimensions(index);
        format!("{width} x {height}")
    }

    /// Copies of the same bytes, of the same pixels, and near ones.
    fn counts(&self) -> [usize; 3] {
        let members = || self.groups.iter().flat_map(|group| &group.members);
        [
            members().filter(|it| matches!(it.relation, Relation::SameBytes { .. })).count(),
            members().filter(|it| matches!(it.relation, Relation::SamePixels { .. })).count(),
            members().filter(|it| matches!(it.relation, Relation::Near { .. })).count(),
        ]
    }

    fn json(&self) -> Value {
        let member = |Duplicate { index, relation }: &Duplicate| {
            let [width, height] = self.dimensions(*index);
            let mut member = json!({
                "name": self.images.name(*index),
                "relation": key(*relation),
                "width": width,
                "height": height,
                "bytes": self.images.stored_size(*index),
            });
            if let Some(of) = of(*relation) {
                member["of"] = self.images.name(of).into();
            }
            if let Relation::Near { likeness, mirrored, .. } = *relation {
                member["likeness"] = likeness.into();
                member["mirrored"] = mirrored.into();
            }
            member
        };
        let group = |group: &DuplicateGroup| -> Value {
            let members: Vec<Value> = group.members.iter().map(member).collect();
            json!({ "best": self.images.name(group.members[0].index), "images": members })
        };
        let [bytes, pixels, near] = self.counts();
        json!({
            "groups": self.groups.iter().map(group).collect::<Vec<_>>(),
            "same_bytes": bytes,
            "same_pixels": pixels,
            "near": near,
        })
    }

    fn rows(&self) -> impl Iterator<Item = [String; 9]> {
        let groups = self.groups.iter().zip(1..);
        groups.flat_map(move |(group, number)| {
            group.members.iter().map(move |it| self.row(number, it))
        })
    }

    fn row(&self, group: usize, Duplicate { index, relation }: &Duplicate) -> [String; 9] {
        let [width, height] = self.dimensions(*index);
        let (likeness, mirrored) = match *relation {
            Relation::Near { likeness, mirrored, .. } => {
                (format!("{likeness:.4}"), u8::from(mirrored).to_string())
            }
            _ => (String::new(), String::new()),
        };
        [
            group.to_string(),
            self.images.name(*index),
            key(*relation).to_owned(),
            of(*relation).map_or(String::new(), |of| self.images.name(of)),
            likeness,
            mirrored,
            width.to_string(),
            height.to_string(),
            self.images.stored_size(*index).map_or(String::new(), |bytes| bytes.to_string()),
        ]
    }
}

/// The image that another one is a copy of.
fn of(relation: Relation) -> Option<usize> {
    match relation {
        Relation::SameBytes { of } | Relation::SamePixels { of } | Relation::Near { of, .. } => {
            Some(of)
        }
        _ => None,
    }
}

/// The relation, for machines.
fn key(relation: Relation) -> &'static str {
    match relation {
        Relation::SameBytes { .. } => "same_bytes",
        Relation::SamePixels { .. } => "same_pixels",
        Relation::Near { .. } => "near",
        _ => "best",
    }
}

fn in_words(relation: Relation) -> String {
    match relation {
        Relation::SameBytes { .. } => "same bytes".to_owned(),
        Relation::SamePixels { .. } => "same pixels".to_owned(),
        Relation::Near { likeness, mirrored: false, .. } => format!("near, {likeness:.3}"),
        Relation::Near { likeness, .. } => format!("near, {likeness:.3}, mirrored"),
        _ => "best".to_owned(),
    }
}
