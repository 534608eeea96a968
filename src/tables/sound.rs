//! Whether rows of types are what the builder would have made of their parts: for tables that come from
//! an image.

use super::ComponentTables;
use super::layout::{self, Parts};
use super::rows::*;

/// The first row of `types` that isn't, if there is one.
pub(crate) fn unsound_type(tables: &ComponentTables) -> Option<usize> {
    let too_few = tables.types.len() < TypeId::PRIMITIVES as usize;
    let rows = 0..tables.types.len();
    rows.into_iter()
        .find(|row| too_few || type_row(tables, *row).is_none())
}

/// The first row of `twins` whose type isn't the same in the other layout.
pub(crate) fn unsound_twin(tables: &ComponentTables) -> Option<usize> {
    let mut twins = tables.twins.iter().enumerate();
    twins
        .find(|(row, twin)| twin.some().is_some() && !are_twins(tables, *row, **twin))
        .map(|(row, _)| row)
}

fn type_row(t: &ComponentTables, at: usize) -> Option<()> {
    let row = t.types[at];
    let primitive = at < TypeId::PRIMITIVES as usize;
    if primitive && row.kind as usize != at {
        return None;
    }
    let parts = match primitive {
        true => primitive_parts(row.kind),
        false => parts(t, at, row)?,
    };
    let same = parts.class == row.class
        && parts.align == row.align
        && parts.flags == row.flags
        && parts.depth.saturating_add(1) == row.depth
        && parts.size == u64::from(row.size);
    let flat = match &parts.flat {
        None => row.flat_count == TypeRow::IN_MEMORY,
        Some(flat) => {
            let start = row.flat_start as usize;
            let own = t.flat.get(start..start.checked_add(flat.len())?)?;
            usize::from(row.flat_count) == flat.len() && own == flat.as_slice()
        }
    };
    (same && flat).then_some(())
}

fn primitive_parts(kind: TypeKind) -> Parts {
    let (class, size, flat) = layout::primitive(kind);
    if kind == TypeKind::String {
        return Parts::pair(false);
    }
    let mut parts = Parts::new();
    (parts.class, parts.align, parts.size) = (class, size, size.into());
    parts.flat = Some(flat.to_vec());
    parts
}

/// What a row's parts come to, if each is an earlier row.
fn parts(t: &ComponentTables, at: usize, row: TypeRow) -> Option<Parts> {
    let earlier = |ty: TypeId| (ty.index() < at).then_some(());
    let span = row.span();
    let end = (span.start as usize).checked_add(span.len as usize)?;
    let mut parts = Parts::new();
    let (mut discriminant, mut payload) = (0, 0);
    match row.kind {
        TypeKind::Record | TypeKind::Tuple => {
            for field in t.fields.get(span.start as usize..end)? {
                earlier(field.ty)?;
                let offset = parts.field(t.ty(field.ty), t.flat_types(field.ty)).ok()?;
                (offset == field.offset).then_some(())?;
            }
            parts.finish_record().ok()?;
        }
        TypeKind::Variant | TypeKind::Enum | TypeKind::Option | TypeKind::Result => {
            let cases = t.cases.get(span.start as usize..end)?;
            has_shape(row.kind, cases).then_some(())?;
            for case in cases {
                if let Some(ty) = case.ty.some() {
                    earlier(ty)?;
                    parts.case(t.ty(ty), t.flat_types(ty));
                }
            }
            discriminant = layout::discriminant_size(cases.len());
            payload = parts.finish_variant(discriminant).ok()?;
        }
        TypeKind::Flags => {
            let names = t.cases.get(span.start as usize..end)?;
            let plain = names.iter().all(|case| case.ty.some().is_none());
            (plain && (1..=32).contains(&names.len())).then_some(())?;
            parts.class = Class::Checked;
            parts.align = layout::flags_size(names.len());
            parts.size = parts.align.into();
            parts.flat = Some(alloc::vec![CoreType::I32]);
        }
        TypeKind::List | TypeKind::Map => {
            earlier(row.element())?;
            let element = t.ty(row.element());
            let entry = element.kind == TypeKind::Tuple && element.b == 2;
            (row.b == 0 && (row.kind == TypeKind::List || entry)).then_some(())?;
            parts = Parts::pointer(element, row.has(TypeRow::WIDE));
        }
        TypeKind::FixedList => {
            earlier(row.element())?;
            (row.b > 0).then_some(())?;
            let element = row.element();
            let flat = t.flat_types(element);
            parts.finish_fixed_list(t.ty(element), flat, row.b).ok()?;
        }
        TypeKind::Own | TypeKind::Borrow => {
            t.resources.get(row.resource().index())?;
            parts = handle(row.kind);
        }
        // The other layout of strings.
        TypeKind::String => parts = Parts::pair(true),
        // Primitive ones have rows of their own; streams and futures aren't supported.
        _ => return None,
    }
    (row.discriminant == discriminant && row.payload == payload).then_some(parts)
}

fn has_shape(kind: TypeKind, cases: &[CaseRow]) -> bool {
    match kind {
        TypeKind::Option => {
            matches!(cases, [none, some] if none.ty.some().is_none() && some.ty.some().is_some())
        }
        TypeKind::Result => cases.len() == 2,
        TypeKind::Enum => !cases.is_empty() && cases.iter().all(|case| case.ty.some().is_none()),
        _ => !cases.is_empty(),
    }
}

fn handle(kind: TypeKind) -> Parts {
    let mut parts = Parts::new();
    (parts.class, parts.align, parts.size) = (Class::Own, 4, 4);
    parts.flat = Some(alloc::vec![CoreType::I32]);
    parts.flags = TypeRow::HAS_RESOURCE;
    if kind == TypeKind::Borrow {
        parts.class = Class::Borrow;
        parts.flags |= TypeRow::HAS_BORROW;
    }
    parts
}

/// Whether both rows are of one type, whose parts are the same or twins, in the two layouts.
fn are_twins(t: &ComponentTables, at: usize, twin: TypeId) -> bool {
    let Some(other) = t.types.get(twin.index()) else {
        return false;
    };
    let Some(row) = t.types.get(at) else {
        return false;
    };
    let same = |a: TypeId, b: TypeId| a == b || t.twin(a) == b;
    let back = t.twin(twin).index() == at;
    let alike = row.kind == other.kind && row.has(TypeRow::WIDE) != other.has(TypeRow::WIDE);
    back && alike
        && match row.kind {
            TypeKind::Record | TypeKind::Tuple => {
                let (a, b) = (t.fields(row.span()), t.fields(other.span()));
                let mut pairs = a.iter().zip(b);
                a.len() == b.len() && pairs.all(|(a, b)| a.name == b.name && same(a.ty, b.ty))
            }
            TypeKind::Variant | TypeKind::Option | TypeKind::Result => {
                let (a, b) = (t.cases(row.span()), t.cases(other.span()));
                let mut pairs = a.iter().zip(b);
                a.len() == b.len() && pairs.all(|(a, b)| a.name == b.name && same(a.ty, b.ty))
            }
            TypeKind::List | TypeKind::Map | TypeKind::FixedList => {
                row.b == other.b && same(row.element(), other.element())
            }
            kind => kind == TypeKind::String,
        }
}

/// Whether two types are the same but for the resources that their handles are of: what crosses from one
/// component to another keeps its form. Also that of a whole function, by its rows.
pub(crate) fn same_form(t: &ComponentTables, a: TypeId, b: TypeId) -> bool {
    let mut seen = hashbrown::HashSet::new();
    let mut open = alloc::vec![(a, b)];
    while let Some((a, b)) = open.pop() {
        if a == b || !seen.insert((a, b)) {
            continue;
        }
        let (Some(x), Some(y)) = (t.types.get(a.index()), t.types.get(b.index())) else {
            return false;
        };
        let sized = |row: &TypeRow| (row.kind, row.size, row.align, row.flat_count, row.payload);
        if sized(x) != sized(y) {
            return false;
        }
        match x.kind {
            TypeKind::Record | TypeKind::Tuple => {
                let (x, y) = (t.fields(x.span()), t.fields(y.span()));
                if x.len() != y.len() {
                    return false;
                }
                open.extend(x.iter().zip(y).map(|(x, y)| (x.ty, y.ty)));
            }
            TypeKind::Variant | TypeKind::Option | TypeKind::Result => {
                let (x, y) = (t.cases(x.span()), t.cases(y.span()));
                if x.len() != y.len() {
                    return false;
                }
                open.extend(x.iter().zip(y).map(|(x, y)| (x.ty, y.ty)));
            }
            TypeKind::Enum | TypeKind::Flags if x.b != y.b => return false,
            TypeKind::List | TypeKind::Map | TypeKind::FixedList => {
                if x.b != y.b {
                    return false;
                }
                open.push((x.element(), y.element()));
            }
            _ => {}
        }
    }
    true
}
