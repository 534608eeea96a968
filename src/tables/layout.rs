//! Layout in memory and flat form of value types, as the Canonical ABI defines them. Computed once, when
//! a type's row is made.

use super::ComponentTables;
use super::rows::*;
use alloc::vec::Vec;

/// Parameters that flatten to more core values are passed in memory.
pub(crate) const MAX_FLAT_PARAMS: usize = 16;
/// A result that flattens to more core values is returned in memory.
pub(crate) const MAX_FLAT_RESULTS: usize = 1;
/// No value type is larger: the validator's limit, kept here too.
const MAX_SIZE: u64 = 1 << 28;

/// A type whose values would be larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// The core type of a function that is lifted or made by lowering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CoreSignature {
    pub params: Vec<CoreType>,
    pub results: Vec<CoreType>,
}

/// What is learned of a type from its parts, in order.
pub(super) struct Parts {
    pub class: Class,
    pub align: u8,
    pub flags: u8,
    pub depth: u16,
    pub size: u64,
    /// Core types so far; none once they are too many.
    pub flat: Option<Vec<CoreType>>,
    /// Bytes that belong to a part: fewer than `size` if there is padding.
    used: u64,
}

impl Parts {
    pub fn new() -> Parts {
        Parts {
            class: Class::Plain,
            align: 1,
            flags: 0,
            depth: 0,
            size: 0,
            flat: Some(Vec::new()),
            used: 0,
        }
    }

    /// The pointer and length of a list or map of elements.
    pub fn pointer(element: TypeRow, wide: bool) -> Parts {
        let pair = Parts::pair(wide);
        Parts {
            class: Class::Pointer.max(element.class),
            depth: element.depth,
            flags: pair.flags | (element.flags & !TypeRow::HAS_PADDING),
            ..pair
        }
    }

    /// A pointer and a length.
    pub fn pair(wide: bool) -> Parts {
        Parts {
            class: Class::Pointer,
            align: if wide { 8 } else { 4 },
            flags: TypeRow::HAS_POINTER | if wide { TypeRow::WIDE } else { 0 },
            size: if wide { 16 } else { 8 },
            flat: Some(alloc::vec![CoreType::pointer(wide); 2]),
            ..Parts::new()
        }
    }

    fn merge(&mut self, part: TypeRow) {
        self.class = self.class.max(part.class);
        self.align = self.align.max(part.align);
        self.flags |= part.flags;
        self.depth = self.depth.max(part.depth);
    }

    /// Appends a field; its offset.
    pub fn field(&mut self, part: TypeRow, flat: Option<&[CoreType]>) -> Result<u32, TooLarge> {
        self.merge(part);
        let offset = align_to(self.size, part.align);
        self.size = offset + u64::from(part.size);
        self.used += u64::from(part.size);
        self.flat = match (self.flat.take(), flat) {
            (Some(mut all), Some(more)) if all.len() + more.len() <= MAX_FLAT_PARAMS => {
                all.extend_from_slice(more);
                Some(all)
            }
            _ => None,
        };
        small(offset)
    }

    /// Adds a case's payload to what cases have in common; `size` is the largest payload.
    pub fn case(&mut self, part: TypeRow, flat: Option<&[CoreType]>) {
        self.merge(part);
        self.size = self.size.max(u64::from(part.size));
        self.flat = match (self.flat.take(), flat) {
            (Some(mut all), Some(more)) => {
                for (at, ty) in more.iter().enumerate() {
                    match all.get_mut(at) {
                        Some(before) => *before = join(*before, *ty),
                        None => all.push(*ty),
                    }
                }
                Some(all)
            }
            _ => None,
        };
    }

    /// After all fields: the record's size.
    pub fn finish_record(&mut self) -> Result<(), TooLarge> {
        self.size = align_to(self.size, self.align);
        if self.used != self.size {
            self.flags |= TypeRow::HAS_PADDING;
        }
        small(self.size).map(|_| ())
    }

    /// After all cases: the variant's size, with its discriminant in front. The offset of payloads.
    pub fn finish_variant(&mut self, discriminant: u8) -> Result<u32, TooLarge> {
        self.class = self.class.max(Class::Checked);
        let payload = align_to(u64::from(discriminant), self.align);
        self.align = self.align.max(discriminant);
        let whole = payload + self.size;
        self.size = align_to(whole, self.align);
        // Cases differ in size, so any byte may be padding in one of them.
        if self.size != u64::from(discriminant) {
            self.flags |= TypeRow::HAS_PADDING;
        }
        self.flat = self.flat.take().and_then(|payload| {
            let mut all = Vec::with_capacity(payload.len() + 1);
            all.push(CoreType::I32);
            all.extend_from_slice(&payload);
            (all.len() <= MAX_FLAT_PARAMS).then_some(all)
        });
        small(self.size)?;
        small(payload)
    }

    /// `count` elements one after the other.
    pub fn finish_fixed_list(
        &mut self,
        element: TypeRow,
        flat: Option<&[CoreType]>,
        count: u32,
    ) -> Result<(), TooLarge> {
        self.merge(element);
        self.flags |= TypeRow::HAS_FIXED;
        self.size = u64::from(element.size) * u64::from(count);
        self.flat = flat.and_then(|flat| {
            let total = (flat.len() as u64) * u64::from(count);
            (total <= MAX_FLAT_PARAMS as u64).then(|| flat.repeat(count as usize))
        });
        small(self.size).map(|_| ())
    }
}

/// Bytes of the discriminant of that many cases.
pub(super) fn discriminant_size(cases: usize) -> u8 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// Bytes of that many flags.
pub(super) fn flags_size(flags: usize) -> u8 {
    match flags {
        0..=8 => 1,
        9..=16 => 2,
        _ => 4,
    }
}

fn align_to(size: u64, align: u8) -> u64 {
    size.next_multiple_of(u64::from(align))
}

fn small(size: u64) -> Result<u32, TooLarge> {
    if size > MAX_SIZE {
        return Err(TooLarge);
    }
    Ok(size as u32)
}

/// The core type that can hold either.
fn join(a: CoreType, b: CoreType) -> CoreType {
    use CoreType::*;
    match (a, b) {
        _ if a == b => a,
        (I32, F32) | (F32, I32) => I32,
        _ => I64,
    }
}

/// Class, size (which is the alignment too, but for `string`) and flat form of primitive types.
pub(super) fn primitive(kind: TypeKind) -> (Class, u8, &'static [CoreType]) {
    use CoreType::*;
    match kind {
        TypeKind::S8 | TypeKind::U8 => (Class::Plain, 1, &[I32]),
        TypeKind::S16 | TypeKind::U16 => (Class::Plain, 2, &[I32]),
        TypeKind::S32 | TypeKind::U32 => (Class::Plain, 4, &[I32]),
        TypeKind::S64 | TypeKind::U64 => (Class::Plain, 8, &[I64]),
        TypeKind::Bool => (Class::Checked, 1, &[I32]),
        TypeKind::F32 => (Class::Checked, 4, &[F32]),
        TypeKind::F64 => (Class::Checked, 8, &[F64]),
        TypeKind::String => (Class::Pointer, 4, &[I32, I32]),
        TypeKind::ErrorContext => (Class::Own, 4, &[I32]),
        // `char`, and what isn't primitive, whose layout this isn't asked for.
        _ => (Class::Checked, 4, &[I32]),
    }
}

impl ComponentTables {
    /// Whether a function's parameters are passed in memory.
    pub fn params_in_memory(&self, ty: FuncTypeId) -> bool {
        self.ty(self.func_type(ty).params).flat_count == TypeRow::IN_MEMORY
    }

    /// Whether a function's result is returned in memory.
    pub fn result_in_memory(&self, ty: FuncTypeId) -> bool {
        match self.func_type(ty).result.some() {
            Some(result) => usize::from(self.ty(result).flat_count) > MAX_FLAT_RESULTS,
            None => false,
        }
    }

    /// The core type of a function to be lifted to a (synchronous) component function type; of a `wide`
    /// one, the types were [widened](super::TablesBuilder::widen) before.
    pub fn lift_signature(&self, ty: FuncTypeId, wide: bool) -> CoreSignature {
        let mut sig = self.flat_signature(ty, wide);
        if self.result_in_memory(ty) {
            sig.results = alloc::vec![CoreType::pointer(wide)];
        }
        sig
    }

    /// The core type that lowering a (synchronous) component function makes; as for lifting.
    pub fn lower_signature(&self, ty: FuncTypeId, wide: bool) -> CoreSignature {
        let mut sig = self.flat_signature(ty, wide);
        if self.result_in_memory(ty) {
            sig.params.push(CoreType::pointer(wide));
            sig.results.clear();
        }
        sig
    }

    fn flat_signature(&self, ty: FuncTypeId, wide: bool) -> CoreSignature {
        let row = self.func_type(ty);
        let params = self.flat_types(self.passed(row.params, wide));
        let results = match row.result.some() {
            Some(result) => self.flat_types(self.passed(result, wide)).unwrap_or(&[]),
            None => &[],
        };
        CoreSignature {
            params: params.map_or_else(|| alloc::vec![CoreType::pointer(wide)], <[_]>::to_vec),
            results: results.to_vec(),
        }
    }
}
