//! Labels that teach as they come.

use std::sync::Arc;

use burn::tensor::Device;
use simclr_embed::{ExperimentalDesign, Features, NeighbourGraph};

use super::classifier::{Learner, Learnt};
use super::given_labels::GivenLabels;
use super::guesses::Guesses;
use super::held_out::HeldOut;
use super::next_to_label::next_to_label;
use crate::error::ExploreError;
use crate::preparation::SEED;

/// Labels of images, and what a linear classifier on their frozen vectors learns from them, at each label.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::Features;
/// use simclr_explore::LabelSession;
///
/// // Vectors of two kinds of images.
/// let vectors = [[1.0, 0.1], [1.0, 0.0], [1.0, 0.2], [0.1, 1.0], [0.0, 1.0], [0.2, 1.0]];
/// let mut session = LabelSession::new(Features::new(vectors.concat(), 2), &Device::flex())?;
/// let first = session.next_to_label(1)[0];
/// session.label(&[first], Some("cat"))?;
/// session.label(&[5 - first], Some("dog"))?;
/// let guesses = session.guesses().expect("two classes have labels");
/// assert!(guesses.classes[..3].iter().all(|class| *class == guesses.classes[0]));
/// assert!(session.undo()? && session.guesses().is_none());
/// # Ok::<(), simclr_explore::ExploreError>(())
/// ```
///
/// # What is learnt
///
/// Multinomial logistic regression with an L2 penalty on unit vectors, less their mean ([`LogisticRegression`](simclr_eval::LogisticRegression)). Each fit begins
/// at the one before. Of more than 2,000 labels a draw is learnt from, equal for all classes.
///
/// # What to label next
///
/// The image whose label would make a linear model most certain about all images ([`ExperimentalDesign`]: Yu, Bi and Tresp 2006). A classifier that has seen little is
/// undecided about the wrong images, so what it says counts only from ten labels for each class on. Then what an image is worth is multiplied by the square root of how undecided it is, 1 less the
/// margin between the two likeliest classes (Scheffer, Decomain and Wrobel 2001).
#[derive(Debug, Clone)]
pub struct LabelSession {
    features: Arc<Features>,
    learner: Learner,
    labels: GivenLabels,
    learnt: Option<Learnt>,
    guesses: Option<Guesses>,
    design: Arc<ExperimentalDesign>,
    revision: u64,
}

impl LabelSession {
    /// A session without labels on the vectors of some images.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Embed`] without images, or for vectors that are not finite.
    pub fn new(features: Features, device: &Device) -> Result<Self, ExploreError> {
        let features = features.unit();
        let graph = NeighbourGraph::new(&features, ExperimentalDesign::NEIGHBOURS, SEED, device)?;
        let design = ExperimentalDesign::new(&features, &graph, SEED)?;
        Ok(Self::on_unit(Arc::new(features), Arc::new(design)))
    }

    /// A session on finite vectors of length 1, with a design on them.
    pub(crate) fn on_unit(features: Arc<Features>, design: Arc<ExperimentalDesign>) -> Self {
        let labels = GivenLabels::new(features.len());
        let learner = Learner::new(Arc::clone(&features));
        let (learnt, guesses) = (None, None);
        Self { features, learner, labels, learnt, guesses, design, revision: 0 }
    }

    /// Gives `rows` the label `class`, a new class if there is none of that name; `None` takes their labels away. The space around a name doesn't count.
    ///
    /// # Errors
    ///
    /// [`ExploreError::OutOfRange`] for a row that does not exist; [`ExploreError::Class`] for a name that is empty, of more than one line, or of more than 255
    /// bytes. Nothing has changed then.
    pub fn label(&mut self, rows: &[usize], class: Option<&str>) -> Result<(), ExploreError> {
        if self.labels.label(rows, class)? {
            self.learn()?;
        }
        Ok(())
    }

    /// Sets `rows` aside, or takes them back: images that are set aside are not asked for.
    ///
    /// # Errors
    ///
    /// [`ExploreError::OutOfRange`] for a row that does not exist. Nothing has changed then.
    pub fn set_aside(&mut self, rows: &[usize], aside: bool) -> Result<(), ExploreError> {
        if self.labels.set_aside(rows, aside)? {
            self.revision += 1;
        }
        Ok(())
    }

    /// Takes back what was last labelled, or set aside. Whether there was such a change; up to 1,000 are known.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Eval`] if the solver fails.
    pub fn undo(&mut self) -> Result<bool, ExploreError> {
        let undone = self.labels.undo();
        if undone {
            self.learn()?;
        }
        Ok(undone)
    }

    /// Gives labels that an earlier session gave: they cannot be undone.
    pub(crate) fn restore(
        &mut self,
        labels: &[(usize, String)],
        aside: &[usize],
    ) -> Result<(), ExploreError> {
        for (row, class) in labels {
            self.labels.label(&[*row], Some(class))?;
        }
        self.labels.set_aside(aside, true)?;
        self.labels.settle();
        self.learn()
    }

    fn learn(&mut self) -> Result<(), ExploreError> {
        self.revision += 1;
        let given: Vec<(usize, usize)> = self.labels.given().collect();
        let learnt = self.learner.learn(&given, self.learnt.as_ref())?;
        self.guesses = match &learnt {
            Some(learnt) => Some(Guesses::of(self.learner.predict(learnt, &self.features)?.rows())),
            None => None,
        };
        self.learnt = learnt;
        Ok(())
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether there are no images: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The names of the classes, in the order of their first labels.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        self.labels.classes()
    }

    /// The class of each image that has a label, an index into [`classes`](Self::classes).
    #[must_use]
    pub fn labels(&self) -> &[Option<u16>] {
        self.labels.of()
    }

    /// The images that have a label, class by class: read in this order, the classes have theirs again.
    pub(crate) fn by_class(&self) -> Vec<(usize, &str)> {
        let mut given: Vec<(usize, usize)> = self.labels.given().collect();
        given.sort_by_key(|&(_, class)| class);
        given.into_iter().map(|(row, class)| (row, &self.classes()[class][..])).collect()
    }

    /// Whether each image is set aside.
    #[must_use]
    pub fn aside(&self) -> &[bool] {
        self.labels.aside()
    }

    /// How many changes can be undone.
    #[must_use]
    pub fn undoable(&self) -> usize {
        self.labels.undoable()
    }

    /// A number that grows with each change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What the classifier makes of each image; `None` before two classes have a label.
    #[must_use]
    pub fn guesses(&self) -> Option<&Guesses> {
        self.guesses.as_ref()
    }

    /// What the classifier makes of other images, by their vectors; `None` before two classes have a label.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Eval`] for vectors of another length, or that are not finite.
    pub fn predict(&self, others: Features) -> Result<Option<Guesses>, ExploreError> {
        let Some(learnt) = &self.learnt else { return Ok(None) };
        let predictions = self.learner.predict(learnt, &others.unit())?;
        Ok(Some(Guesses::of(predictions.rows())))
    }

    /// `count` images to label next, the most useful first; fewer if there are no more.
    #[must_use]
    pub fn next_to_label(&self, count: usize) -> Vec<usize> {
        next_to_label(&self.design, &self.labels, self.guesses.as_ref(), count)
    }

    /// How often the labels tell each other's classes; `None` before two classes have a label. It takes a few fits.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Eval`] if the solver fails.
    pub fn held_out(&self) -> Result<Option<HeldOut>, ExploreError> {
        self.held_out_later()()
    }

    /// [`held_out`](Self::held_out) of the labels of this moment, for a thread that leaves the session alone.
    pub(crate) fn held_out_later(
        &self,
    ) -> impl FnOnce() -> Result<Option<HeldOut>, ExploreError> + Send + 'static {
        let given: Vec<(usize, usize)> = self.labels.given().collect();
        let together = self.labels.together().to_vec();
        let learner = self.learner.clone();
        move || HeldOut::of(&learner, &given, &together)
    }
}
