//! Maps, as what they are in memory: lists of pairs.

use super::containers::{lift_list, lower_list};
use super::scalars::pair;
use super::*;
use alloc::collections::BTreeMap;

/// A guest's pairs with the same key are one: the last.
impl<K: ComponentType, V: ComponentType> ComponentType for BTreeMap<K, V> {
    const SIZE32: usize = 8;
    const ALIGN32: u32 = 4;
    const FLAT_COUNT: usize = 2;
    const HAS_HANDLES: bool = <(K, V)>::HAS_HANDLES;

    fn typecheck(ty: InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        let row = types.expect(ty, TypeKind::Map, "map")?;
        <(K, V)>::typecheck(InterfaceType(row.element()), types)
    }
}

impl<K: Lower, V: Lower> Lower for BTreeMap<K, V> {
    fn linear_lower_to_flat<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut [u64],
    ) -> Result<()> {
        let pairs: Vec<(&K, &V)> = self.iter().collect();
        let (ptr, len) = lower_list(cx, ty, &pairs)?;
        (dst[0], dst[1]) = (ptr.into(), len.into());
        Ok(())
    }

    fn linear_lower_to_memory<T: 'static>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: u32,
    ) -> Result<()> {
        let pairs: Vec<(&K, &V)> = self.iter().collect();
        let (ptr, len) = lower_list(cx, ty, &pairs)?;
        cx.set_pair(offset, ptr, len);
        Ok(())
    }
}

impl<K: Lift + Ord, V: Lift> Lift for BTreeMap<K, V> {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &[u64],
    ) -> Result<Self> {
        let pairs = lift_list::<(K, V)>(cx, ty, (src[0] as u32, src[1] as u32))?;
        Ok(pairs.into_iter().collect())
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        let pairs = lift_list::<(K, V)>(cx, ty, pair(bytes))?;
        Ok(pairs.into_iter().collect())
    }
}
