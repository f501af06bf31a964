//! Parameters that move together.

use std::sync::Arc;

use burn::module::ParamId;
use burn::optim::LearningRate;
use burn::tensor::{Bool, Tensor, TensorData};
use simclr_nn::{PACK_ALIGNMENT, pack};

use crate::optim::blocks::Blocks;
use crate::optim::flat_parameters::Order;
use crate::optim::optimizer_state::ParameterState;
use crate::optim::rule::{Rule, RuleState, unless};

/// The values of a row where a rule sums over parameters: a sum of ResNet-50's 54 weights then has some 6,000 rows.
const LONG_ROW: usize = 4096;

/// A parameter that is to join a group.
#[derive(Clone)]
pub(crate) struct NewMember {
    pub(crate) id: ParamId,
    /// The way to it in the module.
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// Its values, row by row, `[values]`.
    pub(crate) values: Tensor<1>,
}

/// Parameters that one rule moves, packed into one vector: a step is as many operations as for one parameter.
///
/// A single parameter is a group without packing.
pub(crate) struct ParameterGroup {
    rule: Arc<dyn Rule>,
    /// The order of each member's values.
    order: Order,
    members: Vec<Member>,
    blocks: Blocks,
    /// The parameters after the last step, `[packed values]`.
    values: Tensor<1>,
    state: RuleState,
}

/// A parameter of a group.
#[derive(Clone)]
struct Member {
    id: ParamId,
    name: String,
    shape: Vec<usize>,
    /// Where it begins in the group's vectors.
    start: usize,
    count: usize,
}

impl ParameterGroup {
    /// A group of these parameters, one at least, and of one number format. Those that have a state have the same scalars;
    /// the others begin.
    pub(crate) fn new(
        rule: Arc<dyn Rule>,
        order: Order,
        parameters: Vec<NewMember>,
        states: &[Option<ParameterState>],
    ) -> Self {
        let counts: Vec<usize> = parameters.iter().map(|p| p.values.dims()[0]).collect();
        let alignment = alignment(&*rule, counts.len());
        let mut start = 0;
        let mut members = Vec::new();
        let mut values = Vec::new();
        for (parameter, &count) in parameters.into_iter().zip(&counts) {
            let NewMember { id, name, shape, values: of_one } = parameter;
            values.push(order.of_rows(of_one, &shape));
            members.push(Member { id, name, shape, start, count });
            start += alignment.map_or(count, |alignment| count.next_multiple_of(alignment));
        }
        let (device, dtype) = (values[0].device(), values[0].dtype());
        let values = joined(values, alignment);
        let blocks = match alignment {
            Some(alignment) if rule.needs_norms() => Blocks::of_many(&counts, alignment, &device),
            // Nobody asks for sums: a mask of parameters by short rows would take more memory than the parameters.
            _ => Blocks::of_one(start),
        };
        let names = rule.state_names();
        let vectors = (0..names.vectors.len()).map(|number| {
            let of_member = |(member, state): (&Member, &Option<ParameterState>)| match state {
                None => Tensor::zeros([member.count], (&device, dtype)),
                Some(state) => {
                    let data = TensorData::from(&state.vectors[number][..]);
                    order.of_rows(Tensor::from_data(data, (&device, dtype)), &member.shape)
                }
            };
            if states.iter().all(Option::is_none) {
                return values.zeros_like();
            }
            joined(members.iter().zip(states).map(of_member).collect(), alignment)
        });
        let vectors = vectors.collect();
        let scalars = (0..names.scalars.len()).map(|number| {
            let known = states.iter().flatten().next();
            let value = known.map_or(1.0, |state| state.scalars[number]);
            Tensor::full([1], value, (&device, dtype))
        });
        let scalars = scalars.collect();
        Self { rule, order, members, blocks, values, state: RuleState { vectors, scalars } }
    }

    /// The parameters, in their order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ParamId> {
        self.members.iter().map(|member| member.id)
    }

    /// Gradients of the parameters, in their order and packed as they are.
    pub(crate) fn packed(&self, gradients: Vec<Tensor<1>>) -> Tensor<1> {
        joined(gradients, alignment(&*self.rule, self.members.len()))
    }

    /// Moves the parameters, or nothing where the device finds the step revoked, `[1]`.
    pub(crate) fn step(
        &mut self,
        rate: LearningRate,
        gradient: Tensor<1>,
        revoked: Option<&Tensor<1, Bool>>,
    ) {
        let (values, state) =
            self.rule.step(rate, self.values.clone(), gradient, &self.state, &self.blocks);
        (self.values, self.state) = match revoked {
            None => (values, state),
            Some(revoked) => {
                (unless(values, revoked, &self.values), state.unless(revoked, &self.state))
            }
        };
    }

    /// The values of each parameter.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (ParamId, Tensor<1>)> {
        self.members.iter().map(|member| (member.id, member.of(&self.values)))
    }

    /// The average of each parameter over the steps, if the rule keeps one.
    pub(crate) fn averages(&self) -> Vec<(ParamId, Tensor<1>)> {
        let Some(average) = self.rule.average(&self.values, &self.state) else { return Vec::new() };
        self.members.iter().map(|member| (member.id, member.of(&average))).collect()
    }

    /// The group as two: the parameters that are `chosen`, and the others. Both have some.
    pub(crate) fn split(self, chosen: impl Fn(ParamId) -> bool) -> [Self; 2] {
        let (of_first, of_second): (Vec<Member>, Vec<Member>) =
            self.members.iter().cloned().partition(|member| chosen(member.id));
        [of_first, of_second].map(|members| self.part(&members))
    }

    /// A group of some of the parameters.
    fn part(&self, members: &[Member]) -> Self {
        let alignment = alignment(&*self.rule, members.len());
        let part = |whole: &Tensor<1>| {
            joined(members.iter().map(|member| member.of(whole)).collect(), alignment)
        };
        let new = |member: &Member| NewMember {
            id: member.id,
            name: member.name.clone(),
            shape: member.shape.clone(),
            values: self.order.to_rows(member.of(&self.values), &member.shape),
        };
        let states = vec![None; members.len()];
        let parameters = members.iter().map(new).collect();
        let begun = Self::new(Arc::clone(&self.rule), self.order, parameters, &states);
        let vectors = self.state.vectors.iter().map(part).collect();
        let state = RuleState { vectors, scalars: self.state.scalars.clone() };
        Self { state, ..begun }
    }

    /// The name and the state of each parameter, read from the device. Rules without a state have none.
    pub(crate) fn states(&self) -> Vec<(String, ParameterState)> {
        let read = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let scalars: Vec<f32> = self.state.scalars.iter().cloned().flat_map(read).collect();
        let of = |member: &Member| {
            let rows = |vector| self.order.to_rows(member.of(vector), &member.shape);
            let vectors = self.state.vectors.iter().map(|vector| read(rows(vector))).collect();
            (member.name.clone(), ParameterState { vectors, scalars: scalars.clone() })
        };
        self.members.iter().map(of).collect()
    }
}

impl Member {
    /// Its part of one of the group's vectors.
    fn of(&self, whole: &Tensor<1>) -> Tensor<1> {
        match whole.dims() {
            [count] if count == self.count => whole.clone(),
            _ => whole.clone().narrow(0, self.start, self.count),
        }
    }
}

/// Where the parameters of a group may begin; `None` for one parameter, which is not packed.
fn alignment(rule: &dyn Rule, members: usize) -> Option<usize> {
    match (members, rule.needs_norms()) {
        (1, _) => None,
        (_, true) => Some(LONG_ROW),
        (_, false) => Some(PACK_ALIGNMENT),
    }
}

fn joined(mut vectors: Vec<Tensor<1>>, alignment: Option<usize>) -> Tensor<1> {
    match alignment {
        None => vectors.remove(0),
        Some(alignment) => pack(vectors, alignment),
    }
}
