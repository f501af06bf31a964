//! The classes of a set of files.

use std::collections::BTreeMap;

use super::image_file::Opened;
use crate::{
    DataError, escape_name,
    shards::{columns::NO_LABEL, layout::names_of},
};

/// The class of each image, and what the classes are called.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// An index into `names`, or [`NO_LABEL`]; nothing without classes.
    pub(super) labels: Vec<u32>,
    pub(super) names: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Classes {
    /// Those of all files, in their order.
    ///
    /// # Errors
    ///
    /// [`DataError::Parquet`] for files that call the same classes by other names.
    pub(super) fn of(files: &mut [Opened]) -> Result<Self, DataError> {
        let mut known: Option<&Vec<String>> = None;
        for Opened { file, class_names, .. } in &*files {
            let Some(names) = class_names else { continue };
            if *known.get_or_insert(names) != names {
                let found = "other names of classes than in the files before".to_owned();
                return Err(DataError::Parquet { path: file.path.clone(), found });
            }
        }
        let mut warnings = Vec::new();
        for Opened { file, unclear, .. } in &*files {
            if let Some(column) = unclear {
                let (path, column) = (escape_name(&file.path), crate::printable(column));
                warnings.push(format!("the column `{column}` of {path} holds no whole numbers, and no classes are made of it"));
                break;
            }
        }
        let mut numbered: BTreeMap<u64, Option<&String>> = known
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(at, name)| (at as u64, Some(name)))
            .collect();
        let mut nameless = 0_usize;
        for number in
            files.iter().flat_map(|of| &of.numbers).filter_map(|&it| u64::try_from(it).ok())
        {
            if known.is_none() {
                numbered.entry(number).or_default();
            } else if !numbered.contains_key(&number) {
                nameless += 1;
            }
        }
        if nameless > 0 {
            warnings.push(format!(
                "{nameless} images have a number of no class, and count as images without one"
            ));
        }
        let names = names_of(&numbered);
        let places: BTreeMap<u64, u32> = numbered.into_keys().zip(0..).collect();
        let place = |number: i64| {
            u64::try_from(number).ok().and_then(|number| places.get(&number)).copied()
        };
        let mut labels = Vec::new();
        if !names.is_empty() {
            for Opened { file, numbers, .. } in files.iter_mut() {
                let numbers = std::mem::take(numbers);
                let missing = file.rows() as usize - numbers.len();
                labels.extend(numbers.into_iter().map(|number| place(number).unwrap_or(NO_LABEL)));
                labels.extend(std::iter::repeat_n(NO_LABEL, missing));
            }
        }
        Ok(Self { labels, names, warnings })
    }
}
