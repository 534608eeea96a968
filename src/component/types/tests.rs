//! Reflection over components written as text.

use super::*;
use crate::component::{Component, ComponentExportIndex, InstanceExportLookup};
use crate::wasm::Config;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

fn component(text: &str) -> Component {
    let bytes = wat::parse_str(text).expect("text that encodes");
    Component::new(&Engine::new(&Config::new()).unwrap(), bytes).expect("a component that loads")
}

const SHAPES: &str = r#"(component
    (import "a:b/types@0.2.6" (instance $types
        (export "r" (type $r (sub resource)))
        (type $color' (enum "red" "green"))
        (export "color" (type $color (eq $color')))
        (type $point' (record (field "x" float64) (field "tag" (option string))))
        (export "point" (type $point (eq $point')))
        (export "f" (func (param "r" (borrow $r)) (param "p" $point) (result (result (list $color)))))
        (export "g" (func (param "m" (map string u8)) (result (tuple u8 (own $r)))))))
    (import "m" (core module
        (import "env" "t" (table 1 2 funcref))
        (export "run" (func (param i32 f64) (result i64)))
        (export "g" (global (mut f32)))))
    (export "again" (instance $types))
)"#;

fn instance(component: &Component, name: &str) -> ComponentInstance {
    match component
        .component_type()
        .get_import(component.engine(), name)
        .map(|found| found.ty)
    {
        Some(ComponentItem::ComponentInstance(instance)) => instance,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn imports_are_told_with_names_and_types_in_order() {
    let component = component(SHAPES);
    let engine = component.engine();
    let ty = component.component_type();
    let names: Vec<&str> = ty.imports(engine).map(|(name, _)| name).collect();
    assert_eq!(names, ["a:b/types@0.2.6", "m"]);
    let types = instance(&component, "a:b/types@0.2.6");
    let told: Vec<String> = types
        .exports(engine)
        .filter(|(_, item)| !matches!(item.ty, ComponentItem::Resource(_)))
        .map(|(name, item)| match item.ty {
            ComponentItem::Type(ty) => alloc::format!("{name} = {ty}"),
            ComponentItem::ComponentFunc(func) => alloc::format!("{name}: {func:?}"),
            other => alloc::format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "color = enum { red, green }",
            "point = record { x: f64, tag: option<string> }",
            "f: func(r: borrow<…>, p: record { x: f64, tag: option<string> }) \
             -> result<list<enum { red, green }>, _>",
            "g: func(m: map<string, u8>) -> tuple<u8, own<…>>",
        ]
    );
}

#[test]
fn compound_types_can_be_taken_apart() {
    let component = component(SHAPES);
    let types = instance(&component, "a:b/types@0.2.6");
    let engine = component.engine();
    let Some(ComponentItem::ComponentFunc(f)) = types.get_export(engine, "f").map(|found| found.ty)
    else {
        panic!("f is a function");
    };
    let Some(ComponentItem::Resource(r)) = types.get_export(engine, "r").map(|found| found.ty)
    else {
        panic!("r is a resource");
    };
    assert!(!f.async_());
    let params: Vec<(&str, Type)> = f.params().collect();
    assert_eq!(params[0], ("r", Type::Borrow(r)));
    let Type::Record(point) = &params[1].1 else {
        panic!("p is a record");
    };
    let fields: Vec<&str> = point.fields().map(|field| field.name).collect();
    assert_eq!(fields, ["x", "tag"]);
    let tag = point.fields().nth(1).map(|field| field.ty);
    let Some(Type::Option(tag)) = tag else {
        panic!("tag is an option");
    };
    assert_eq!(tag.ty(), Type::String);
    let Some(Type::Result(result)) = f.results().next() else {
        panic!("f returns a result");
    };
    assert!(result.err().is_none());
    let Some(Type::List(list)) = result.ok() else {
        panic!("of a list");
    };
    let Type::Enum(color) = list.ty() else {
        panic!("of enums");
    };
    assert_eq!(color.names().collect::<Vec<_>>(), ["red", "green"]);
}

#[test]
fn core_modules_are_told_by_their_imports_and_exports() {
    let component = component(SHAPES);
    let engine = component.engine();
    let ty = component.component_type();
    let Some(ComponentItem::Module(module)) = ty.get_import(engine, "m").map(|found| found.ty)
    else {
        panic!("m is a module");
    };
    let imports: Vec<String> = module
        .imports(engine)
        .map(|((module, name), ty)| alloc::format!("{module}.{name}: {ty}"))
        .collect();
    assert_eq!(imports, ["env.t: table funcref 1..2"]);
    let exports: Vec<String> = module
        .exports(engine)
        .map(|(name, ty)| alloc::format!("{name}: {ty}"))
        .collect();
    assert_eq!(
        exports,
        ["run: func (i32, f64) -> (i64)", "g: global mut f32"]
    );
}

#[test]
fn equal_structures_are_equal_types_across_components() {
    let one = component(SHAPES);
    let two = component(SHAPES);
    let point = |component: &Component, name: &str| {
        let types = instance(component, "a:b/types@0.2.6");
        match types
            .get_export(component.engine(), name)
            .map(|found| found.ty)
        {
            Some(ComponentItem::Type(ty)) => ty,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(point(&one, "point"), point(&two, "point"));
    assert_ne!(point(&one, "point"), point(&two, "color"));
    let resource = |component: &Component| {
        let types = instance(component, "a:b/types@0.2.6");
        match types
            .get_export(component.engine(), "r")
            .map(|found| found.ty)
        {
            Some(ComponentItem::Resource(ty)) => ty,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(resource(&one), resource(&one));
    assert_ne!(resource(&one), resource(&two));
}

#[test]
fn exports_are_found_by_index_and_only_in_their_component() {
    let one = component(SHAPES);
    let again: ComponentExportIndex = "again".lookup(&one).expect("an export");
    let (item, f) = one.get_export(Some(&again), "f").expect("a nested export");
    assert!(matches!(item, ComponentItem::ComponentFunc(_)));
    assert!(f.lookup(&one).is_some());
    assert!(one.get_export_index(Some(&f), "x").is_none());
    assert!(one.get_export(None, "nothing").is_none());
    let two = component(SHAPES);
    assert!(f.lookup(&two).is_none());
    assert!(two.get_export_index(Some(&again), "f").is_none());
    assert!("again".to_string().lookup(&two).is_some());
}
