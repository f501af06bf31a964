//! Lines over an axis, drawn as SVG: on the page, or in a file of their own.

mod bins;
mod chart_data;
mod drawing;
mod frame;
mod line_chart;
mod scale;
mod ticks;

pub(crate) use chart_data::ChartData;
pub(crate) use line_chart::{Axis, Caption, Line, LineChart, Style, Unit};
pub(crate) use scale::Spread;
