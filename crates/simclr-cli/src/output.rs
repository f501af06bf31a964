//! Text for people on the standard output, or one JSON object for machines.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Error;
use serde_json::{Value, json};
use simclr::data::{DataError, printable};

use crate::failure::{Partial, Unfit, kind};
use crate::hint::hint;

/// How many images of a kind are named.
pub(crate) const NAMED: usize = 5;

pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A line for people.
    pub(crate) fn line(&self, text: impl Display) {
        self.text(&format!("{text}\n"));
    }

    /// Text as it is, such as a table: for people and for scripts.
    pub(crate) fn text(&self, text: &str) {
        if !self.json {
            print(text);
        }
    }

    /// The result for machines: once, at the end.
    pub(crate) fn result(&self, value: &Value) {
        if self.json {
            print(&format!("{value}\n"));
        }
    }

    /// Reports an error. Its kind is the exit code. For machines it is the result, unless there is one already.
    pub(crate) fn failure(&self, error: &Error) -> ExitCode {
        let (message, code) = (printable(&format!("{error:#}")), kind(error) as u8);
        eprintln!("error: {message}");
        if let Some(hint) = hint(error) {
            eprintln!("hint: {hint}");
        }
        if !error.is::<Partial>() && !error.is::<Unfit>() {
            self.result(&json!({ "error": message, "hint": hint(error), "exit_code": code }));
        }
        ExitCode::from(code)
    }
}

/// Names the first few images that were left out, and says how many there were.
pub(crate) fn print_skipped<E: StdError>(skipped: &[E]) {
    print_reasons(&skipped.iter().map(|error| with_causes(error)).collect::<Vec<_>>());
}

/// [`print_skipped`], from the reasons in words.
pub(crate) fn print_reasons(reasons: &[impl AsRef<str>]) {
    for reason in reasons.iter().take(NAMED) {
        eprintln!("skipped: {}", printable(reason.as_ref()));
    }
    match reasons.len() {
        0 => {}
        1 => eprintln!("1 image could not be read and was left out"),
        count => eprintln!("{count} images could not be read and were left out"),
    }
}

/// The messages of an error and of all that caused it. Some errors have their cause's message in their own.
pub(crate) fn with_causes(error: &dyn StdError) -> String {
    let text = error.to_string();
    match error.source() {
        Some(cause) if !text.ends_with(&cause.to_string()) => {
            format!("{text}: {}", with_causes(cause))
        }
        _ => text,
    }
}

/// A share in 0..=1 as a percentage; a dash for none.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// Why an image cannot be used, for a list that names it already.
pub(crate) fn reason(error: &DataError) -> String {
    with_causes(error.source().unwrap_or(error))
}

/// Prints; that the reader has gone, as in `simclr ... | head`, is no failure.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
