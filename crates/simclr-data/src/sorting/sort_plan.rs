//! What sorting will do, before it does anything.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::class_folder::unfit;
use super::label_table::{LabelTable, LabelledName};
use super::sort_error::SortError;
use super::sort_step::{SortAction, SortStep};
use super::step_state::StepState;
use super::unfinished_folder::UnfinishedFolder;
use crate::unescape_name;

/// Which files to sort, to where, and how.
#[derive(Debug, Clone, Copy)]
pub struct SortConfig<'a> {
    /// The folder that the table's names lie in.
    pub data: &'a Path,
    /// The folder that gets a folder for each class. It may exist.
    pub out: &'a Path,
    /// How files come there.
    pub action: SortAction,
}

/// What sorting will do: everything is checked before anything is changed.
///
/// A file keeps its path below `data`, inside the folder of its class: `a/1.jpg` of the class `cat` becomes `out/cat/a/1.jpg`. So two files of one name
/// don't meet, and the same table leads to the same places again: a plan made after a stop goes on, and files whose sorted ones have the same content are
/// [done](Self::already).
///
/// ```
/// use simclr_data::{LabelTable, SortAction, SortConfig, SortPlan};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// std::fs::create_dir(folder.join("photos"))?;
/// std::fs::write(folder.join("photos/1.jpg"), "a photo of a cat")?;
/// std::fs::write(folder.join("labels.csv"), "name,label\n1.jpg,cat\n")?;
///
/// let table = LabelTable::read(folder.join("labels.csv"))?;
/// let (data, out) = (folder.join("photos"), folder.join("sorted"));
/// let config = SortConfig { data: &data, out: &out, action: SortAction::Copy };
/// let plan = SortPlan::new(&table, &config)?;
/// assert_eq!(plan.steps()[0].to, out.join("cat/1.jpg"));
/// plan.carry_out(|_| true)?;
/// assert!(out.join("cat/1.jpg").is_file());
/// assert_eq!(SortPlan::new(&table, &config)?.already(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SortPlan {
    out: PathBuf,
    action: SortAction,
    steps: Vec<SortStep>,
    already: usize,
    classes: BTreeMap<String, usize>,
}

/// How far sorting got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorted {
    /// Steps that were taken.
    pub done: usize,
    /// Steps that were not, as it was stopped.
    pub left: usize,
}

impl SortPlan {
    /// The plan for the images of `table`, whose names are those of a data set in `config.data` ([escaped](crate::escape_name) paths inside it), or paths
    /// from the current folder or from the root that lead there, as `simclr classify` writes them.
    ///
    /// It compares sorted files that are there already, byte by byte.
    ///
    /// # Errors
    ///
    /// [`SortError`]: a class that cannot be a folder's name, or differs from another in upper and lower case alone; a name that leads out of the folder or to no file;
    /// another file or no folder where something is to be.
    pub fn new(table: &LabelTable, config: &SortConfig) -> Result<Self, SortError> {
        let classes = checked_classes(table.rows())?;
        check_folder(config.out)?;
        classes.keys().try_for_each(|class| check_folder(&config.out.join(class)))?;
        let data = std::path::absolute(config.data).map_err(SortError::read(config.data))?;
        let places = table.rows().iter().map(|row| place(row, &data, config));
        let places = places.collect::<Result<Vec<SortStep>, _>>()?;
        let states: Vec<StepState> = places
            .par_iter()
            .map(|step| StepState::of(step, config.action))
            .collect::<Result<_, _>>()?;
        let missing: Vec<usize> =
            (0..states.len()).filter(|&at| states[at] == StepState::Missing).collect();
        if let Some(&first) = missing.first() {
            let LabelledName { name, line, .. } = table.rows()[first].clone();
            let data = config.data.to_owned();
            return Err(SortError::Missing { count: missing.len(), data, line, name });
        }
        let already = states.iter().filter(|&&state| state == StepState::Done).count();
        let ahead = places.into_iter().zip(states).filter(|(_, state)| *state == StepState::Ahead);
        Ok(Self {
            out: config.out.to_owned(),
            action: config.action,
            steps: ahead.map(|(step, _)| step).collect(),
            already,
            classes,
        })
    }

    /// What is to be done, in the order of the table.
    #[must_use]
    pub fn steps(&self) -> &[SortStep] {
        &self.steps
    }

    /// Images that are in the folders of their classes already.
    #[must_use]
    pub fn already(&self) -> usize {
        self.already
    }

    /// The number of images of each class, those that are sorted already among them.
    #[must_use]
    pub fn classes(&self) -> &BTreeMap<String, usize> {
        &self.classes
    }

    /// Takes the steps, in order. After each, `go_on` is told how many are done, and may stop it. Each file appears as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`SortError::Busy`] if another process sorts into the folder; [`SortError::Exists`] for a file that appeared since the plan was made;
    /// [`SortError::Read`] and [`SortError::Write`]. What was done before stays.
    pub fn carry_out(&self, mut go_on: impl FnMut(usize) -> bool) -> Result<Sorted, SortError> {
        let all = self.steps.len();
        if all == 0 {
            return Ok(Sorted { done: 0, left: 0 });
        }
        let unfinished = UnfinishedFolder::begin(&self.out)?;
        for (at, step) in self.steps.iter().enumerate() {
            step.take(self.action, &unfinished.folder)?;
            if !go_on(at + 1) {
                return Ok(Sorted { done: at + 1, left: all - at - 1 });
            }
        }
        Ok(Sorted { done: all, left: 0 })
    }
}

/// The number of images of each class.
fn checked_classes(rows: &[LabelledName]) -> Result<BTreeMap<String, usize>, SortError> {
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    let mut folded: HashMap<String, &str> = HashMap::new();
    for LabelledName { class, line, .. } in rows {
        if let Some(count) = classes.get_mut(class) {
            *count += 1;
            continue;
        }
        if let Some(reason) = unfit(class) {
            return Err(SortError::Class { line: *line, class: class.clone(), reason });
        }
        if let Some(first) = folded.insert(class.to_lowercase(), class) {
            let (first, second) = (first.to_owned(), class.clone());
            return Err(SortError::AlikeClasses { first, second });
        }
        classes.insert(class.clone(), 1);
    }
    Ok(classes)
}

/// Refuses what is there and is no folder.
fn check_folder(path: &Path) -> Result<(), SortError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(SortError::NotAFolder { path: path.to_owned() }),
        // A link that leads nowhere would be in the way.
        Err(_) if path.is_symlink() => Err(SortError::NotAFolder { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SortError::read(path)(error)),
    }
}

/// Where a file lies, and where it is to be.
fn place(row: &LabelledName, data: &Path, config: &SortConfig) -> Result<SortStep, SortError> {
    let LabelledName { name, class, line } = row;
    let below = unescape_name(name).and_then(|path| below(&path, data));
    let below = below.ok_or_else(|| SortError::Outside {
        line: *line,
        name: name.clone(),
        data: config.data.to_owned(),
    })?;
    Ok(SortStep { from: config.data.join(&below), to: config.out.join(class).join(below) })
}

/// The path inside the folder `data`, which is absolute, of a path in it, or one from the current folder; `None` if it leads elsewhere.
fn below(path: &Path, data: &Path) -> Option<PathBuf> {
    let is_plain = |path: &Path| {
        let mut parts = path.components();
        parts.clone().next().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    let is_inside = is_plain(path);
    if is_inside && fs::symlink_metadata(data.join(path)).is_ok() {
        return Some(path.to_owned());
    }
    let named_from_here = std::path::absolute(path).ok();
    let inside = named_from_here.as_deref().and_then(|path| path.strip_prefix(data).ok());
    match inside {
        Some(inside) if is_plain(inside) => Some(inside.to_owned()),
        // It may have been moved.
        _ => is_inside.then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests;
