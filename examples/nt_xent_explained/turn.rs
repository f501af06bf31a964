//! A positive pair that comes nearer, and moves away.

use std::io::Write;

use anyhow::Result;
use burn::tensor::Device;
use simclr::loss::{NaiveNtXent, Temperature};

use crate::views::{Views, length};

/// Turns view b of the first image towards view a, and past it.
pub(crate) fn print_turned_pair(
    out: &mut impl Write,
    temperature: Temperature,
    views: &Views,
) -> Result<()> {
    let n = views.a.len();
    writeln!(
        out,
        "\n5. A pair that comes nearer, and moves away: view {n} turned around view 0.\n"
    )?;
    let Some(turn) = turn(&views.a[0], &views.b[0]) else {
        writeln!(out, "   Views of one number cannot be turned.")?;
        return Ok(());
    };
    writeln!(out, "   angle    cosine    l(0, {n})       loss")?;
    for degrees in [90, 60, 30, 0, -30, -60, -90] {
        let mut b = views.b.clone();
        b[0] = turn(f64::from(degrees).to_radians());
        let turned = Views { names: Vec::new(), a: views.a.clone(), b };
        let [z_a, z_b] = turned.tensors(&Device::flex());
        let explained = NaiveNtXent::new(temperature)?.explain(&z_a, &z_b);
        let (cosine, l) = (explained.cosines[0][n], explained.anchors[0].loss);
        writeln!(out, "   {degrees:>4}° {cosine:>9.4} {l:>10.6} {:>10.6}", explained.loss)?;
    }
    writeln!(
        out,
        "\n   l(0, {n}) falls with every step nearer and rises with every step away. The loss is the mean over"
    )?;
    writeln!(out, "   all anchors, and also feels which negatives view {n} passes on its way.")?;
    Ok(())
}

/// View b turned to any angle with view a, in the plane of the two; `None` in one dimension.
fn turn(a: &[f32], b: &[f32]) -> Option<impl Fn(f64) -> Vec<f32>> {
    let unit = |row: Vec<f64>| -> Option<Vec<f64>> {
        let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        (length > 1e-6).then(|| row.iter().map(|x| x / length).collect())
    };
    let wide = |row: &[f32]| row.iter().map(|&x| f64::from(x) / length(row)).collect::<Vec<f64>>();
    let along = unit(wide(a))?;
    let across = |row: Vec<f64>| {
        let part: f64 = row.iter().zip(&along).map(|(x, y)| x * y).sum();
        unit(row.iter().zip(&along).map(|(x, y)| x - part * y).collect())
    };
    // Where the two have one direction already, some axis gives the plane.
    let axes =
        (0..a.len()).map(|axis| (0..a.len()).map(|i| f64::from(u8::from(i == axis))).collect());
    let across = std::iter::once(wide(b)).chain(axes).find_map(across)?;
    let length = length(b);
    Some(move |angle: f64| {
        let (sin, cos) = angle.sin_cos();
        along.iter().zip(&across).map(|(x, y)| (length * (cos * x + sin * y)) as f32).collect()
    })
}
