//! Layouts against figures worked out from the specification's definitions, and equal rows.

use super::*;
use TypeKind::*;

fn prim(kind: TypeKind) -> TypeId {
    TypeId::primitive(kind)
}

fn tuple(builder: &mut TablesBuilder, parts: &[TypeId]) -> TypeId {
    let fields = parts.iter().map(|ty| (NameId::NONE, *ty));
    builder.record(Tuple, fields).unwrap()
}

fn variant(builder: &mut TablesBuilder, payloads: &[TypeId]) -> TypeId {
    let names: Vec<NameId> = (0..payloads.len())
        .map(|case| builder.name(&alloc::format!("c{case}")))
        .collect();
    let cases = names.into_iter().zip(payloads.iter().copied());
    builder.variant(Variant, cases).unwrap()
}

#[test]
fn primitive_rows_stand_at_their_numbers() {
    let tables = TablesBuilder::new().finish();
    assert_eq!(tables.types.len() as u32, TypeId::PRIMITIVES);
    for (kind, size, align, flat) in [
        (Bool, 1, 1, CoreType::I32),
        (S16, 2, 2, CoreType::I32),
        (U64, 8, 8, CoreType::I64),
        (F32, 4, 4, CoreType::F32),
        (Char, 4, 4, CoreType::I32),
        (String, 8, 4, CoreType::I32),
        (ErrorContext, 4, 4, CoreType::I32),
    ] {
        let row = tables.ty(prim(kind));
        assert_eq!((row.kind, row.size, row.align), (kind, size, align));
        assert_eq!(tables.flat_types(prim(kind)).unwrap()[0], flat);
    }
}

#[test]
fn records_align_their_fields_and_say_where_padding_is() {
    let mut builder = TablesBuilder::new();
    let padded = tuple(&mut builder, &[prim(U8), prim(U32), prim(U8)]);
    let dense = tuple(&mut builder, &[prim(U16), prim(U8), prim(U8)]);
    let nested = tuple(&mut builder, &[prim(U8), padded, prim(F64)]);
    let tables = builder.finish();
    let offsets = |ty: TypeId| -> Vec<u32> {
        let fields = tables.fields(tables.ty(ty).span());
        fields.iter().map(|field| field.offset).collect()
    };
    assert_eq!(offsets(padded), [0, 4, 8]);
    assert_eq!((tables.ty(padded).size, tables.ty(padded).align), (12, 4));
    assert!(tables.ty(padded).has(TypeRow::HAS_PADDING));
    assert_eq!(tables.ty(padded).class, Class::Plain);
    assert_eq!((tables.ty(dense).size, tables.ty(dense).align), (4, 2));
    assert!(!tables.ty(dense).has(TypeRow::HAS_PADDING));
    assert_eq!(offsets(nested), [0, 4, 16]);
    assert_eq!((tables.ty(nested).size, tables.ty(nested).align), (24, 8));
    assert_eq!(tables.ty(nested).class, Class::Checked);
    assert_eq!(tables.ty(nested).depth, 3);
}

#[test]
fn payloads_of_a_variant_share_place_and_core_types() {
    use CoreType::{I32, I64};
    let mut builder = TablesBuilder::new();
    let floats = variant(&mut builder, &[prim(F32), prim(U32)]);
    let mixed = variant(&mut builder, &[prim(String), prim(F64), TypeId::NONE]);
    let option = builder.option(prim(U8)).unwrap();
    let empty = builder.result(TypeId::NONE, TypeId::NONE).unwrap();
    let tables = builder.finish();
    assert_eq!(tables.flat_types(floats).unwrap(), [I32, I32]);
    assert_eq!(tables.flat_types(mixed).unwrap(), [I32, I64, I32]);
    let row = tables.ty(mixed);
    assert_eq!((row.size, row.align, row.payload), (16, 8, 8));
    assert_eq!(row.class, Class::Pointer);
    let row = tables.ty(option);
    assert_eq!((row.size, row.align, row.payload), (2, 1, 1));
    let row = tables.ty(empty);
    assert_eq!((row.size, row.align, row.flat_count), (1, 1, 1));
}

#[test]
fn discriminants_and_flags_widen_with_their_number() {
    let mut builder = TablesBuilder::new();
    let mut enumeration = |cases: u32| {
        let names: Vec<NameId> = (0..cases)
            .map(|case| builder.name(&alloc::format!("e{case}")))
            .collect();
        let cases = names.iter().map(|name| (*name, TypeId::NONE));
        let ty = builder.variant(Enum, cases).unwrap();
        builder.tables.ty(ty).size
    };
    assert_eq!(
        [1, 256, 257, 65_536, 65_537].map(&mut enumeration),
        [1, 1, 2, 2, 4]
    );
    let mut flags = |count: u32| {
        let names: Vec<NameId> = (0..count)
            .map(|flag| builder.name(&alloc::format!("f{flag}")))
            .collect();
        let ty = builder.flags(names).unwrap();
        builder.tables.ty(ty).size
    };
    assert_eq!([1, 8, 9, 16, 17, 32].map(&mut flags), [1, 1, 2, 2, 4, 4]);
}

#[test]
fn more_than_sixteen_core_values_go_through_memory() {
    let mut builder = TablesBuilder::new();
    let sixteen = builder
        .func_type([(NameId::NONE, prim(U8)); 16], TypeId::NONE, false)
        .unwrap();
    let seventeen = builder
        .func_type([(NameId::NONE, prim(U8)); 17], prim(String), false)
        .unwrap();
    let tables = builder.finish();
    assert!(!tables.params_in_memory(sixteen));
    assert_eq!(tables.lower_signature(sixteen, false).params.len(), 16);
    assert!(tables.params_in_memory(seventeen));
    assert!(tables.result_in_memory(seventeen));
    let lift = tables.lift_signature(seventeen, false);
    assert_eq!((lift.params.len(), lift.results.len()), (1, 1));
    let lower = tables.lower_signature(seventeen, false);
    assert_eq!((lower.params.len(), lower.results.len()), (2, 0));
}

#[test]
fn lists_maps_and_handles_know_what_they_hold() {
    let mut builder = TablesBuilder::new();
    let map = builder.map(prim(String), prim(U64)).unwrap();
    let borrow = builder.handle(Borrow, ResourceId(0)).unwrap();
    let list = builder.list(borrow).unwrap();
    let fixed = builder.fixed_list(prim(U16), 20).unwrap();
    let short = builder.fixed_list(prim(F32), 3).unwrap();
    let too_large = builder.fixed_list(prim(U64), u32::MAX);
    let tables = builder.finish();
    let entry = tables.ty(tables.ty(map).element());
    assert_eq!((entry.size, entry.align), (16, 8));
    assert_eq!((tables.ty(map).size, tables.ty(map).flat_count), (8, 2));
    assert_eq!(tables.ty(list).class, Class::Borrow);
    assert!(tables.ty(list).has(TypeRow::HAS_BORROW));
    assert_eq!((tables.ty(fixed).size, tables.ty(fixed).align), (40, 2));
    assert!(tables.flat_types(fixed).is_none());
    assert_eq!(tables.flat_types(short).unwrap(), [CoreType::F32; 3]);
    assert!(too_large.is_err());
}

#[test]
fn equal_types_are_one_row_and_leave_nothing_behind() {
    let mut builder = TablesBuilder::new();
    let (a, b) = (builder.name("a"), builder.name("b"));
    let first = builder
        .record(Record, [(a, prim(U8)), (b, prim(U8))])
        .unwrap();
    let rows = (builder.tables.types.len(), builder.tables.fields.len());
    let again = builder
        .record(Record, [(a, prim(U8)), (b, prim(U8))])
        .unwrap();
    assert_eq!(first, again);
    assert_eq!(
        (builder.tables.types.len(), builder.tables.fields.len()),
        rows
    );
    let renamed = builder
        .record(Record, [(b, prim(U8)), (a, prim(U8))])
        .unwrap();
    assert_ne!(first, renamed);
    let one = builder.handle(Own, ResourceId(1)).unwrap();
    let other = builder.handle(Own, ResourceId(2)).unwrap();
    assert_ne!(one, other);
    assert_eq!(builder.name("a"), a);
}

#[test]
fn exports_are_found_by_the_highest_compatible_version() {
    let mut builder = TablesBuilder::new();
    let mut names = [
        "a:b/c-d@1.9.0",
        "a:b/c@1.2.0",
        "a:b/c@1.10.1",
        "a:b/c@2.0.0",
        "a:b/cc",
        "run",
    ];
    names.sort();
    for name in names {
        let name = builder.name(name);
        builder.tables.exports.push(ExportRow {
            name,
            kind: ExportKind::Func,
            ty: u32::MAX,
            a: 0,
            b: 0,
        });
    }
    let tables = builder.finish();
    let all = Span {
        start: 0,
        len: names.len() as u32,
    };
    let find = |name: &str| {
        let found = tables.find_compatible_export(all, name)?;
        Some(tables.name(tables.export(found).name))
    };
    assert_eq!(find("run"), Some("run"));
    assert_eq!(find("a:b/c@1.2.0"), Some("a:b/c@1.2.0"));
    assert_eq!(find("a:b/c@1.0.0"), Some("a:b/c@1.10.1"));
    assert_eq!(find("a:b/c@2.3.0"), Some("a:b/c@2.0.0"));
    assert_eq!(find("a:b/c@3.0.0"), None);
    assert_eq!(find("a:b/c"), None);
    assert_eq!(find("a:b/d@1.0.0"), None);
}

#[test]
fn types_with_pointers_have_a_twin_for_64_bit_memories() {
    use CoreType::{I32, I64};
    let mut builder = TablesBuilder::new();
    let bytes = builder.list(prim(U8)).unwrap();
    let record = tuple(&mut builder, &[prim(U8), bytes, prim(String)]);
    let either = variant(&mut builder, &[record, prim(F32), TypeId::NONE]);
    let plain = tuple(&mut builder, &[prim(U8), prim(U64)]);
    let before = builder.tables.types.len();
    assert!(builder.tables.twins.is_empty());
    for _ in 0..2 {
        builder.widen(either).unwrap();
        builder.widen(plain).unwrap();
    }
    let tables = builder.finish();
    // The string, the list, the record and the variant, once each.
    assert_eq!(tables.types.len(), before + 4);
    for ty in [prim(String), bytes, record, either] {
        let twin = tables.twin(ty);
        assert!(twin != ty && tables.ty(twin).has(TypeRow::WIDE));
        assert!(!tables.ty(ty).has(TypeRow::WIDE));
        assert_eq!(tables.twin(twin), ty);
        assert_eq!(tables.passed(ty, true), twin);
        assert_eq!(tables.passed(ty, false), ty);
        let (narrow, wide) = (tables.ty(ty), tables.ty(twin));
        assert_eq!(narrow.flat_count, wide.flat_count);
    }
    assert_eq!(tables.twin(plain), plain);
    assert_eq!(tables.twin(TypeId::NONE), TypeId::NONE);
    let row = tables.ty(tables.twin(record));
    assert_eq!((row.size, row.align), (40, 8));
    let offsets = tables.fields(row.span()).iter().map(|field| field.offset);
    assert!(offsets.eq([0, 8, 24]));
    let row = tables.ty(tables.twin(either));
    assert_eq!((row.size, row.payload), (48, 8));
    let flat = tables.flat_types(tables.twin(either)).unwrap();
    assert_eq!(flat, [I32, I32, I64, I64, I64, I64]);
}

#[test]
fn types_that_double_are_widened_once() {
    let mut builder = TablesBuilder::new();
    let mut ty = prim(String);
    for _ in 0..90 {
        let pair = tuple(&mut builder, &[ty, ty]);
        ty = builder.list(pair).unwrap();
    }
    let before = builder.tables.types.len();
    builder.widen(ty).unwrap();
    assert_eq!(builder.tables.types.len(), before + 1 + 2 * 90);
}
