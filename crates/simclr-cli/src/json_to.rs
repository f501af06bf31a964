//! `--json`: where the result for machines goes.

use std::path::PathBuf;

use clap::builder::{BoolValueParser, PathBufValueParser, TypedValueParser};

/// Where the JSON object goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum JsonTo {
    /// There is text instead.
    #[default]
    Nowhere,
    /// To the standard output, instead of text.
    Stdout,
    /// To a file, beside text on the standard output.
    File(PathBuf),
}

impl JsonTo {
    /// The parser of a flag without a value.
    pub(crate) fn flag() -> impl TypedValueParser<Value = Self> {
        BoolValueParser::new().map(|on| if on { Self::Stdout } else { Self::Nowhere })
    }

    /// A file, or `-` for the standard output.
    pub(crate) fn place() -> impl TypedValueParser<Value = Self> {
        let dash = |path: &PathBuf| path.as_os_str() == "-";
        PathBufValueParser::new()
            .map(move |path| if dash(&path) { Self::Stdout } else { Self::File(path) })
    }
}
