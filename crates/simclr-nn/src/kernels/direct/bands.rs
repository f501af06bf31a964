//! How images are shared out to tasks.

/// Pixels in a task: few enough to stay in cache, and enough for whole register tiles.
const PIXELS: usize = 256;
/// Tasks that there are at least, if there are as many rows.
const TASKS: usize = 4;

/// Bands of some images, by task: part of one image, or several whole images.
#[derive(Clone, Copy)]
pub(super) struct Bands {
    images: usize,
    /// Rows in an image.
    height: usize,
    /// Rows in a band: all of an image's if it has few pixels.
    rows: usize,
    /// Bands in a task; more than one only if each is a whole image.
    per_task: usize,
}

/// Consecutive rows of one image.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub(super) image: usize,
    pub(super) start: usize,
    pub(super) rows: usize,
}

impl Bands {
    /// Bands of about [`PIXELS`] pixels, however many tasks that makes.
    pub(super) fn blocks(images: usize, size: [usize; 2]) -> Vec<Vec<Band>> {
        let pixels = size[0] * size[1];
        let per_task = (PIXELS / pixels.max(1)).max(1);
        let rows = if per_task > 1 { size[0] } else { Self::new(images, size).rows };
        Self { images, height: size[0], rows, per_task }.tasks()
    }

    /// The bands of `images` images of `[height, width]` pixels.
    pub(super) fn new(images: usize, [height, width]: [usize; 2]) -> Self {
        let pixels = height * width;
        if pixels <= PIXELS {
            // At least four tasks, so that two threads share them evenly: if there are fewer images, parts of each.
            let per_task = (PIXELS / pixels.max(1)).min(images.div_ceil(TASKS)).max(1);
            let rows = height.div_ceil(TASKS.div_ceil(images.max(1)));
            return Self { images, height, rows, per_task };
        }
        let rows = height.div_ceil(pixels.div_ceil(PIXELS));
        Self { images, height, rows, per_task: 1 }
    }

    /// The bands of each task, with the task's part of `values`. A band has `rows(band)` rows of `row` numbers each.
    pub(super) fn split<'a>(
        &self,
        mut values: &'a mut [f32],
        row: usize,
        rows: impl Fn(&Band) -> usize,
    ) -> Vec<(Vec<Band>, &'a mut [f32])> {
        let split = self.tasks().into_iter().map(|task| {
            let rows: usize = task.iter().map(&rows).sum();
            let (of_task, others) = std::mem::take(&mut values).split_at_mut(rows * row);
            values = others;
            (task, of_task)
        });
        split.collect()
    }

    fn tasks(&self) -> Vec<Vec<Band>> {
        let bands: Vec<Band> = (0..self.images)
            .flat_map(|image| {
                let starts = (0..self.height).step_by(self.rows.max(1));
                starts.map(move |start| {
                    let rows = self.rows.min(self.height - start);
                    Band { image, start, rows }
                })
            })
            .collect();
        bands.chunks(self.per_task).map(<[Band]>::to_vec).collect()
    }
}
