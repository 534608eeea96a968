//! The adversarial kit: guests that break each rule of the Canonical ABI in turn. Each ends in the error
//! that the specification asks for, and harms nobody else in the store.
//!
//! What this passes over, because it stands elsewhere: start functions, swallowed errors, foreign stores and
//! recursion through the host (`failures.rs`), doubling and nesting instances (`shapes.rs`).

mod built_ins;
mod crossing;
mod cycle;
mod depth;
mod handles;
mod limits;
mod long;
mod members;
mod overlap;
mod realloc;
mod reentrance;
mod values;
mod wide;

use cellule::component::{Component, ComponentExportIndex, Instance, Linker, Val};
use cellule::{Engine, Error, ErrorKind, Result, Store, Trap};
use cellule_tests::heap::Counting;

#[global_allocator]
static HEAP: Counting = Counting;

/// Bytes of the guests' memories.
const MEMORY: u32 = 65536;

/// A memory and a `realloc` that always says 1024.
const ROOM: &str = r#"(memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))"#;

/// The options that name both in a core instance.
fn options(name: &str) -> String {
    format!(r#"(memory (core memory ${name} "memory")) (realloc (core func ${name} "realloc"))"#)
}

fn load(engine: &Engine, text: &str) -> Component {
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Component::new(engine, wasm).unwrap_or_else(|error| panic!("{error:#}\n{text}"))
}

/// A component without imports, and a second instance of it in the same store.
fn pair(text: &str) -> (Store<()>, Instance, Instance) {
    let engine = Engine::default();
    let pre = Linker::new(&engine).instantiate_pre(&load(&engine, text));
    let pre = pre.expect("no imports");
    let mut store = Store::new(&engine, ());
    let one = pre.instantiate(&mut store).expect("an instance");
    let two = pre.instantiate(&mut store).expect("another instance");
    (store, one, two)
}

/// An export, or one of an exported instance: `instance#name`.
fn index<T: 'static>(
    store: &mut Store<T>,
    instance: &Instance,
    path: &str,
) -> ComponentExportIndex {
    let mut outer = None;
    for name in path.split('#') {
        let found = instance.get_export_index(&mut *store, outer.as_ref(), name);
        outer = Some(found.unwrap_or_else(|| panic!("no {name} of {path}")));
    }
    outer.expect("a name")
}

/// Calls a function with dynamic values; its result, if it has one.
fn call<T: 'static>(
    store: &mut Store<T>,
    instance: &Instance,
    name: &str,
    params: &[Val],
) -> Result<Option<Val>> {
    let func = index(store, instance, name);
    let func = instance.get_func(&mut *store, func).expect("the function");
    let mut results = vec![Val::Bool(false); func.ty(&*store).results().len()];
    func.call(store, params, &mut results)?;
    Ok(results.pop())
}

/// Whether an error is a trap whose message has these words.
fn is_trap(error: &Error, words: &str) {
    assert_eq!(error.kind(), ErrorKind::Trap, "{error:#}");
    let text = format!("{error:#}");
    assert!(text.contains(words), "not {words:?}: {text}");
}

/// A tree that a trap has ended.
fn is_locked<T: 'static>(store: &mut Store<T>, instance: &Instance, name: &str, params: &[Val]) {
    let error = call(store, instance, name, params).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::CannotEnterComponent), "{error:#}");
}
