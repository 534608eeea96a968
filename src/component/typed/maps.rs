//! Maps, as what they are in memory: lists of pairs.

use super::containers::{lift_list, lower_elements};
use super::pairs::{pair, pair_lift, pair_lower, pair_type};
use super::*;
use alloc::collections::BTreeMap;

// A guest's pairs with the same key are one: the last.
pair_type!(
    [K: ComponentType, V: ComponentType] BTreeMap<K, V>,
    <(K, V)>::HAS_HANDLES,
    |ty, types| {
        let row = types.expect(ty, TypeKind::Map, "map")?;
        <(K, V)>::typecheck(InterfaceType(row.element()), types)
    }
);
pair_lower!([K: Lower, V: Lower] BTreeMap<K, V>, |map, cx, ty| {
    lower_elements(cx, ty, map.iter())
});
pair_lift!([K: Lift + Ord, V: Lift] BTreeMap<K, V>, |cx, ty, pair| {
    Ok(lift_list::<(K, V)>(cx, ty, pair)?.into_iter().collect())
});
