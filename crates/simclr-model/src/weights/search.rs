//! The search for the one place in a file that has an encoder.

use super::contents::Contents;
use super::error::WeightFault;
use super::near_miss::NearMiss;
use super::place::Place;
use super::published_layout::Layout;
use crate::published_names::PublishedNames;

/// The place that has all of an encoder's tensors. Below a prefix that was chosen, the first to be asked is that prefix
/// itself.
///
/// # Errors
///
/// [`WeightFault::Ambiguous`] if there is more than one; [`WeightFault::Object`], [`WeightFault::OtherNetwork`] or
/// [`WeightFault::Encoder`] if there is none.
pub(super) fn only_place<'a>(
    encoder: &impl PublishedNames,
    contents: &'a Contents,
    layouts: &'a [Layout],
) -> Result<Place<'a>, WeightFault> {
    let tensors = &contents.tensors;
    let places = Place::all(layouts, tensors);
    let mut complete = Place::complete(places.clone(), tensors);
    if contents.is_chosen() && complete.iter().any(|place| place.prefix.is_empty()) {
        complete.retain(|place| place.prefix.is_empty());
    }
    match complete.len() {
        1 => Ok(complete.remove(0)),
        0 => Err(nowhere(encoder, contents, layouts, places)),
        _ => {
            let prefixes = complete.iter().map(|place| contents.whole_name(place.prefix)).collect();
            Err(WeightFault::Ambiguous { prefixes })
        }
    }
}

/// What is wrong with a file none of whose `places` has all of the tensors.
fn nowhere(
    encoder: &impl PublishedNames,
    contents: &Contents,
    layouts: &[Layout],
    places: Vec<Place>,
) -> WeightFault {
    let nearest = Place::nearest(places, &contents.tensors);
    let larger = nearest.as_ref().filter(|place| place.has_all()).and_then(|place| {
        let naming = place.layout.naming;
        let counterpart = encoder.larger_with(place.surplus.first()?, naming)?;
        Some(WeightFault::OtherNetwork { library: naming.to_string(), counterpart })
    });
    if let Some(fault) = larger {
        return fault;
    }
    let network = contents.objects.values().find(|object| object.is_network);
    match (&nearest, network) {
        (None, Some(network)) => WeightFault::Object { class: network.class.clone() },
        _ => WeightFault::Encoder(Box::new(NearMiss::new(layouts, nearest.as_ref(), contents))),
    }
}
