//! A run in words, before it starts.

use std::collections::BTreeMap;
use std::fmt;

use burn::module::Module;
use simclr_model::ModuleTensor;

use crate::engine::train_config::TrainConfig;
use crate::optim::decay_scope::{DecayScope, is_one_dimensional, trained_parameters};
use crate::optim::optimizer::OptimizerConfig;

/// The steps, learning rate and parameters of a run on a data set, to be read before a long run.
///
/// [`PretrainConfig::describe`](crate::PretrainConfig::describe) makes it. Its `Display` is a few lines for the
/// terminal.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunDescription {
    /// Images in the data set.
    pub images: usize,
    /// Images of a step.
    pub batch_size: usize,
    /// Number of epochs.
    pub epochs: usize,
    /// Steps of the whole run.
    pub total_steps: usize,
    /// Steps of linear warm-up.
    pub warmup_steps: usize,
    /// The peak of the schedule, scaled to the batch size.
    pub peak_learning_rate: f64,
    /// The number of trained parameter tensors, and of their values.
    pub parameters: (usize, usize),
    /// The paths of the parameters without weight decay and, with LARS, without adaptation.
    pub excluded: Vec<String>,
    learning_rate: String,
    optimizer: OptimizerConfig,
    excluded_values: usize,
}

impl RunDescription {
    pub(crate) fn new(config: &TrainConfig, images: usize, model: &impl Module) -> Self {
        let steps_per_epoch = config.steps_in_epoch(images);
        let trained = trained_parameters(model);
        let parameters = (trained.len(), trained.iter().map(ModuleTensor::count).sum());
        let (mut excluded, mut excluded_values) = (Vec::new(), 0);
        if config.optimizer.decay_scope() == DecayScope::Weights {
            for parameter in trained.iter().filter(|parameter| is_one_dimensional(parameter)) {
                excluded_values += parameter.count();
                excluded.push(parameter.name());
            }
        }
        Self {
            images,
            batch_size: config.batch_size,
            epochs: config.epochs,
            total_steps: config.epochs * steps_per_epoch,
            warmup_steps: config.warmup_epochs * steps_per_epoch,
            peak_learning_rate: config.learning_rate.peak(config.batch_size),
            parameters,
            excluded,
            learning_rate: config.learning_rate.in_words(config.batch_size),
            optimizer: config.optimizer,
            excluded_values,
        }
    }

    /// The excluded paths with `*` for each index, in alphabetical order, and the number of parameters of each.
    fn excluded_patterns(&self) -> BTreeMap<String, usize> {
        let mut patterns = BTreeMap::new();
        for path in &self.excluded {
            let is_index = |name: &&str| name.bytes().all(|b| b.is_ascii_digit());
            let names: Vec<&str> =
                path.split('.').map(|name| if is_index(&name) { "*" } else { name }).collect();
            *patterns.entry(names.join(".")).or_default() += 1;
        }
        patterns
    }
}

impl fmt::Display for RunDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps_per_epoch = self.total_steps / self.epochs;
        writeln!(
            f,
            "steps          {} = {} {} of {steps_per_epoch} ({} images, {} in a step)",
            self.total_steps,
            self.epochs,
            if self.epochs == 1 { "epoch" } else { "epochs" },
            self.images,
            self.batch_size
        )?;
        writeln!(
            f,
            "learning rate  {} at its peak, after {} steps of warm-up; then a cosine to 0",
            self.learning_rate, self.warmup_steps
        )?;
        writeln!(f, "optimizer      {}", self.optimizer)?;
        let (count, values) = self.parameters;
        if self.excluded.is_empty() {
            return write!(f, "parameters     {count} ({values} values), all with weight decay");
        }
        let without = match self.optimizer {
            OptimizerConfig::Lars { .. } => "weight decay and adaptation",
            _ => "weight decay",
        };
        write!(
            f,
            "parameters     {count} ({values} values), {} of them ({} values) without {without}:",
            self.excluded.len(),
            self.excluded_values
        )?;
        for (pattern, count) in self.excluded_patterns() {
            write!(f, "\n               {count:>3} {pattern}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::learning_rate::LearningRate;
    use burn::tensor::Device;
    use simclr_model::{Encoder, EncoderConfig, ProjectionHeadConfig, SimClr};

    /// A run of a `ResNet`-18 of width 2, with 64 images in a step.
    fn describe(optimizer: OptimizerConfig) -> RunDescription {
        let device = Device::flex().autodiff();
        let encoder = "resnet18x0.03125_cifar".parse::<EncoderConfig>().unwrap();
        let encoder = encoder.init(1, &device).unwrap();
        let head = ProjectionHeadConfig { output_size: 8, ..ProjectionHeadConfig::default() };
        let head = head.init(encoder.feature_size(), 2, &device).unwrap();
        let learning_rate = LearningRate::linear(0.3);
        let config = TrainConfig { epochs: 10, learning_rate, optimizer, ..TrainConfig::small() };
        RunDescription::new(&config, 1000, &SimClr { encoder, head })
    }

    #[test]
    fn a_description_says_the_rate_the_steps_and_who_is_excluded() {
        let description = describe(OptimizerConfig::lars(1e-6));
        assert_eq!((description.warmup_steps, description.total_steps), (15, 150));
        assert_eq!(
            description.to_string(),
            "\
steps          150 = 10 epochs of 15 (1000 images, 64 in a step)
learning rate  0.3 * 64 / 256 = 0.075 at its peak, after 15 steps of warm-up; then a cosine to 0
optimizer      LARS, momentum 0.9, trust coefficient 0.001, weight decay 0.000001
parameters     65 (11674 values), 43 of them (340 values) without weight decay and adaptation:
                16 encoder.blocks.*.body.*.norm.beta
                16 encoder.blocks.*.body.*.norm.gamma
                 3 encoder.blocks.*.shortcut.norm.beta
                 3 encoder.blocks.*.shortcut.norm.gamma
                 1 encoder.stem.norm.beta
                 1 encoder.stem.norm.gamma
                 1 head.hidden.*.norm.beta
                 1 head.hidden.*.norm.gamma
                 1 head.output.bias"
        );
    }

    #[test]
    fn adamw_excludes_only_what_its_scope_says() {
        let excluded = |optimizer| describe(optimizer).excluded.len();
        assert_eq!(excluded(OptimizerConfig::adamw(1e-4)), 0);
        let decay_scope = DecayScope::Weights;
        assert_eq!(excluded(OptimizerConfig::AdamW { weight_decay: 1e-4, decay_scope }), 43);
    }
}
