//! What a config means for a run, in words.

use std::collections::BTreeMap;
use std::fmt;

use burn::module::Module;

use crate::images::pretrain_config::PretrainConfig;
use crate::optim::decay_scope::{DecayScope, TrainedParameter, trained_parameters};
use crate::optim::optimizer::OptimizerConfig;

/// What a config comes to on a data set: read it before you start a long run.
///
/// Made by [`PretrainConfig::describe`]; its `Display` is a few lines for the terminal.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunDescription {
    /// Images in the data set.
    pub images: usize,
    /// Images in a step.
    pub batch_size: usize,
    /// Epochs.
    pub epochs: usize,
    /// Steps in all.
    pub total_steps: usize,
    /// Steps of linear warm-up.
    pub warmup_steps: usize,
    /// The schedule's peak, scaled by the batch.
    pub peak_learning_rate: f64,
    /// Trained parameter tensors, and their values.
    pub parameters: (usize, usize),
    /// The parameters without weight decay and, under LARS, without adaptation, by path.
    pub excluded: Vec<String>,
    learning_rate: String,
    optimizer: OptimizerConfig,
    excluded_values: usize,
}

impl RunDescription {
    pub(crate) fn new(config: &PretrainConfig, images: usize, model: &impl Module) -> Self {
        let config = &config.train;
        let steps_per_epoch = config.steps_in_epoch(images);
        let trained = trained_parameters(model);
        let parameters = (trained.len(), trained.iter().map(|p| p.values).sum());
        let (mut excluded, mut excluded_values) = (Vec::new(), 0);
        if config.optimizer.decay_scope() == DecayScope::Weights {
            for parameter in trained.into_iter().filter(TrainedParameter::is_one_dimensional) {
                excluded_values += parameter.values;
                excluded.push(parameter.name);
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

    /// The excluded paths with indices as `*`, and how many parameters each stands for, in the order
    /// of the paths.
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
            "steps          {} = {} epochs of {steps_per_epoch} ({} images, {} in a step)",
            self.total_steps, self.epochs, self.images, self.batch_size
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
    use crate::TrainConfig;
    use crate::images::pretrain_config::tests::tiny;
    use burn::tensor::Device;

    #[test]
    fn a_description_says_the_rate_the_steps_and_who_is_excluded() {
        let mut config = tiny();
        config.train = TrainConfig {
            optimizer: OptimizerConfig::lars(1e-6),
            learning_rate: crate::LearningRate::linear(0.3),
            batch_size: 64,
            epochs: 10,
            ..config.train
        };
        let description = config.describe(1000, &Device::flex()).unwrap();
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
        let excluded = |optimizer| {
            let mut config = tiny();
            config.train.optimizer = optimizer;
            config.describe(100, &Device::flex()).unwrap().excluded.len()
        };
        assert_eq!(excluded(OptimizerConfig::adamw(1e-4)), 0);
        let decay_scope = DecayScope::Weights;
        assert_eq!(excluded(OptimizerConfig::AdamW { weight_decay: 1e-4, decay_scope }), 43);
    }
}
