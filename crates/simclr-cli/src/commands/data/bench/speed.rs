//! How fast each stage is, alone and with the others.

use std::cell::RefCell;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::stages::{Decoded, Stages};

/// Images whose pixels are in memory at a time.
const AT_A_TIME: usize = 32;

/// Images a second on some threads.
pub(super) struct Speed {
    threads: usize,
    /// `None` if the images share files: decoding then includes reading.
    reading: Option<f64>,
    decoding: f64,
    views: f64,
    together: f64,
}

impl Speed {
    /// Tries all stages on `threads` threads. One thread reads every other image, more threads the rest, since what was read
    /// once is in memory the next time.
    pub(super) fn of(stages: &Stages, threads: usize) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let parts = if stages.len() < 2 { 1 } else { 2 };
        let indices = stages.indices(usize::from(threads > 1) % parts, parts);
        pool.install(|| Self::measured(stages, threads, &indices))
    }

    fn measured(stages: &Stages, threads: usize, indices: &[usize]) -> Result<Self> {
        let count = indices.len() as f64;
        let paths: Option<Vec<_>> = indices.iter().map(|&index| stages.path(index)).collect();
        let reading = paths.as_ref().map(|paths| {
            let start = Instant::now();
            paths.par_iter().with_max_len(1).for_each(|path| {
                black_box(fs::read(path).ok());
            });
            count / start.elapsed().as_secs_f64()
        });
        // Decoding and views by turns, so that few images are in memory.
        let (mut of_decoding, mut of_views) = (0.0, 0.0);
        let mut decoded = 0;
        for (number, indices) in indices.chunks(AT_A_TIME).enumerate() {
            let contents: Option<Vec<_>> = paths.as_ref().map(|paths| {
                let paths = paths[number * AT_A_TIME..].iter().take(indices.len());
                paths.map(|path| fs::read(path).ok()).collect()
            });
            let start = Instant::now();
            let images = indices
                .par_iter()
                .with_max_len(1)
                .enumerate()
                .map(|(place, &index)| {
                    stages.decode(index, contents.as_ref().and_then(|all| all[place].as_deref()))
                })
                .collect::<Result<Vec<_>>>()?;
            of_decoding += start.elapsed().as_secs_f64();
            let images: Vec<Decoded> = images.into_iter().flatten().collect();
            let start = Instant::now();
            images.par_iter().with_max_len(1).try_for_each(|image| views(stages, image))?;
            of_views += start.elapsed().as_secs_f64();
            decoded += images.len();
        }
        anyhow::ensure!(decoded > 0, "expected images, found none that can be decoded");
        let start = Instant::now();
        indices.par_iter().with_max_len(1).try_for_each(|&index| {
            let image = stages.decode(index, None)?;
            image.map_or(Ok(()), |image| views(stages, &image))
        })?;
        let together = count / start.elapsed().as_secs_f64();
        let decoded = decoded as f64;
        Ok(Self {
            threads,
            reading,
            decoding: decoded / of_decoding,
            views: decoded / of_views,
            together,
        })
    }

    /// Each stage's name and images a second.
    fn stages(&self) -> Vec<(&'static str, f64)> {
        let decoding = if self.reading.is_some() { "decoding" } else { "reading and decoding" };
        let reading = self.reading.map(|rate| ("reading", rate));
        reading.into_iter().chain([(decoding, self.decoding), ("views", self.views)]).collect()
    }

    /// A sentence on the stage that takes most of an image's time.
    pub(super) fn limit(&self) -> String {
        let stages = self.stages();
        let all: f64 = stages.iter().map(|(_, rate)| 1.0 / rate).sum();
        let slowest = stages.iter().min_by(|(_, a), (_, b)| a.total_cmp(b));
        let (name, share) = slowest.map_or(("", 0.0), |(name, rate)| (*name, 1.0 / rate / all));
        let threads = if self.threads == 1 { "thread" } else { "threads" };
        let share = (100.0 * share).round();
        format!("on {} {threads}, {name} limits: {share} % of an image's time", self.threads)
    }

    pub(super) fn json(&self) -> Value {
        let stages = self.stages();
        let slowest = stages.iter().min_by(|(_, a), (_, b)| a.total_cmp(b));
        json!({
            "threads": self.threads,
            "reading": self.reading,
            "decoding": self.decoding,
            "views": self.views,
            "together": self.together,
            "limit": slowest.map(|(name, _)| *name),
        })
    }
}

thread_local! {
    static VIEW: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

fn views(stages: &Stages, image: &Decoded) -> Result<()> {
    VIEW.with_borrow_mut(|view| {
        stages.make_views(image, view)?;
        black_box(view);
        Ok(())
    })
}

/// A line for each stage, a column for each number of threads.
pub(super) fn table(speeds: &[Speed]) -> String {
    let title = |speed: &Speed| match speed.threads {
        1 => format!("{:>12}", "1 thread"),
        threads => format!("{:>12}", format!("{threads} threads")),
    };
    let titles: String = speeds.iter().map(title).collect();
    let mut lines = vec![format!("{:<22}{titles}", "")];
    let names = speeds.first().map_or_else(Vec::new, Speed::stages);
    for (row, (name, _)) in names.iter().enumerate() {
        let rates = speeds.iter().map(|speed| format!("{:>12.0}", speed.stages()[row].1));
        lines.push(format!("{name:<22}{}", rates.collect::<String>()));
    }
    let rates = speeds.iter().map(|speed| format!("{:>12.0}", speed.together));
    lines.push(format!("{:<22}{}", "all together", rates.collect::<String>()));
    lines.join("\n") + "\n"
}
