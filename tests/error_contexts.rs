//! The type `error-context`: messages that pass between guests and the host.

use cellule::component::{Component, ErrorContext, Instance, Linker, Val};
use cellule::{Config, Engine, ErrorKind, Limits, Store, StoreContextMut};

/// Makes error contexts of strings, reads and drops them.
const DEFINITIONS: &str = r#"
    (core module $libc
        (memory (export "memory") 3)
        (global $bump (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $bump (i32.and
                (i32.add (global.get $bump) (i32.const 7)) (i32.const -8)))
            (memory.copy (global.get $bump) (local.get 0) (local.get 1))
            (global.get $bump)
            (global.set $bump (i32.add (global.get $bump) (local.get 3))))
        (func (export "reset") (global.set $bump (i32.const 1024))))
    (core instance $libc (instantiate $libc))
    (alias core export $libc "memory" (core memory $memory))
    (alias core export $libc "realloc" (core func $realloc))
    (core func $new (canon error-context.new (memory $memory) ENCODING))
    (core func $read (canon error-context.debug-message
        (memory $memory) (realloc $realloc) ENCODING))
    (core func $drop (canon error-context.drop))
    (core module $m
        (import "" "memory" (memory 1))
        (import "" "reset" (func $reset))
        (import "" "new" (func $new (param i32 i32) (result i32)))
        (import "" "read" (func $read (param i32 i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "make") (param i32 i32) (result i32)
            (call $reset)
            (call $new (local.get 0) (local.get 1)))
        (func (export "read") (param i32) (result i32)
            (call $reset)
            (call $read (local.get 0) (i32.const 16))
            (call $drop (local.get 0))
            (i32.const 16))
        (func (export "index") (param i32) (result i32) (local.get 0))
        (func (export "drop") (param i32) (call $drop (local.get 0))))
    (core instance $i (instantiate $m (with "" (instance
        (export "memory" (memory $memory))
        (export "reset" (func $libc "reset"))
        (export "new" (func $new))
        (export "read" (func $read))
        (export "drop" (func $drop))))))
    (func $make (export "make") (param "s" string) (result error-context)
        (canon lift (core func $i "make") (memory $memory) (realloc $realloc) ENCODING))
    (func $read' (export "read") (param "e" error-context) (result string)
        (canon lift (core func $i "read") (memory $memory) (realloc $realloc) ENCODING))
    (func (export "index") (param "e" error-context) (result u32)
        (canon lift (core func $i "index")))
    (func (export "drop") (param "i" u32) (canon lift (core func $i "drop")))
    (func (export "return-index") (param "i" u32) (result error-context)
        (canon lift (core func $i "index")))"#;

fn guest(encoding: &str) -> String {
    let definitions = DEFINITIONS.replace("ENCODING", encoding);
    format!("(component {definitions})")
}

fn instance(engine: &Engine, text: &str) -> (Store<()>, Instance) {
    let component = Component::new(engine, wat::parse_str(text).expect("well-formed")).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, &component);
    (store, instance.unwrap())
}

fn with_limits(change: impl Fn(&mut Limits)) -> Engine {
    let mut config = Config::new();
    let mut limits = Limits::default();
    change(&mut limits);
    config.limits(limits);
    Engine::new(&config).unwrap()
}

#[test]
fn the_host_reads_messages_and_guests_read_the_hosts() {
    let engine = Engine::default();
    for encoding in ["", "string-encoding=utf16", "string-encoding=latin1+utf16"] {
        let (mut store, instance) = instance(&engine, &guest(encoding));
        let make = instance.get_typed_func::<(&str,), (ErrorContext,)>(&mut store, "make");
        let make = make.unwrap();
        let read = instance.get_typed_func::<(ErrorContext,), (String,)>(&mut store, "read");
        let read = read.unwrap();
        for message in ["", "plain", "für 16 Bit: 寿司", &"long ".repeat(1000)] {
            let (context,) = make.call(&mut store, (message,)).unwrap();
            assert_eq!(context.debug_message(), message);
            let own = ErrorContext::new(message);
            assert_eq!(context, own);
            assert_eq!(read.call(&mut store, (own,)).unwrap().0, message);
        }
    }
}

#[test]
fn dynamic_values_hold_error_contexts() {
    let (mut store, instance) = instance(&Engine::default(), &guest(""));
    let make = instance.get_func(&mut store, "make").unwrap();
    let mut results = [Val::Bool(false)];
    let text = Val::String("gone".into());
    make.call(&mut store, std::slice::from_ref(&text), &mut results)
        .unwrap();
    let context = results[0].clone();
    assert_eq!(context, Val::ErrorContext(ErrorContext::new("gone")));
    let read = instance.get_func(&mut store, "read").unwrap();
    read.call(&mut store, &[context], &mut results).unwrap();
    assert_eq!(results[0], text);
    let error = read.call(&mut store, &[text], &mut results).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert!(
        error.to_string().contains("error-context expected"),
        "{error}"
    );
    let error = instance.get_typed_func::<(u32,), (String,)>(&mut store, "read");
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Type);
}

#[test]
fn each_guest_has_handles_of_its_own_to_the_same_error_context() {
    let engine = Engine::default();
    let inner = guest("string-encoding=utf16");
    let text = format!(
        r#"(component
            (import "seen" (func $seen (param "e" (list error-context))))
            (component $inner {})
            (instance $inner (instantiate $inner))
            (core module $libc
                (memory (export "memory") 1)
                (data (i32.const 8) "shared")
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512)))
            (core instance $libc (instantiate $libc))
            (alias core export $libc "memory" (core memory $memory))
            (alias core export $libc "realloc" (core func $realloc))
            (core func $seen (canon lower (func $seen) (memory $memory)))
            (core func $new (canon error-context.new (memory $memory)))
            (core func $drop (canon error-context.drop))
            (core func $read (canon lower (func $inner "read") (memory $memory) (realloc $realloc)))
            (core func $index (canon lower (func $inner "index")))
            (core func $drop-inner (canon lower (func $inner "drop")))
            (core func $back (canon lower (func $inner "return-index")))
            (core module $m
                (import "" "memory" (memory 1))
                (import "" "seen" (func $seen (param i32 i32)))
                (import "" "new" (func $new (param i32 i32) (result i32)))
                (import "" "drop" (func $drop (param i32)))
                (import "" "read" (func $read (param i32 i32)))
                (import "" "index" (func $index (param i32) (result i32)))
                (import "" "drop-inner" (func $drop-inner (param i32)))
                (import "" "back" (func $back (param i32) (result i32)))
                (func (export "run") (result i32) (local $a i32) (local $b i32) (local $c i32)
                    ;; Padding, so that the two tables count differently.
                    (drop (call $new (i32.const 8) (i32.const 1)))
                    (local.set $a (call $new (i32.const 8) (i32.const 6)))
                    (local.set $b (call $index (local.get $a)))
                    (if (i32.eq (local.get $a) (local.get $b)) (then unreachable))
                    ;; Gone here, there still there.
                    (call $drop (local.get $a))
                    (local.set $c (call $back (local.get $b)))
                    (call $drop-inner (local.get $b))
                    (i32.store (i32.const 64) (local.get $c))
                    (i32.store (i32.const 68) (local.get $c))
                    (call $seen (i32.const 64) (i32.const 2))
                    (call $read (local.get $c) (i32.const 32))
                    (i32.const 32)))
            (core instance $i (instantiate $m (with "" (instance
                (export "memory" (memory $memory))
                (export "seen" (func $seen))
                (export "new" (func $new))
                (export "drop" (func $drop))
                (export "read" (func $read))
                (export "index" (func $index))
                (export "drop-inner" (func $drop-inner))
                (export "back" (func $back))))))
            (func (export "run") (result string)
                (canon lift (core func $i "run") (memory $memory))))"#,
        inner
            .trim_start_matches("(component")
            .strip_suffix(')')
            .unwrap()
    );
    let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut linker = Linker::<Vec<ErrorContext>>::new(&engine);
    linker
        .root()
        .func_wrap(
            "seen",
            |mut store: StoreContextMut<'_, Vec<ErrorContext>>, (seen,): (Vec<ErrorContext>,)| {
                store.data_mut().extend(seen);
                Ok(())
            },
        )
        .unwrap();
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(), (String,)>(&mut store, "run");
    assert_eq!(run.unwrap().call(&mut store, ()).unwrap().0, "shared");
    assert_eq!(*store.data(), ["shared"; 2].map(ErrorContext::new));
}

#[test]
fn a_handle_that_is_none_ends_the_instance() {
    let engine = Engine::default();
    for index in [0, 1, 7, u32::MAX] {
        let (mut store, instance) = instance(&engine, &guest(""));
        let drop = instance
            .get_typed_func::<(u32,), ()>(&mut store, "drop")
            .unwrap();
        let error = drop.call(&mut store, (index,)).unwrap_err();
        let text = format!("unknown handle index {index}");
        assert!(error.to_string().contains(&text), "{error}");
        let error = drop.call(&mut store, (index,)).unwrap_err();
        assert!(error.to_string().contains("cannot enter"), "{error}");
    }
    // Lifted where there is none, and dropped twice.
    let (mut store, made) = instance(&engine, &guest(""));
    let back = made.get_typed_func::<(u32,), (ErrorContext,)>(&mut store, "return-index");
    assert!(back.unwrap().call(&mut store, (3,)).is_err());
    let (mut store, made) = instance(&engine, &guest(""));
    let index = made.get_typed_func::<(ErrorContext,), (u32,)>(&mut store, "index");
    let (index,) = index
        .unwrap()
        .call(&mut store, (ErrorContext::new("x"),))
        .unwrap();
    assert_eq!(index, 1);
    let drop = made
        .get_typed_func::<(u32,), ()>(&mut store, "drop")
        .unwrap();
    drop.call(&mut store, (index,)).unwrap();
    assert!(drop.call(&mut store, (index,)).is_err());
}

#[test]
fn a_resource_is_no_error_context_and_an_error_context_no_resource() {
    let text = r#"(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        (core func $rep (canon resource.rep $r))
        (core module $libc (memory (export "memory") 1))
        (core instance $libc (instantiate $libc))
        (core func $context (canon error-context.new (memory (core memory $libc "memory"))))
        (core func $drop-context (canon error-context.drop))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "rep" (func $rep (param i32) (result i32)))
            (import "" "context" (func $context (param i32 i32) (result i32)))
            (import "" "drop-context" (func $drop-context (param i32)))
            (func (export "a") (call $drop-context (call $new (i32.const 1))))
            (func (export "b") (call $drop (call $context (i32.const 0) (i32.const 0))))
            (func (export "c") (drop (call $rep (call $context (i32.const 0) (i32.const 0))))))
        (core instance $i (instantiate $m (with "" (instance
            (export "new" (func $new))
            (export "drop" (func $drop))
            (export "rep" (func $rep))
            (export "context" (func $context))
            (export "drop-context" (func $drop-context))))))
        (func (export "a") (canon lift (core func $i "a")))
        (func (export "b") (canon lift (core func $i "b")))
        (func (export "c") (canon lift (core func $i "c"))))"#;
    let engine = Engine::default();
    for (name, why) in [
        (
            "a",
            "expected error-context but found guest-defined resource",
        ),
        (
            "b",
            "expected guest-defined resource but found error-context",
        ),
        (
            "c",
            "expected guest-defined resource but found error-context",
        ),
    ] {
        let (mut store, instance) = instance(&engine, text);
        let func = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
        let error = func.call(&mut store, ()).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn messages_count_as_memory_and_are_dropped_where_there_is_none() {
    // The guest's memory, and room for a few messages.
    let engine = with_limits(|limits| limits.total_memory_bytes = 3 * 65_536 + 2_500);
    let (mut store, instance) = instance(&engine, &guest(""));
    let make = instance.get_typed_func::<(&str,), (ErrorContext,)>(&mut store, "make");
    let make = make.unwrap();
    let message = "x".repeat(900);
    let kept = (0..10).map(|_| make.call(&mut store, (&message,)).unwrap().0);
    let kept: Vec<_> = kept.map(|context| context.debug_message().len()).collect();
    assert_eq!(kept, [900, 900, 0, 0, 0, 0, 0, 0, 0, 0]);
    // What is dropped gives its room back.
    let drop = instance
        .get_typed_func::<(u32,), ()>(&mut store, "drop")
        .unwrap();
    for index in 1..=10 {
        drop.call(&mut store, (index,)).unwrap();
    }
    let index = instance.get_typed_func::<(ErrorContext,), (u32,)>(&mut store, "index");
    let index = index.unwrap();
    for _ in 0..1000 {
        let context = ErrorContext::new(&*message);
        let (at,) = index.call(&mut store, (context,)).unwrap();
        drop.call(&mut store, (at,)).unwrap();
    }
    // The host is told.
    let context = ErrorContext::new("x".repeat(3_000));
    let error = index.call(&mut store, (context,)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

#[test]
fn a_component_that_needs_the_type_is_invalid_where_it_is_switched_off() {
    let mut config = Config::new();
    config.wasm_component_model_error_context(false);
    let engine = Engine::new(&config).unwrap();
    let error = Component::new(&engine, wat::parse_str(guest("")).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}
