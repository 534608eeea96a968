//! What flattening leaves of components written as text, of real guests, and of the official scripts.

use super::*;
use crate::error::Error;
use crate::limits::Limits;
use crate::tables::*;
use crate::wasm::Config;
use std::format;
use std::path::{Path, PathBuf};
use std::println;
use std::string::{String, ToString};
use std::vec::Vec;

fn load(bytes: &[u8]) -> Result<Loaded> {
    component(&Engine::new(&Config::new()).unwrap(), bytes)
}

fn tables(text: &str) -> Shared<ComponentTables> {
    let bytes = wat::parse_str(text).expect("text that encodes");
    load(&bytes).expect("a component that loads").tables
}

fn error(text: &str) -> Error {
    let bytes = wat::parse_str(text).expect("text that encodes");
    load(&bytes).expect_err("a component that is refused")
}

fn export(tables: &ComponentTables, path: &[&str]) -> ExportRow {
    let mut siblings = tables.root_exports;
    let mut found = None;
    for name in path {
        let id = tables.find_export(siblings, name).expect("an export");
        siblings = tables.export(id).children();
        found = Some(tables.export(id));
    }
    found.expect("a path")
}

fn guests() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests");
    let files = std::fs::read_dir(folder).expect("the guests' folder");
    let mut found: Vec<PathBuf> = files
        .map(|file| file.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "wasm"))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// A component in a component, `depth` times; the innermost returns 42.
fn nested(depth: u32) -> String {
    let mut text = String::from(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const 42))
            (core instance $m (instantiate $m))
            (func (export "f") (result u32) (canon lift (core func $m "f"))))"#,
    );
    for _ in 1..depth {
        text = format!(
            r#"(component
                {}
                (instance $inner (instantiate 0))
                (export "f" (func $inner "f")))"#,
            text.replacen("(component", "(component $c", 1)
        );
    }
    text
}

#[test]
fn nesting_vanishes() {
    let tables = tables(&nested(60));
    assert_eq!(tables.instances.len(), 60);
    assert_eq!(tables.instances[59].parent, InstanceId(58));
    assert_eq!(tables.core_instances, 1);
    assert_eq!(tables.trampolines.len(), 0);
    let row = export(&tables, &["f"]);
    assert_eq!(row.kind, ExportKind::Func);
    let func = tables.func(FuncId(row.a));
    assert_eq!(func.kind, FuncKind::Lifted);
    let lifted = tables.core_def(func.core);
    assert_eq!(
        (lifted.kind, lifted.a, lifted.b),
        (CoreDefKind::Export, 0, 0)
    );
    assert_eq!(tables.option(func.options).instance, InstanceId(59));
}

#[test]
fn a_thousand_exports_are_found_by_name() {
    let mut text = String::from(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const 1))
            (core instance $m (instantiate $m))
            (func $f (result u32) (canon lift (core func $m "f")))"#,
    );
    for n in 0..1000 {
        text += &format!("(export \"f{n}\" (func $f))");
    }
    let tables = tables(&(text + ")"));
    assert_eq!(tables.root_exports.len, 1000);
    assert_eq!(tables.root.exports.len, 1000);
    for n in 0..1000 {
        assert_eq!(export(&tables, &[&format!("f{n}")]).a, 0);
    }
}

/// `levels` components, each of which instantiates the one inside it twice.
fn doubling(levels: u32) -> String {
    let mut text = String::from("(component $c)");
    for _ in 0..levels {
        text =
            format!("(component $c {text} (instance (instantiate 0)) (instance (instantiate 0)))");
    }
    text
}

#[test]
fn doubling_is_stopped_by_a_limit_at_its_place_after_counted_work() {
    assert_eq!(tables(&doubling(10)).instances.len(), 2047);
    let refused = error(&doubling(40));
    assert_eq!(refused.kind(), ErrorKind::Limit);
    assert!(refused.offset().is_some(), "{refused}");
    // Both ran into the same count, so neither did more work than the other.
    let shallower = error(&doubling(20));
    assert_eq!(shallower.kind(), ErrorKind::Limit);
    let mut config = Config::new();
    config.limits(Limits {
        component_instances: u32::MAX,
        component_steps: 5_000,
        ..Limits::default()
    });
    let bytes = wat::parse_str(doubling(40)).unwrap();
    let refused = component(&Engine::new(&config).unwrap(), &bytes).unwrap_err();
    assert!(refused.to_string().contains("steps"), "{refused}");
}

#[test]
fn each_instantiation_defines_resource_types_of_its_own() {
    let tables = tables(
        r#"(component
            (component $c
                (type $r' (resource (rep i32)))
                (export $r "r" (type $r'))
                (core func $new (canon resource.new $r'))
                (core module $m
                    (import "" "new" (func $new (param i32) (result i32)))
                    (func (export "make") (result i32) (call $new (i32.const 1)))
                    (func (export "take") (param i32)))
                (core instance $m (instantiate $m
                    (with "" (instance (export "new" (func $new))))))
                (func (export "make") (result (own $r)) (canon lift (core func $m "make")))
                (func (export "take") (param "r" (borrow $r)) (canon lift (core func $m "take"))))
            (instance $one (instantiate $c))
            (instance $two (instantiate $c))
            (export "one" (instance $one))
            (export "two" (instance $two))
        )"#,
    );
    assert_eq!(tables.resources.len(), 2);
    for (at, name) in ["one", "two"].into_iter().enumerate() {
        let row = export(&tables, &[name, "r"]);
        assert_eq!((row.kind, row.a), (ExportKind::Resource, at as u32));
        assert_eq!(tables.resources[at].owner, InstanceId(at as u32 + 1));
        let make = tables.func(FuncId(export(&tables, &[name, "make"]).a));
        let result = tables.ty(tables.func_type(make.ty).result);
        assert_eq!(result.kind, TypeKind::Own);
        assert_eq!(result.resource(), ResourceId(at as u32));
        let take = tables.func(FuncId(export(&tables, &[name, "take"]).a));
        let param = tables.ty(tables.params(take.ty)[0].ty);
        assert_eq!(
            (param.kind, param.resource()),
            (TypeKind::Borrow, ResourceId(at as u32))
        );
    }
    let kinds: Vec<InitKind> = tables.inits.iter().map(|init| init.kind).collect();
    use InitKind::{Define, Instantiate};
    assert_eq!(kinds, [Define, Instantiate, Define, Instantiate]);
    let new: Vec<ResourceId> = tables.trampolines.iter().map(|row| row.resource).collect();
    assert_eq!(new, [ResourceId(0), ResourceId(1)]);
}

#[test]
fn a_function_of_another_component_becomes_an_adapter() {
    let tables = tables(
        r#"(component
            (component $callee
                (core module $m
                    (memory (export "memory") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
                    (func (export "f") (param i32 i32)))
                (core instance $m (instantiate $m))
                (func (export "f") (param "s" string)
                    (canon lift (core func $m "f")
                        (memory (core memory $m "memory")) (realloc (core func $m "realloc"))
                        string-encoding=utf16)))
            (component $caller
                (import "callee" (instance $callee (export "f" (func (param "s" string)))))
                (core module $memory (memory (export "memory") 1))
                (core instance $memory (instantiate $memory))
                (core func $f (canon lower (func $callee "f")
                    (memory (core memory $memory "memory"))))
                (core module $m (import "callee" "f" (func (param i32 i32))))
                (core instance (instantiate $m
                    (with "callee" (instance (export "f" (func $f)))))))
            (instance $callee (instantiate $callee))
            (instance (instantiate $caller (with "callee" (instance $callee))))
        )"#,
    );
    assert_eq!(tables.leaves.len(), 0);
    let row = tables.trampolines[0];
    assert_eq!(row.kind, TrampolineKind::Adapter);
    assert_eq!(row.instance, InstanceId(2));
    assert_eq!(tables.option(row.options).encoding, Encoding::Utf8);
    let callee = tables.func(row.func);
    assert_eq!(callee.ty, row.ty);
    let options = tables.option(callee.options);
    assert_eq!(
        (options.instance, options.encoding),
        (InstanceId(1), Encoding::Utf16)
    );
    assert!(options.realloc.some().is_some());
    // The last core instance's only argument is the adapter.
    let last = tables.inits.last().unwrap();
    let arg = tables.core_def(tables.args[last.args.range()][0]);
    assert_eq!((arg.kind, arg.a), (CoreDefKind::Trampoline, 0));
}

#[test]
fn imports_become_leaves_where_they_are_used() {
    let tables = tables(
        r#"(component
            (import "a:b/c@1.0.0" (instance $c
                (export "r" (type $r (sub resource)))
                (export "same" (type (eq $r)))
                (export "used" (func (param "r" (borrow $r))))
                (export "unused" (func))))
            (import "m" (core module $m (import "x" "g" (global i32)) (export "f" (func))))
            (core func $used (canon lower (func $c "used")))
            (core module $n (global (export "g") i32 (i32.const 1)))
            (core instance $n (instantiate $n))
            (core instance $m (instantiate $m (with "x" (instance $n))))
            (core module $o (import "c" "used" (func (param i32))) (import "m" "f" (func)))
            (core instance (instantiate $o
                (with "c" (instance (export "used" (func $used))))
                (with "m" (instance $m))))
        )"#,
    );
    let leaves: Vec<(LeafKind, String)> = tables
        .leaves
        .iter()
        .map(|leaf| (leaf.kind, tables.leaf_path(*leaf)))
        .collect();
    assert_eq!(
        leaves,
        [
            (LeafKind::Resource, "a:b/c@1.0.0.r".to_string()),
            (LeafKind::Func, "a:b/c@1.0.0.used".to_string()),
            (LeafKind::Module, "m".to_string()),
        ]
    );
    assert_eq!(tables.resource(ResourceId(0)).leaf, LeafId(0));
    // The declared types stand whole, used or not.
    let imports = tables.externs(tables.root.imports);
    assert_eq!(imports[0].kind, ExternKind::Instance);
    let inner = tables.externs(tables.instance_type(InstanceTypeId(imports[0].a)));
    let kinds: Vec<ExternKind> = inner.iter().map(|row| row.kind).collect();
    use ExternKind::{Func, Resource, ResourceEq};
    assert_eq!(kinds, [Resource, ResourceEq, Func, Func]);
    assert_eq!((inner[0].a, inner[1].a), (0, 0));
    let init = tables.inits[1];
    assert_eq!(init.kind, InitKind::InstantiateImported);
    let arg = tables.named_args[init.args.range()][0];
    assert_eq!((tables.name(arg.module), tables.name(arg.name)), ("x", "g"));
    let last = tables.inits.last().unwrap();
    let args = &tables.args[last.args.range()];
    let by_name = tables.core_def(args[1]);
    assert_eq!(by_name.kind, CoreDefKind::ExportByName);
    assert_eq!(tables.name(NameId(by_name.b)), "f");
}

#[test]
fn outer_aliases_are_captured_where_a_component_is_defined() {
    let tables = tables(
        r#"(component $root
            (core module $m (func (export "f")))
            (component $c
                (component $d
                    (alias outer $root $m (core module $m))
                    (core instance $i (instantiate $m))
                    (func (export "f") (canon lift (core func $i "f"))))
                (instance $d (instantiate $d))
                (export "d" (instance $d)))
            (component $e
                (alias outer $root $c (component $c))
                (instance $c (instantiate $c))
                (export "c" (instance $c)))
            (instance $e (instantiate $e))
            (export "e" (instance $e))
        )"#,
    );
    assert_eq!(tables.modules.len(), 1);
    assert_eq!(tables.inits[0].kind, InitKind::Instantiate);
    assert_eq!(tables.inits[0].instance, InstanceId(3));
    assert_eq!(
        export(&tables, &["e", "c", "d", "f"]).kind,
        ExportKind::Func
    );
}

#[test]
fn components_are_arguments_too() {
    let tables = tables(
        r#"(component
            (component $inner
                (type $r (resource (rep i32)))
                (export "r" (type $r)))
            (component $outer
                (import "c" (component $c (export "r" (type (sub resource)))))
                (instance $one (instantiate $c))
                (instance $two (instantiate $c))
                (export "one" (instance $one))
                (export "two" (instance $two)))
            (instance $o (instantiate $outer (with "c" (component $inner))))
            (export "o" (instance $o))
        )"#,
    );
    assert_eq!(tables.resources.len(), 2);
    assert_eq!(export(&tables, &["o", "one", "r"]).a, 0);
    assert_eq!(export(&tables, &["o", "two", "r"]).a, 1);
}

#[test]
fn exports_hide_what_their_declared_type_does_not_name() {
    let tables = tables(
        r#"(component
            (component $c
                (core module $m (func (export "f")))
                (core instance $m (instantiate $m))
                (func $f (canon lift (core func $m "f")))
                (export "a" (func $f))
                (export "b" (func $f)))
            (instance $c (instantiate $c))
            (export "all" (instance $c))
            (export "some" (instance $c) (instance (export "b" (func))))
        )"#,
    );
    assert_eq!(export(&tables, &["all"]).children().len, 2);
    let some = export(&tables, &["some"]).children();
    assert_eq!(some.len, 1);
    assert!(tables.find_export(some, "b").is_some());
}

#[test]
fn a_component_that_imports_components_is_declared_and_no_more() {
    let tables = tables(
        r#"(component
            (import "i" (instance $i
                (export "c" (component $c
                    (export "r" (type (sub resource)))
                    (export "f" (func (result string)))))))
            (alias export $i "c" (component $c))
            (core module $m)
            (core instance (instantiate $m))
            (instance $a (instantiate $c))
            (export "a" (instance $a))
            (export "f" (func $a "f"))
            (export "m" (core module $m)))"#,
    );
    assert!(tables.open);
    assert!(tables.inits.is_empty());
    let leaves: Vec<_> = tables
        .leaves
        .iter()
        .map(|leaf| (leaf.kind, tables.leaf_path(*leaf)))
        .collect();
    assert_eq!(leaves, [(LeafKind::Component, "i.c".to_string())]);
    assert_eq!(export(&tables, &["a", "r"]).kind, ExportKind::Resource);
    assert_eq!(export(&tables, &["a", "f"]).ty, export(&tables, &["f"]).ty);
    assert_eq!(export(&tables, &["m"]).kind, ExportKind::Module);
}

#[test]
fn exported_components_say_what_they_captured() {
    let tables = tables(
        r#"(component
            (import "m" (core module $m))
            (core module $own)
            (component $used)
            (component $outer
                (alias outer 1 $m (core module $m))
                (alias outer 1 $own (core module $own))
                (alias outer 1 $used (component $used)))
            (component $unused)
            (export "c" (component $outer)))"#,
    );
    assert!(!tables.open);
    let row = export(&tables, &["c"]);
    assert_eq!((row.kind, row.a), (ExportKind::Component, 1));
    let [used, outer] = tables.templates[..] else {
        panic!("{:?}", tables.templates);
    };
    assert_eq!(
        (used.plan, used.modules.len, used.components.len),
        (0, 0, 0)
    );
    assert_eq!(outer.plan, 1);
    assert_eq!(
        tables.template_modules[outer.modules.range()],
        [
            TemplateModuleRow::Imported(LeafId(0)),
            TemplateModuleRow::Static(ModuleId(0))
        ]
    );
    assert_eq!(
        tables.template_components[outer.components.range()],
        [TemplateId(0)]
    );
}

#[test]
fn what_is_not_supported_is_named_and_has_a_place() {
    for (text, name) in [
        (
            r#"(component (import "f" (func async)))"#,
            "component-model async",
        ),
        #[cfg(not(feature = "simd"))]
        (
            r#"(component (core module (func (result v128) unreachable)))"#,
            "simd",
        ),
        ("(component (core module (type (struct))))", "gc"),
        (
            "(component (core func (canon waitable-set.new)))",
            "component-model async",
        ),
        (
            r#"(component (type (component (import "v" (value string)))))"#,
            "component-model values",
        ),
        (
            "(component (type (resource (rep i64))))",
            "component-model memory64",
        ),
    ] {
        let refused = error(text);
        assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
        assert!(refused.to_string().contains(name), "{refused}");
        assert!(refused.offset().is_some(), "{refused}");
    }
    let invalid = error(r#"(component (import "f" (func (type 0))))"#);
    assert_eq!(invalid.kind(), ErrorKind::Invalid);
    let module = load(&wat::parse_str("(module)").unwrap()).unwrap_err();
    assert_eq!(module.kind(), ErrorKind::Type);
}

#[test]
fn real_guests_flatten_and_their_truncations_are_refused() {
    for path in guests() {
        let bytes = std::fs::read(&path).unwrap();
        let Loaded {
            tables, modules, ..
        } = load(&bytes).unwrap();
        assert_eq!(tables.modules.len(), modules.len());
        assert!(tables.root_exports.len > 0, "{path:?}");
        // All of them near the ends of sections, some in the middle of code.
        let step = 1 + bytes.len() / 2_000;
        let lengths = (0..bytes.len()).filter(|len| len % step == 0 || bytes.len() - len < 500);
        for len in lengths {
            // Cut between sections it is a component still, only a smaller one.
            let whole = wasmparser::Validator::new().validate_all(&bytes[..len]);
            let cut = load(&bytes[..len]);
            assert_eq!(cut.is_ok(), whole.is_ok(), "{path:?} cut to {len}");
            if let Ok(cut) = cut {
                assert!(cut.tables.root_exports.len <= tables.root_exports.len);
            }
        }
    }
}

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            scripts(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "wast") {
            found.push(path);
        }
    }
}

/// Components of a script that should be valid, with their lines.
fn valid_components(text: &str) -> Option<Vec<(usize, Vec<u8>)>> {
    use wast::{QuoteWat, WastDirective, WastExecute, Wat};
    let buffer = wast::parser::ParseBuffer::new(text).ok()?;
    let script = wast::parser::parse::<wast::Wast>(&buffer).ok()?;
    let mut found = Vec::new();
    for directive in script.directives {
        let line = directive.span().linecol_in(text).0 + 1;
        let mut source = match directive {
            WastDirective::Module(source) | WastDirective::ModuleDefinition(source) => source,
            WastDirective::AssertUnlinkable { module, .. }
            | WastDirective::AssertTrap {
                exec: WastExecute::Wat(module),
                ..
            } => QuoteWat::Wat(module),
            _ => continue,
        };
        let is_component = matches!(
            &source,
            QuoteWat::QuoteComponent(..) | QuoteWat::Wat(Wat::Component(_))
        );
        if is_component && let Ok(bytes) = source.encode() {
            found.push((line, bytes));
        }
    }
    Some(found)
}

#[test]
fn every_valid_component_of_the_official_scripts_flattens() {
    let Some(folder) = std::env::var_os("CELLULE_CONFORMANCE").map(PathBuf::from) else {
        println!("skipped: CELLULE_CONFORMANCE doesn't name the folder of the official scripts");
        return;
    };
    let mut files = Vec::new();
    scripts(&folder, &mut files);
    files.retain(|path| path.to_string_lossy().contains("component-model"));
    let (mut loaded, mut unsupported, mut refused) = (0, 0, Vec::new());
    for path in &files {
        let text = std::fs::read_to_string(path).expect("a readable script");
        for (line, bytes) in valid_components(&text).unwrap_or_default() {
            match load(&bytes) {
                Ok(_) => loaded += 1,
                Err(error) if error.kind() == ErrorKind::Unsupported => unsupported += 1,
                Err(error) => refused.push(format!("{}:{line}: {error}", path.display())),
            }
        }
    }
    println!("{loaded} components loaded, {unsupported} need what is not supported");
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(loaded > 200, "only {loaded} components found");
}
