//! `simclr data check`.

mod findings;
mod set_report;

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use simclr::data::{Splits, printable};

use self::findings::Findings;
use self::set_report::SetReport;
use crate::data_args::warned;
use crate::output::{NAMED, Output};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of photos, of tar shards, or of STL-10's or CIFAR-10's binary files; or a tar file, or a
    /// pattern such as 'train-{000..146}.tar'
    #[arg(value_name = "DATA")]
    dir: PathBuf,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let data = warned(Splits::open(&self.dir)?);
        output.line(&data.description);
        let mut sets = vec![("pretraining set", &data.pretrain)];
        if let Some(labelled) = &data.labelled {
            sets.extend([("training set", &labelled.train), ("test set", &labelled.test)]);
        }
        let (mut findings, mut reports) = (Findings::default(), Vec::new());
        for (title, images) in sets {
            let places = findings.add(images)?;
            reports.push(SetReport::of(title, images, places, &findings));
        }
        for report in &reports {
            report.print(output);
        }
        findings.print(output);
        // A test image that is also learnt from makes every figure too good.
        let leaks = match reports.as_slice() {
            [pretrain, train, test] => twins(&findings, test, [pretrain, train]),
            _ => Vec::new(),
        };
        if !leaks.is_empty() {
            let count = leaks.len();
            output.line(format!("\ntest images that are also learnt from: {count}"));
        }
        for (test, twin) in leaks.iter().take(NAMED) {
            let [test, twin] = [test, twin].map(|name| printable(name));
            output.line(format!("  {test} is {twin}"));
        }
        output.line(if findings.unreadable().is_empty() && leaks.is_empty() {
            "nothing is wrong"
        } else {
            "some images are wrong: see above"
        });
        let mut report = json!({
            "data": data.description,
            "warnings": data.warnings,
            "sets": reports.iter().map(SetReport::json).collect::<Vec<_>>(),
            "leaks": leaks,
        });
        findings.add_to(&mut report);
        output.result(&report);
        Ok(())
    }
}

/// Images of `set` with the pixels of one in `others`: both names.
fn twins<'a>(
    findings: &'a Findings,
    set: &SetReport,
    others: [&SetReport; 2],
) -> Vec<(&'a str, &'a str)> {
    let digest = |&place: &usize| findings.usable(place).map(|image| (image.digest, place));
    let places = others.into_iter().flat_map(|report| &report.images);
    let known: HashMap<_, _> = places.filter_map(digest).collect();
    let twin = |(digest, place)| {
        known.get(&digest).map(|&twin| (findings.name(place), findings.name(twin)))
    };
    set.images.iter().filter_map(digest).filter_map(twin).collect()
}
