//! The cells that are trained, on disk.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde::Serialize;
use simclr::data::replace_file;

use crate::transformation::Transformation;

const HEADER: &str = "first,second,seed,linear_probe,knn_top1,loss,seconds";

/// A cell of the matrix, for one seed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    /// The transformations, first and second; the same twice is one alone.
    pub(crate) pair: [Transformation; 2],
    pub(crate) seed: u64,
    /// Top-1 of a linear probe, in 0..=1.
    pub(crate) linear: f64,
    /// Top-1 of kNN, in 0..=1.
    pub(crate) knn: f64,
    /// The mean loss of the last epoch.
    pub(crate) loss: f64,
    /// The time of training and evaluation.
    pub(crate) seconds: f64,
}

impl Cell {
    /// A cell without figures.
    pub(crate) fn untrained(pair: [Transformation; 2], seed: u64) -> Self {
        Self { pair, seed, linear: f64::NAN, knn: f64::NAN, loss: f64::NAN, seconds: 0.0 }
    }

    /// What changes the second view, in order.
    pub(crate) fn transformations(&self) -> &[Transformation] {
        let [first, second] = self.pair;
        if first == second { &self.pair[..1] } else { &self.pair }
    }

    fn to_line(&self) -> String {
        let Self { pair: [first, second], seed, linear, knn, loss, seconds } = self;
        format!("{first},{second},{seed},{linear},{knn},{loss},{seconds:.1}")
    }

    /// `None` if the line is no cell, or its figures are impossible.
    fn from_line(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(',').collect();
        let [first, second, seed, linear, knn, loss, seconds] = fields[..] else { return None };
        let name = |name| Transformation::from_str(name, false).ok();
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        let share = |text| number(text).filter(|share| (0.0..=1.0).contains(share));
        Some(Self {
            pair: [name(first)?, name(second)?],
            seed: seed.parse().ok()?,
            linear: share(linear)?,
            knn: share(knn)?,
            loss: number(loss)?,
            seconds: number(seconds)?,
        })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pair: [first, second], seed, linear, knn, loss, .. } = self;
        let (linear, knn) = (100.0 * linear, 100.0 * knn);
        write!(
            f,
            "{first:<9} {second:<9} seed {seed}   linear {linear:5.1} %   kNN {knn:5.1} %   loss {loss:.3}"
        )
    }
}

/// The table `cells.csv` of a folder, and the settings that all its cells share.
pub(crate) struct Results {
    path: PathBuf,
    cells: Vec<Cell>,
}

impl Results {
    /// Starts the folder `out`, or goes on with it if it was begun with the same settings.
    pub(crate) fn open(out: &Path, settings: &impl Serialize) -> Result<Self> {
        let cannot = |what: &str, path: &Path| format!("cannot {what} {}", path.display());
        std::fs::create_dir_all(out).with_context(|| cannot("create", out))?;
        let (path, kept) = (out.join("cells.csv"), out.join("settings.json"));
        let settings = serde_json::to_string_pretty(settings)?;
        if !path.exists() {
            let mut others = std::fs::read_dir(out).with_context(|| cannot("read", out))?;
            let expected = "to be empty, or to have the cells.csv of an earlier run";
            ensure!(others.next().is_none(), "expected {} {expected}", out.display());
            replace_file(&kept, |file| file.write_all(settings.as_bytes()))
                .with_context(|| cannot("write", &kept))?;
            let mut results = Self { path, cells: Vec::new() };
            results.save()?;
            return Ok(results);
        }
        let found = std::fs::read_to_string(&kept).with_context(|| cannot("read", &kept))?;
        if found != settings {
            bail!(
                "expected the settings of {}, found others: choose another --out",
                kept.display()
            );
        }
        let text = std::fs::read_to_string(&path).with_context(|| cannot("read", &path))?;
        let (header, lines) = text.split_once('\n').unwrap_or((&text, ""));
        ensure!(header == HEADER, "expected {} to begin with {HEADER}", path.display());
        let cell = |(number, line)| {
            let wrong =
                || format!("{}: line {number}: expected a cell, found {line:?}", path.display());
            Cell::from_line(line).with_context(wrong)
        };
        let cells = (2..).zip(lines.lines()).map(cell).collect::<Result<_>>()?;
        Ok(Self { path, cells })
    }

    /// Whether a cell of this pair and seed is trained.
    pub(crate) fn has(&self, cell: &Cell) -> bool {
        self.cells.iter().any(|found| (found.pair, found.seed) == (cell.pair, cell.seed))
    }

    /// Adds a cell, on disk too.
    pub(crate) fn add(&mut self, cell: Cell) -> Result<()> {
        self.cells.push(cell);
        self.save()
    }

    fn save(&mut self) -> Result<()> {
        let lines = self.cells.iter().map(|cell| cell.to_line() + "\n");
        let text: String = std::iter::once(format!("{HEADER}\n")).chain(lines).collect();
        replace_file(&self.path, |file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// The mean top-1 of the linear probe over those of the seeds that are trained.
    pub(crate) fn mean(&self, pair: [Transformation; 2], seeds: &[u64]) -> Option<f64> {
        let cells =
            self.cells.iter().filter(|cell| cell.pair == pair && seeds.contains(&cell.seed));
        mean(cells.map(|cell| cell.linear))
    }

    /// The standard deviation of the linear probe between seeds, pooled over the cells that have several.
    pub(crate) fn deviation_between_seeds(&self) -> Option<f64> {
        let (mut squares, mut freedom) = (0.0, 0.0);
        for (index, cell) in self.cells.iter().enumerate() {
            let others =
                |cells: &[Cell]| cells.iter().filter(|other| other.pair == cell.pair).count();
            if others(&self.cells[..index]) > 0 {
                freedom += 1.0;
            }
            let same = self.cells.iter().filter(|other| other.pair == cell.pair);
            squares += (cell.linear - mean(same.map(|cell| cell.linear))?).powi(2);
        }
        (freedom > 0.0).then(|| (squares / freedom).sqrt())
    }
}

/// The mean, of one number or more.
pub(crate) fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = numbers.fold((0.0, 0.0), |(count, sum), number| (count + 1.0, sum + number));
    (count > 0.0).then(|| sum / count)
}
