/// The way from a pixel of the turned view to its place in the view before: `x' = a x - b y` and
/// `y' = b x + a y`, both counted from the centre.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) a: f32,
    pub(crate) b: f32,
}

impl Turn {
    /// By an angle in degrees, counter-clockwise. A square whose side is 1 / (|sin| + |cos|) of the
    /// view's is the largest upright one inside the turned view.
    pub(crate) fn new(degrees: f32) -> Self {
        let (sin, cos) = libm::sincos(f64::from(degrees).to_radians());
        let zoom = sin.abs() + cos.abs();
        Self { a: (cos / zoom) as f32, b: (sin / zoom) as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zoom_keeps_the_corners_inside() {
        for degrees in [-135.0, -30.0, 10.0, 45.0, 90.0, 179.0] {
            let Turn { a, b } = Turn::new(degrees);
            assert!((a.abs() + b.abs() - 1.0).abs() < 1e-6, "{degrees}: {a}, {b}");
        }
        assert!((Turn::new(45.0).a - 0.5).abs() < 1e-6);
    }
}
