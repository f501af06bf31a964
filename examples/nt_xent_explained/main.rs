//! NT-Xent step by step, on the three images of well-known tutorials or on numbers of yours.
//!
//! ```text
//! cargo run --release --example nt_xent_explained
//! cargo run --release --example nt_xent_explained -- --a "1,0;0,1" --b "0.9,0.2;0.1,0.8" --temperature 0.5
//! cargo run --release --example nt_xent_explained -- --file views.csv --times 0
//! ```
//!
//! Expect the matrix of cosines, with -0.1240 for views 0 and 1 and -0.0948 for views 0 and 4, a loss of 1.132700 from
//! all three forms, a loss that falls as a pair comes nearer and rises as it moves away, and the guess at three
//! temperatures. The times at the end take up to a minute: at n = 128 the vectorized form is some 250 times as fast as
//! the naive one forward, and some 23,000 times forward and backward.

mod chart;
mod softmax;
mod times;
mod turn;
mod views;

use std::io::{self, Write, stdout};
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor};
use clap::Parser;
use simclr::data::replace_file;
use simclr::loss::{
    Explanation, NaiveNtXent, NtXent, OutOfRange, Temperature, TiledNtXent, TwoViewLoss,
    VectorizedNtXent,
};

use softmax::Guess;
use times::print_times;
use turn::print_turned_pair;
use views::Views;

/// The temperatures that the guide's table and picture compare.
const TEMPERATURES: [f64; 3] = [0.1, 0.5, 1.0];
/// Below it exp(1 / t) overflows f64, and sums of exponentials could not be shown.
const LOWEST_TEMPERATURE: f64 = 0.002;

/// Every number of NT-Xent, for two views of some images
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// View a of each image: numbers with commas between, images with semicolons [default: "1,2;3,-2;1,5"]
    #[arg(long, value_name = "ROWS", requires = "b", allow_hyphen_values = true)]
    a: Option<String>,
    /// View b of each image, in the same order [default: "1,0.75;2.8,-1.75;1,4.7"]
    #[arg(long, value_name = "ROWS", requires = "a", allow_hyphen_values = true)]
    b: Option<String>,
    /// A file instead, with a line for each view: "name, number, number, ..."; the two lines of a name are two views
    #[arg(long, value_name = "FILE", conflicts_with_all = ["a", "b"])]
    file: Option<PathBuf>,
    /// The temperature t, at least 0.002
    #[arg(long, value_name = "T", default_value_t = 1.0, allow_negative_numbers = true)]
    temperature: f64,
    /// Images in the batch that is timed at the end, at most 256; 0 leaves the times out
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(..=256))]
    times: u16,
    /// Draws the guess of view 0 at three temperatures into an SVG file
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

fn main() -> Result<()> {
    match explain(&Options::parse(), &mut stdout().lock()) {
        // A reader that has seen enough, such as `head`.
        Err(error) if error.downcast_ref().is_some_and(is_closed_pipe) => Ok(()),
        result => result,
    }
}

fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

fn explain(options: &Options, out: &mut impl Write) -> Result<()> {
    let legal = options.temperature >= LOWEST_TEMPERATURE;
    let expected = format!("at least {LOWEST_TEMPERATURE}");
    OutOfRange::unless(legal, "--temperature", expected, options.temperature)?;
    let temperature = Temperature::new(options.temperature)?;
    let views = match (&options.file, &options.a, &options.b) {
        (Some(file), ..) => Views::from_file(file)?,
        (None, Some(a), Some(b)) => Views::from_rows(a, b)?,
        _ => Views::from_rows("1,2;3,-2;1,5", "1,0.75;2.8,-1.75;1,4.7")?,
    };
    let [z_a, z_b] = views.tensors(&Device::flex());
    let explained = NaiveNtXent::new(temperature)?.explain(&z_a, &z_b);

    print_input(out, &views, temperature)?;
    writeln!(out, "2. Every number of Algorithm 1 of the paper.\n\n{explained}\n")?;
    print_first_row(out, &explained)?;
    print_forms(out, temperature, [z_a, z_b])?;
    print_turned_pair(out, temperature, &views)?;
    print_temperatures(out, &explained, &views)?;
    if let Some(path) = &options.chart {
        let svg = chart::chart(&explained, &TEMPERATURES);
        replace_file(path, |file| file.write_all(svg.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if options.times > 0 {
        print_times(out, usize::from(options.times))?;
    }
    Ok(())
}

fn print_input(out: &mut impl Write, views: &Views, temperature: Temperature) -> Result<()> {
    let (n, d) = (views.a.len(), views.a[0].len());
    writeln!(
        out,
        "1. The input: {n} images in two views, {d} numbers each; temperature {}.\n",
        temperature.get()
    )?;
    for (i, name) in views.names.iter().enumerate() {
        writeln!(
            out,
            "   {name}: view {i} = {}, view {} = {}",
            shown(&views.a[i]),
            n + i,
            shown(&views.b[i])
        )?;
    }
    writeln!(out, "\n   A view's length does not matter: the loss scales each to length one.\n")?;
    Ok(())
}

fn print_first_row(out: &mut impl Write, explained: &Explanation) -> Result<()> {
    const MOST: usize = 10;
    let (first, t) = (explained.anchors[0], explained.temperature);
    let guess = Guess::new(explained, 0, t);
    writeln!(out, "3. The first row of the matrix in words.\n")?;
    writeln!(
        out,
        "   View 0 is the anchor: which of the other {} shows the same image? A softmax of their",
        guess.candidates.len()
    )?;
    writeln!(
        out,
        "   cosines, divided by the temperature, is its guess. From the most alike to the least:\n"
    )?;
    writeln!(out, "   view    cosine    share of the guess")?;
    for candidate in guess.candidates.iter().take(MOST) {
        let role = if candidate.is_partner { "the partner" } else { "a negative" };
        let share = 100.0 * candidate.share;
        writeln!(
            out,
            "   {:>4} {:>9.4} {share:>12.2} %   {role}",
            candidate.view, candidate.cosine
        )?;
    }
    if let Some(more) = guess.candidates.len().checked_sub(MOST).filter(|&more| more > 0) {
        writeln!(out, "   ... and {more} views that are less alike")?;
    }
    let nearer = guess.candidates.iter().take_while(|candidate| !candidate.is_partner).count();
    writeln!(
        out,
        "\n   Negatives nearer than the partner: {nearer}. With itself view 0 has cosine 1, which is left out."
    )?;
    writeln!(
        out,
        "   The partner, view {}, gets the share {:.4}, and -ln of it is l(0, {}) = {:.6}.\n",
        first.partner,
        guess.partner().share,
        first.partner,
        first.loss
    )?;
    Ok(())
}

fn print_forms(
    out: &mut impl Write,
    temperature: Temperature,
    [z_a, z_b]: [Tensor<2>; 2],
) -> Result<()> {
    writeln!(out, "4. Three ways to compute the same number, in f32.\n")?;
    for (name, loss) in forms(temperature)? {
        let value = loss.forward(z_a.clone(), z_b.clone()).into_scalar::<f64>();
        writeln!(out, "   {name:<11} {value:.6}")?;
    }
    Ok(())
}

/// A form of the loss, and its name.
type Form = (&'static str, Box<dyn TwoViewLoss>);

fn forms(temperature: Temperature) -> Result<[Form; 3], OutOfRange> {
    Ok([
        ("naive", Box::new(NaiveNtXent::new(temperature)?)),
        ("vectorized", Box::new(VectorizedNtXent::new(temperature)?)),
        ("tiled", Box::new(TiledNtXent::new(temperature)?)),
    ])
}

fn print_temperatures(out: &mut impl Write, explained: &Explanation, views: &Views) -> Result<()> {
    writeln!(out, "\n6. The same views at other temperatures, and the guess of view 0.\n")?;
    writeln!(out, "                      of the guess               of the push on the negatives")?;
    writeln!(
        out,
        "      t      loss    partner   nearest negative   nearest negative   negatives that count"
    )?;
    let [z_a, z_b] = views.tensors(&Device::flex());
    for t in TEMPERATURES {
        let loss = NaiveNtXent::new(t)?.explain(&z_a, &z_b).loss;
        let guess = Guess::new(explained, 0, t);
        let nearest = guess.candidates.iter().find(|candidate| !candidate.is_partner);
        writeln!(
            out,
            "   {t:>4.1} {loss:>9.6} {:>8.2} % {:>16.2} % {:>16.2} % {:>14.2} of {}",
            100.0 * guess.partner().share,
            100.0 * nearest.map_or(0.0, |negative| negative.share),
            100.0 * guess.pushes()[0],
            guess.negatives_that_count(),
            guess.pushes().len(),
        )?;
    }
    writeln!(
        out,
        "\n   The lower the temperature, the more of the gradient goes to the nearest negatives. Losses of two\n   \
         temperatures do not compare: only their chance level is the same, ln(2n - 1) = {:.6}.",
        NtXent::chance_loss(views.a.len())
    )?;
    Ok(())
}

/// A view's numbers, or their beginning.
fn shown(row: &[f32]) -> String {
    const MOST: usize = 6;
    let numbers: Vec<String> = row.iter().take(MOST).map(f32::to_string).collect();
    let more =
        if row.len() > MOST { format!(", ... ({} numbers)", row.len()) } else { String::new() };
    format!("[{}{more}]", numbers.join(", "))
}
