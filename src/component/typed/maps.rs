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

#[cfg(feature = "std")]
mod hashed {
    //! The same for maps without an order, which only `std` can seed against guests that choose keys.

    use super::*;
    use core::hash::Hash;
    use std::collections::HashMap;

    pair_type!(
        [K: ComponentType, V: ComponentType] HashMap<K, V>,
        <(K, V)>::HAS_HANDLES,
        |ty, types| BTreeMap::<K, V>::typecheck(ty, types)
    );
    pair_lower!([K: Lower, V: Lower] HashMap<K, V>, |map, cx, ty| {
        lower_elements(cx, ty, map.iter())
    });
    pair_lift!([K: Lift + Eq + Hash, V: Lift] HashMap<K, V>, |cx, ty, pair| {
        let pairs = lift_list::<(K, V)>(cx, ty, pair)?;
        let mut map = HashMap::new();
        map.try_reserve(pairs.len()).map_err(OutOfMemory::from)?;
        map.extend(pairs);
        Ok(map)
    });
}
