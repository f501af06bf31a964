//! The optimiser of a run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use burn::module::{Module, ParamId};
use burn::optim::{GradientsParams, LearningRate};
use burn::tensor::{Bool, DType, Tensor};

use crate::optim::averaging::Averaging;
use crate::optim::decay_scope::trained_parameters;
use crate::optim::flat_parameters::{Order, flat_gradients, with_flat_values};
use crate::optim::optimizer::OptimizerConfig;
use crate::optim::optimizer_state::{OptimizerState, ParameterState, StateNames};
use crate::optim::parameter_group::{NewMember, ParameterGroup};
use crate::optim::rule::Rule;

/// The steps of [`OptimizerConfig::init`]'s optimiser, for whole groups of parameters at once where that is faster.
///
/// On GPUs all parameters of a rule are one vector, so that a step takes the same launches whatever their number. The
/// gradients are copied into one vector, seven a launch; the module's new parameters are parts of the vector, without a
/// copy. Convolutions' kernels lie there in the order in which CubeCL reads them. On the CPU each parameter is a group by itself: its numbers stay in the cache, and a copy would cost what it
/// saves.
///
/// A step can be revoked on the device: then neither parameters nor state change, and the host need not know.
///
/// The parameters are those that the last step returned: nothing else may change them between two steps.
pub(crate) struct GroupedOptimizer {
    config: OptimizerConfig,
    /// Those of the parameters that decay, and of the others.
    rules: [Arc<dyn Rule>; 2],
    /// Whether parameters of a rule are packed.
    packs: bool,
    groups: Vec<ParameterGroup>,
    /// The state of parameters that have had no gradient since it was loaded.
    loaded: OptimizerState,
}

/// What parameters of a group have in common: rule, number format, and the bits of the state's scalars.
type Key = (bool, DType, Vec<u32>);

/// The gradients of a step: the number of a group, and what its parameters have, packed as they are.
pub(crate) struct GroupedGradients(Vec<(usize, Tensor<1>)>);

impl GroupedGradients {
    /// All gradients as vectors, which may be longer by zeros.
    pub(crate) fn vectors(&self) -> impl Iterator<Item = &Tensor<1>> {
        self.0.iter().map(|(_, gradient)| gradient)
    }

    pub(crate) fn map(self, change: impl Fn(Tensor<1>) -> Tensor<1>) -> Self {
        Self(self.0.into_iter().map(|(group, gradient)| (group, change(gradient))).collect())
    }
}

impl GroupedOptimizer {
    /// An optimiser before its first step.
    pub(crate) fn new(config: OptimizerConfig, packs: bool) -> Self {
        let (rules, loaded) = (config.rules(), OptimizerState::default());
        Self { config, rules, packs, groups: Vec::new(), loaded }
    }

    /// The optimiser that also keeps an average of the parameters, of which a step leaves this share.
    pub(crate) fn with_average(self, decay: f64) -> Self {
        let rules = self.rules.map(|rule| Arc::new(Averaging { rule, decay }) as Arc<dyn Rule>);
        Self { rules, ..self }
    }

    /// `module` with the average of its parameters over the steps; as it is before the first step, and from an optimiser
    /// without an average.
    pub(crate) fn averaged<M: Module>(&self, module: M) -> M {
        let mut averages: HashMap<_, _> =
            self.groups.iter().flat_map(ParameterGroup::averages).collect();
        let not_moved = trained_parameters(&module).into_iter().filter_map(|parameter| {
            let state = self.loaded.parameters.get(&parameter.name())?;
            let values = parameter.values().without_autodiff();
            let average = self.rules[0].average(&values, &state.on(&values.device()))?;
            Some((parameter.id, self.order().of_rows(average, &parameter.shape)))
        });
        averages.extend(not_moved);
        with_flat_values(module, self.order(), |id| averages.remove(&id))
    }

    /// The gradients of the parameters of `module` for [`step`](Self::step).
    pub(crate) fn gather(
        &mut self,
        module: &impl Module,
        gradients: GradientsParams,
    ) -> GroupedGradients {
        let mut gradients: HashMap<_, _> =
            flat_gradients(module, gradients, self.order()).into_iter().collect();
        self.split_groups(&gradients);
        self.add_groups(module, &gradients);
        let numbered = self.groups.iter().enumerate();
        let gradients = numbered.filter_map(|(number, group)| {
            // All or none, as groups were split.
            let found: Option<Vec<_>> = group.ids().map(|id| gradients.remove(&id)).collect();
            Some((number, group.packed(found?)))
        });
        GroupedGradients(gradients.collect())
    }

    /// Moves the parameters of `module` that have a gradient; nothing where the device finds the step revoked, `[1]`.
    pub(crate) fn step<M: Module>(
        &mut self,
        rate: LearningRate,
        module: M,
        gradients: GroupedGradients,
        revoked: Option<&Tensor<1, Bool>>,
    ) -> M {
        let mut moved = HashMap::new();
        for (number, gradient) in gradients.0 {
            let group = &mut self.groups[number];
            group.step(rate, gradient, revoked);
            moved.extend(group.parameters());
        }
        with_flat_values(module, self.order(), |id| moved.remove(&id))
    }

    /// The order of the parameters' values in their groups.
    fn order(&self) -> Order {
        if self.packs { Order::ChannelsLast } else { Order::RowByRow }
    }

    /// Splits groups some of whose parameters have no gradient in this step: an optimiser leaves those as they are.
    fn split_groups(&mut self, gradients: &HashMap<ParamId, Tensor<1>>) {
        let has = |id| gradients.contains_key(&id);
        let split = |group: ParameterGroup| {
            let (with, all) = (group.ids().filter(|&id| has(id)).count(), group.ids().count());
            if with == 0 || with == all { vec![group] } else { group.split(has).into() }
        };
        self.groups = std::mem::take(&mut self.groups).into_iter().flat_map(split).collect();
    }

    /// Makes groups of the parameters that have a gradient for the first time.
    fn add_groups(&mut self, module: &impl Module, gradients: &HashMap<ParamId, Tensor<1>>) {
        let known: HashSet<ParamId> = self.groups.iter().flat_map(ParameterGroup::ids).collect();
        if gradients.keys().all(|id| known.contains(id)) {
            return;
        }
        let mut groups: Vec<(Key, Vec<NewMember>, Vec<Option<ParameterState>>)> = Vec::new();
        let starts = vec![1_f32; self.state_names().scalars.len()];
        for parameter in trained_parameters(module) {
            if known.contains(&parameter.id) || !gradients.contains_key(&parameter.id) {
                continue;
            }
            let (name, values) = (parameter.name(), parameter.values().without_autodiff());
            let state = self.loaded.parameters.remove(&name);
            let scalars = state.as_ref().map_or(&starts, |state| &state.scalars);
            let scalars = scalars.iter().map(|scalar| scalar.to_bits()).collect();
            let key = (self.config.decays(&parameter), values.dtype(), scalars);
            let member = NewMember { id: parameter.id, name, shape: parameter.shape, values };
            match groups.iter_mut().find(|group| self.packs && group.0 == key) {
                Some((_, members, states)) => {
                    members.push(member);
                    states.push(state);
                }
                None => groups.push((key, vec![member], vec![state])),
            }
        }
        for ((decays, _, _), members, states) in groups {
            let rule = Arc::clone(&self.rules[usize::from(!decays)]);
            self.groups.push(ParameterGroup::new(rule, self.order(), members, &states));
        }
    }

    /// The parts of a parameter's state, whether it decays or not.
    fn state_names(&self) -> StateNames {
        self.rules[0].state_names()
    }

    /// The state as bytes, read from the device.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut parameters = self.loaded.parameters.clone();
        parameters.extend(self.groups.iter().flat_map(ParameterGroup::states));
        let state = OptimizerState { parameters };
        state.to_bytes(&self.state_names()).map_err(|error| error.to_string())
    }

    /// An optimiser of the parameters of `module` that goes on where the one that wrote `bytes` stopped.
    ///
    /// # Errors
    ///
    /// What was expected of the bytes, and found.
    pub(crate) fn load(self, bytes: &[u8], module: &impl Module) -> Result<Self, String> {
        let counts: BTreeMap<String, usize> =
            trained_parameters(module).iter().map(|p| (p.name(), p.count())).collect();
        let loaded = OptimizerState::from_bytes(bytes, &self.state_names(), &counts)?;
        Ok(Self { loaded, groups: Vec::new(), ..self })
    }
}

#[cfg(test)]
mod tests;
