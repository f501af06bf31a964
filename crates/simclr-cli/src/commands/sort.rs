//! `simclr sort`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use simclr::data::{
    LabelTable, SortAction, SortConfig, SortPlan, SortStep, Sorted, escape_name, printable,
};

use crate::bar::Bar;
use crate::failure::Interrupted;
use crate::interrupt::on_ctrl_c;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Table of labels: what `simclr classify` writes (image,class,probability), or a list (name,label)
    #[arg(long, value_name = "FILE.csv")]
    labels: PathBuf,
    /// Folder of the photos that the table names
    #[arg(long, value_name = "PHOTOS")]
    data: PathBuf,
    /// Folder that gets a folder for each class; files that are there are never overwritten
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Make links instead of copies: hard ones, second names on the same disk, or symbolic ones
    #[arg(long, value_name = "KIND", conflicts_with = "move_files")]
    link: Option<Link>,
    /// Move the photos instead of copying them
    #[arg(long = "move")]
    move_files: bool,
    /// Say what would be done, for each photo, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Don't ask on a terminal
    #[arg(short, long)]
    yes: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Link {
    Hard,
    Symbolic,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let table = LabelTable::read(&self.labels)?;
        let config = SortConfig { data: &self.data, out: &self.out, action: self.action() };
        let plan = SortPlan::new(&table, &config)?;
        self.print(&plan, output);
        if self.dry_run {
            let mut result = self.json(&plan, 0);
            result["steps"] = plan.steps().iter().map(step_json).collect();
            output.result(&result);
            return Ok(());
        }
        let is_to_ask = !self.yes && !plan.steps().is_empty() && std::io::stdin().is_terminal();
        if is_to_ask && !agreed()? {
            output.line("nothing was done");
            output.result(&self.json(&plan, 0));
            return Ok(());
        }
        let Sorted { done, left } = carry_out(&plan)?;
        if left > 0 {
            let all = done + left;
            let how = "the same command goes on";
            return Err(Interrupted(format!("stopped after {done} of {all} photos; {how}")).into());
        }
        output.line(format!("{done} photos {} into {}", self.past(), self.out.display()));
        output.result(&self.json(&plan, done));
        Ok(())
    }

    fn action(&self) -> SortAction {
        match self.link {
            Some(Link::Hard) => SortAction::HardLink,
            Some(Link::Symbolic) => SortAction::SymbolicLink,
            None if self.move_files => SortAction::Move,
            None => SortAction::Copy,
        }
    }

    /// What is done to a photo, as a command and in the past.
    fn verb(&self) -> &'static str {
        match self.action() {
            SortAction::HardLink | SortAction::SymbolicLink => "link",
            SortAction::Move => "move",
            _ => "copy",
        }
    }

    fn past(&self) -> &'static str {
        match self.action() {
            SortAction::HardLink | SortAction::SymbolicLink => "linked",
            SortAction::Move => "moved",
            _ => "copied",
        }
    }

    fn print(&self, plan: &SortPlan, output: &Output) {
        if self.dry_run {
            for SortStep { from, to } in plan.steps() {
                let (verb, from, to) = (self.verb(), escape_name(from), escape_name(to));
                output.line(format!("{verb} {from} to {to}"));
            }
        }
        for (class, count) in plan.classes() {
            output.line(format!("{count:>7}  {}", printable(class)));
        }
        let (ahead, already) = (plan.steps().len(), plan.already());
        let already =
            if already == 0 { String::new() } else { format!(", {already} are there already") };
        output.line(format!(
            "{ahead} photos to {} into {}{already}",
            self.verb(),
            self.out.display()
        ));
    }

    fn json(&self, plan: &SortPlan, done: usize) -> Value {
        json!({
            "action": match self.action() {
                SortAction::HardLink => "hard_link",
                SortAction::SymbolicLink => "symbolic_link",
                SortAction::Move => "move",
                _ => "copy",
            },
            "classes": plan.classes(),
            "to_do": plan.steps().len(),
            "already_there": plan.already(),
            "done": done,
            "dry_run": self.dry_run,
            "out": self.out.display().to_string(),
        })
    }
}

fn step_json(SortStep { from, to }: &SortStep) -> Value {
    json!({ "from": escape_name(from), "to": escape_name(to) })
}

/// Asks on the terminal.
fn agreed() -> Result<bool> {
    let mut error = std::io::stderr();
    write!(error, "go on? [y/N] ").and_then(|()| error.flush())?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Sorts until it is done, or Ctrl-C stops it.
fn carry_out(plan: &SortPlan) -> Result<Sorted> {
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    on_ctrl_c("photo", move || stop.store(true, Ordering::Relaxed))?;
    let bar = Bar::new("sorting", plan.steps().len(), "photos");
    Ok(plan.carry_out(|done| {
        bar.set(done);
        !stopped.load(Ordering::Relaxed)
    })?)
}
