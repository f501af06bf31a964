//! Any convolution of one group, as products of shifted pixels with the weights of one kernel position.
//!
//! Nothing is unfolded: a product's left factor is the padded image itself, read at the offsets of the
//! kernel's positions ("implicit GEMM"). Only the gradient of an input of few channels is, see `unfolded`.

mod forward;
mod input_gradient;
mod padded;
mod unfolded;
mod weight_gradient;
mod weights;

pub(crate) use self::forward::forward;
pub(crate) use self::input_gradient::input_gradient;
pub(crate) use self::unfolded::unfolded_input_gradient;
pub(crate) use self::weight_gradient::weight_gradient;

/// Pixels of a task: few enough to stay in cache, many enough for whole register tiles.
const PIXELS: usize = 256;

/// Rows of one image, or several whole images: what a task works on.
#[derive(Clone, Copy)]
struct Bands {
    images: usize,
    /// Rows and columns of an image.
    size: [usize; 2],
    /// Rows of a band; all of an image's where that is few pixels.
    rows: usize,
    /// Bands of a task; more than one only if each is a whole image.
    per_task: usize,
}

/// Consecutive rows of one image.
#[derive(Clone, Copy)]
struct Band {
    image: usize,
    start: usize,
    rows: usize,
}

impl Bands {
    fn new(images: usize, size: [usize; 2]) -> Self {
        let [height, width] = size;
        let pixels = height * width;
        if pixels <= PIXELS {
            // At least four tasks, if there are as many images, so that two threads share them evenly.
            let per_task = (PIXELS / pixels.max(1)).min(images.div_ceil(4)).max(1);
            return Self { images, size, rows: height, per_task };
        }
        let rows = height.div_ceil(pixels.div_ceil(PIXELS));
        Self { images, size, rows, per_task: 1 }
    }

    fn tasks(&self) -> impl Iterator<Item = Vec<Band>> {
        let (rows, height) = (self.rows, self.size[0]);
        let bands: Vec<Band> = (0..self.images)
            .flat_map(|image| {
                let starts = (0..height).step_by(rows.max(1));
                starts.map(move |start| Band { image, start, rows: rows.min(height - start) })
            })
            .collect();
        let tasks: Vec<Vec<Band>> = bands.chunks(self.per_task).map(<[Band]>::to_vec).collect();
        tasks.into_iter()
    }
}

/// Splits `values` into the rows of each task, `row` numbers a row.
fn split_by_task<'a>(
    bands: &Bands,
    mut values: &'a mut [f32],
    row: usize,
) -> Vec<(Vec<Band>, &'a mut [f32])> {
    let split = bands.tasks().map(|task| {
        let rows: usize = task.iter().map(|band| band.rows).sum();
        let (of_task, others) = std::mem::take(&mut values).split_at_mut(rows * row);
        values = others;
        (task, of_task)
    });
    split.collect()
}
