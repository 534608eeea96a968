//! Wherever the host's allocator has nothing left, there is an error, nothing is lost, and the store goes on.
//!
//! Each story is told as often as it allocates, and each time another allocation fails. (Loading is from images: see
//! `SECURITY.md` about loading binaries.)

use cellule::component::{
    Component, ComponentType, Func, Instance, Lift, Linker, List, Lower, Resource, ResourceAny,
    ResourceTable, ResourceTableError, ResourceType, Val, flags,
};
use cellule::{Config, Context, Engine, ErrorKind, Module, OutOfMemory, Result, Store, Trap};
use cellule_tests::echo::Echo;
use cellule_tests::heap::{Counting, failing, granting, held};
use cellule_tests::stories::{record, text};
use cellule_tests::waiting::{Pending, block_on};
use std::collections::HashMap;
use std::fmt::Debug;

#[global_allocator]
static HEAP: Counting = Counting;

fn engine(fuel: bool) -> Engine {
    let mut config = Config::new();
    config.consume_fuel(fuel);
    Engine::new(&config).unwrap()
}

/// An image at an address that is a multiple of eight, for ever.
fn lasting(image: &[u8]) -> &'static [u8] {
    let place = vec![0u8; image.len() + 8].leak();
    let start = place.as_ptr().align_offset(8);
    let place = &mut place[start..start + image.len()];
    place.copy_from_slice(image);
    place
}

fn image(engine: &Engine, text: &str) -> &'static [u8] {
    let component = Component::new(engine, wat::parse_str(text).unwrap()).unwrap();
    lasting(&component.to_image().unwrap())
}

/// Lets each allocation of `run` fail in turn. A guest may trap that can't grow its memory.
fn each_fails(what: &str, mut run: impl FnMut() -> Result<()>) {
    run().unwrap();
    let before = held();
    for nth in 0.. {
        let (result, failed) = failing(nth, &mut run);
        match result {
            Ok(()) if !failed => {
                assert!(nth > 0, "{what} allocates nothing");
                break;
            }
            // There was another way.
            Ok(()) => {}
            Err(error) => {
                assert!(failed, "{what}: {error:?}");
                let grew = error.trap() == Some(Trap::UnreachableCodeReached);
                let none = error.kind() == ErrorKind::OutOfMemory && error.is::<OutOfMemory>();
                assert!(none || grew, "{what}, {nth}: {error:?}");
            }
        }
        assert_eq!(held(), before, "{what}: a leak after allocation {nth}");
    }
}

/// A component that is called with a string and a list, asks the host, calls another component, makes a resource of its
/// own and drops it, and drops one of the host's.
const GUEST: &str = r#"(component
  (import "res" (type $res (sub resource)))
  (import "host" (func $host (param "text" string) (result u32)))
  (component $inner
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "echo") (param $place i32) (param $length i32) (result i32)
        (i32.store (i32.const 16) (local.get $place))
        (i32.store (i32.const 20) (local.get $length))
        (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "echo") (param "text" string) (result string)
      (canon lift (core func $i "echo") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (instance $inner (instantiate $inner))
  (core module $memory
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $place i32)
      (local.set $place (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $place) (local.get $size)))
      (local.get $place))
    (func (export "free") (param i32) (global.set $heap (i32.const 1024))))
  (core instance $memory (instantiate $memory))
  (core module $dtor
    (global $dropped (export "dropped") (mut i32) (i32.const 0))
    (func (export "dtor") (param i32) (global.set $dropped (i32.add (global.get $dropped) (i32.const 1)))))
  (core instance $dtor (instantiate $dtor))
  (type $own (resource (rep i32) (dtor (core func $dtor "dtor"))))
  (core func $new (canon resource.new $own))
  (core func $drop (canon resource.drop $own))
  (core func $drop-res (canon resource.drop $res))
  (core func $host (canon lower (func $host) (memory (core memory $memory "memory"))))
  (core func $echo (canon lower (func $inner "echo") (memory (core memory $memory "memory"))
    (realloc (core func $memory "realloc"))))
  (core module $m
    (import "m" "memory" (memory 1))
    (import "m" "host" (func $host (param i32 i32) (result i32)))
    (import "m" "echo" (func $echo (param i32 i32 i32)))
    (import "m" "new" (func $new (param i32) (result i32)))
    (import "m" "drop" (func $drop (param i32)))
    (import "m" "drop-res" (func $drop-res (param i32)))
    (func (export "run") (param $text i32) (param $length i32) (param $list i32) (param $count i32)
        (param $res i32) (result i32)
      (if (i32.eqz (local.get $count)) (then unreachable))
      (call $echo (local.get $text) (local.get $length) (i32.const 32))
      (drop (call $host (i32.load (i32.const 32)) (i32.load (i32.const 36))))
      (call $drop (call $new (i32.const 7)))
      (call $drop-res (local.get $res))
      (i32.store (i32.const 48) (local.get $list))
      (i32.store (i32.const 52) (local.get $count))
      (i32.const 48))
    (func (export "make") (result i32) (call $new (i32.const 8))))
  (core instance $i (instantiate $m (with "m" (instance
    (export "memory" (memory $memory "memory")) (export "host" (func $host)) (export "echo" (func $echo))
    (export "new" (func $new)) (export "drop" (func $drop)) (export "drop-res" (func $drop-res))))))
  (export $out "own" (type $own))
  (func (export "run") (param "text" string) (param "list" (list (tuple u32 string))) (param "res" (own $res))
      (result (list (tuple u32 string)))
    (canon lift (core func $i "run") (memory (core memory $memory "memory"))
      (realloc (core func $memory "realloc")) (post-return (core func $memory "free"))))
  (func (export "make") (result (own $out)) (canon lift (core func $i "make"))))"#;

struct Res;

fn linker(engine: &Engine) -> Result<Linker<u32>> {
    let mut linker = Linker::<u32>::new(engine);
    let mut root = linker.root();
    let res = ResourceType::host::<Res>();
    root.resource("res", res, |mut store, _| {
        *store.data_mut() += 1;
        Ok(())
    })?;
    root.func_wrap("host", |_, (text,): (String,)| Ok((text.len() as u32,)))?;
    Ok(linker)
}

type Pairs<'a> = &'a [(u32, &'a str)];

fn arguments() -> [Val; 3] {
    let pair = Val::Tuple(vec![Val::U32(3), Val::String("three".into())]);
    let pairs = Val::List([pair].into_iter().collect());
    [Val::String("ä".into()), pairs, Val::Bool(false)]
}

/// Calls of everything, typed and with dynamic values.
fn call(store: &mut Store<u32>, instance: &Instance, args: &mut [Val; 3]) -> Result<()> {
    let pairs: Pairs = &[(1, "one"), (2, "two")];
    let run = instance.get_typed_func::<(&str, Pairs, Resource<Res>), (Vec<(u32, String)>,)>(
        &mut *store,
        "run",
    )?;
    let res = Resource::new_own(1);
    let (back,) = run.call(&mut *store, ("a text", pairs, res))?;
    assert_eq!(back.len(), 2);

    let run = instance.get_func(&mut *store, "run").unwrap();
    let res = ResourceAny::try_from_resource(Resource::<Res>::new_own(2), &mut *store)?;
    args[2] = Val::Resource(res);
    let mut results = [Val::Bool(false)];
    run.call(&mut *store, &*args, &mut results)?;
    assert_eq!(results[0], args[1]);

    let make = instance.get_typed_func::<(), (ResourceAny,)>(&mut *store, "make")?;
    let (own,) = make.call(&mut *store, ())?;
    own.resource_drop(&mut *store)
}

#[test]
fn linking_instantiating_and_calling() {
    for fuel in [false, true] {
        let engine = engine(fuel);
        let component = Component::from_image(&engine, image(&engine, GUEST)).unwrap();
        let mut args = arguments();
        each_fails("everything", || {
            let linker = linker(&engine)?;
            let mut store = Store::try_new(&engine, 0)?;
            // Without fuel there is none to set.
            let _ = granting(|| store.set_fuel(1 << 40));
            let instance = linker.instantiate(&mut store, &component)?;
            call(&mut store, &instance, &mut args)?;
            call(&mut store, &instance, &mut args)
        });
    }
}

/// A call that lacked memory leaves the other instances of its store as they were; its own can be called again, or is
/// locked as after a trap.
#[test]
fn a_store_goes_on_after_a_call_that_lacked_memory() {
    let engine = engine(false);
    let component = Component::from_image(&engine, image(&engine, GUEST)).unwrap();
    let pre = linker(&engine)
        .unwrap()
        .instantiate_pre(&component)
        .unwrap();
    let mut args = arguments();
    let (mut again, mut locked) = (0, 0);
    for nth in 0.. {
        let mut store = Store::new(&engine, 0);
        let other = pre.instantiate(&mut store).unwrap();
        let instance = pre.instantiate(&mut store).unwrap();
        let (result, failed) = failing(nth, || call(&mut store, &instance, &mut args));
        if !failed {
            result.unwrap();
            break;
        }
        call(&mut store, &other, &mut args).unwrap();
        match call(&mut store, &instance, &mut args) {
            Ok(()) => again += 1,
            Err(error) => {
                assert_eq!(
                    error.trap(),
                    Some(Trap::CannotEnterComponent),
                    "{nth}: {error:?}"
                );
                locked += 1;
            }
        }
    }
    assert!(again > 3 && locked > 3, "{again} went on, {locked} didn't");
}

/// An instance that there is no memory for is taken out of its store again.
#[test]
fn a_store_holds_nothing_of_what_could_not_be_instantiated() {
    let engine = engine(false);
    let component = Component::from_image(&engine, image(&engine, GUEST)).unwrap();
    let pre = linker(&engine)
        .unwrap()
        .instantiate_pre(&component)
        .unwrap();
    for nth in 0.. {
        let mut store = Store::new(&engine, 0);
        let empty = store.held();
        let (result, failed) = failing(nth, || pre.instantiate(&mut store).map(drop));
        if !failed {
            result.unwrap();
            assert_ne!(store.held(), empty);
            break;
        }
        assert_eq!(result.unwrap_err().kind(), ErrorKind::OutOfMemory);
        assert_eq!(store.held(), empty, "{nth}");
        let instance = pre.instantiate(&mut store).unwrap();
        call(&mut store, &instance, &mut arguments()).unwrap();
    }
}

/// Passes a value of a type to a guest, which passes it to the host and gives back what that returns: typed and
/// dynamically, with a typed and a dynamic host.
fn echo<V>(echo: Echo<'_>, typed: V, dynamic: Val)
where
    V: ComponentType + Lift + Lower + Clone + PartialEq + Debug + 'static,
{
    let engine = engine(false);
    let component = Component::from_image(&engine, image(&engine, &echo.component())).unwrap();
    let args = [dynamic];
    for typed_host in [true, false] {
        each_fails(echo.of, || {
            let mut linker = Linker::<()>::new(&engine);
            let mut root = linker.root();
            if typed_host {
                root.func_wrap("host", |_, (value,): (V,)| Ok((value,)))?;
            } else {
                root.func_new("host", |_, _, params, results| {
                    results[0] = granting(|| params[0].clone());
                    Ok(())
                })?;
            }
            let mut store = Store::try_new(&engine, ())?;
            let instance = linker.instantiate(&mut store, &component)?;
            let func: Func = instance.get_func(&mut store, "echo").unwrap();
            let mut results = [Val::Bool(false)];
            func.call(&mut store, &args, &mut results)?;
            assert_eq!(results, args);
            let func = func.typed::<(&V,), (V,)>(&store)?;
            let (back,) = func.call(&mut store, (&typed,))?;
            assert_eq!(back, typed);
            Ok(())
        });
    }
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Entry {
    name: String,
    size: u16,
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(variant)]
enum Shape {
    #[component(name = "none")]
    None,
    #[component(name = "named")]
    Named(String),
}

#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
enum Colour {
    #[component(name = "red")]
    Red,
    #[component(name = "blue")]
    Blue,
}

flags! {
    Rights {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
    }
}

#[test]
fn calls_with_every_type() {
    let of = |of, flat| Echo {
        types: &[
            (
                "entry",
                r#"(record (field "name" string) (field "size" u16))"#,
            ),
            ("shape", r#"(variant (case "none") (case "named" string))"#),
            ("colour", r#"(enum "red" "blue")"#),
            ("rights", r#"(flags "read" "write")"#),
        ],
        of,
        flat,
        layout: (0, 0),
    };
    let words = || [text("one"), text("two")];
    echo(of("bool", "i32"), true, Val::Bool(true));
    echo(of("s64", "i64"), -5i64, Val::S64(-5));
    echo(of("f32", "f32"), 0.5f32, Val::Float32(0.5));
    echo(of("char", "i32"), 'ß', Val::Char('ß'));
    echo(
        of("string", "i32 i32"),
        "a text".to_string(),
        text("a text"),
    );
    echo::<Box<str>>(of("string", "i32 i32"), "boxed".into(), text("boxed"));
    let bytes = Val::List(vec![1u8, 2, 3].into());
    echo(of("(list u8)", "i32 i32"), vec![1u8, 2, 3], bytes);
    let numbers = Val::List(vec![1.5f64, -2.5].into());
    echo::<Box<[f64]>>(of("(list f64)", "i32 i32"), [1.5, -2.5].into(), numbers);
    let texts = Val::List(words().into_iter().collect());
    let typed = ["one", "two"].map(String::from);
    echo(of("(list string)", "i32 i32"), typed.to_vec(), texts);
    let fixed = Val::FixedLengthList(words().into_iter().collect());
    echo(
        of("(list string 2)", "i32 i32 i32 i32"),
        typed.clone(),
        fixed,
    );
    let pair = Val::Tuple(vec![text("one"), Val::U8(1)]);
    echo(
        of("(tuple string u8)", "i32 i32 i32"),
        ("one".to_string(), 1u8),
        pair,
    );
    let dynamic = record([("name", text("one")), ("size", Val::U16(2))]);
    let typed_entry = Entry {
        name: "one".into(),
        size: 2,
    };
    echo(of("$entry", "i32 i32 i32"), typed_entry, dynamic);
    let named = Val::Variant("named".into(), Some(Box::new(text("one"))));
    echo(
        of("$shape", "i32 i32 i32"),
        Shape::Named("one".into()),
        named,
    );
    echo(
        of("$shape", "i32 i32 i32"),
        Shape::None,
        Val::Variant("none".into(), None),
    );
    echo(of("$colour", "i32"), Colour::Blue, Val::Enum("blue".into()));
    let both = Val::Flags(vec!["read".into(), "write".into()]);
    echo(of("$rights", "i32"), Rights::READ | Rights::WRITE, both);
    let some = Val::Option(Some(Box::new(text("one"))));
    echo(
        of("(option string)", "i32 i32 i32"),
        Some("one".to_string()),
        some,
    );
    let failed: Result<u32, String> = Err("one".into());
    let dynamic = Val::Result(Err(Some(Box::new(text("one")))));
    echo(
        of("(result u32 (error string))", "i32 i32 i32"),
        failed,
        dynamic,
    );
    let map = HashMap::from([("one".to_string(), 1u32)]);
    let dynamic = Val::Map(vec![(text("one"), Val::U32(1))]);
    echo(of("(map string u32)", "i32 i32"), map, dynamic);
    assert_eq!(List::from(vec![1u8]).len(), 1);
}

/// A guest that asks a host that waits.
const WAITING: &str = r#"(component
    (import "slow" (func $slow (param "x" string) (result u32)))
    (core module $memory
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
    (core instance $memory (instantiate $memory))
    (core func $slow' (canon lower (func $slow) (memory (core memory $memory "memory"))))
    (core module $m
        (import "" "slow" (func $slow (param i32 i32) (result i32)))
        (func $start (drop (call $slow (i32.const 8) (i32.const 5))))
        (start $start)
        (func (export "run") (param i32 i32) (result i32)
            (call $slow (local.get 0) (local.get 1))))
    (core instance $i (instantiate $m (with "" (instance (export "slow" (func $slow'))))))
    (func (export "run") (param "x" string) (result u32)
        (canon lift (core func $i "run") (memory (core memory $memory "memory"))
            (realloc (core func $memory "realloc")))))"#;

#[test]
fn asynchronous_calls() {
    let engine = engine(false);
    let component = Component::from_image(&engine, image(&engine, WAITING)).unwrap();
    let args = [text("dynamic")];
    each_fails("waiting", || {
        let mut linker = Linker::<u32>::new(&engine);
        linker.root().func_wrap_async(
            "slow",
            |mut store: cellule::StoreContextMut<'_, u32>, (text,): (String,)| {
                // The future's box is the embedder's own.
                granting(|| {
                    Box::new(async move {
                        Pending(2).await;
                        *store.data_mut() += 1;
                        Ok((text.len() as u32,))
                    })
                })
            },
        )?;
        let mut store = Store::try_new(&engine, 0)?;
        let (instance, _) = block_on(linker.instantiate_async(&mut store, &component));
        let instance = instance?;
        let run = instance.get_typed_func::<(&str,), (u32,)>(&mut store, "run")?;
        let (answer, pending) = block_on(run.call_async(&mut store, ("typed",)));
        assert_eq!((answer?, pending), ((5,), 2));
        let mut results = [Val::Bool(false)];
        let (called, _) = block_on(run.func().call_async(&mut store, &args, &mut results));
        called?;
        assert_eq!(results, [Val::U32(7)]);
        assert_eq!(*store.data(), 3);
        Ok(())
    });
}

/// Memories, tables, globals, references, exceptions, a start function, a host's function.
const CORE: &str = r#"(module
    (import "host" "add" (func $add (param i32 i32) (result i32)))
    (import "host" "memory" (memory 1))
    (memory $own (export "own") 1)
    (table $table (export "table") 2 funcref)
    (global $made (mut i32) (i32.const 0))
    (global (export "twice") funcref (ref.func $twice))
    (tag $tag (param i32))
    (elem (table $table) (i32.const 0) func $twice)
    (elem $later func $thrice $grow)
    (data (memory $own) (i32.const 8) "data")
    (start $start)
    (func $start (global.set $made (call $add (i32.const 1) (i32.const 2))))
    (func $twice (export "twice-of") (param i32) (result i32) (call $add (local.get 0) (local.get 0)))
    (func $thrice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
    (func $grow (export "grow")
        (if (i32.eq (memory.grow $own (i32.const 1)) (i32.const -1)) (then unreachable))
        (if (i32.eq (table.grow $table (ref.func $thrice) (i32.const 3)) (i32.const -1)) (then unreachable))
        (table.init $table $later (i32.const 0) (i32.const 0) (i32.const 1)))
    (func (export "catch") (param i32) (result i32)
        (block $caught (result i32 exnref)
            (try_table (catch_ref $tag $caught) (throw $tag (local.get 0)))
            unreachable)
        drop)
    (func (export "deep") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call 6 (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0)))))"#;

#[test]
fn core_modules() {
    let engine = engine(false);
    let wasm = wat::parse_str(CORE).unwrap();
    let image = Module::new(&engine, &wasm).unwrap().to_image().unwrap();
    let module = Module::from_image(&engine, lasting(&image)).unwrap();
    // Growth doesn't tell why there is none.
    let limit = |error: cellule::Error| match error.kind() {
        ErrorKind::Limit => OutOfMemory.into(),
        _ => error,
    };
    each_fails("core", || {
        let mut linker = cellule::Linker::<u32>::new(&engine);
        linker.func_wrap(
            "host",
            "add",
            |mut caller: cellule::Caller<'_, u32>, a: i32, b: i32| {
                *caller.data_mut() += 1;
                a + b
            },
        )?;
        let mut store = Store::try_new(&engine, 0)?;
        let ty = cellule::MemoryType::new(1, Some(4));
        let memory = cellule::Memory::new(&mut store, ty)?;
        linker.define("host", "memory", memory)?;
        let instance = linker.instantiate(&mut store, &module)?;
        let twice = instance.get_typed_func::<i32, i32>(&store, "twice-of")?;
        assert_eq!(twice.call(&mut store, 21)?, 42);
        instance
            .get_typed_func::<(), ()>(&store, "grow")?
            .call(&mut store, ())?;
        let catch = instance.get_typed_func::<i32, i32>(&store, "catch")?;
        assert_eq!(catch.call(&mut store, 7)?, 7);
        let deep = instance.get_typed_func::<i32, i32>(&store, "deep")?;
        assert_eq!(deep.call(&mut store, 1_000)?, 1_000);
        // From outside.
        memory.grow(&mut store, 1).map_err(limit)?;
        let own = instance.get_memory(&store, "own").unwrap();
        own.grow(&mut store, 1).map_err(limit)?;
        let table = instance.get_table(&store, "table").unwrap();
        let func = instance.get_func(&store, "grow").unwrap();
        let grown = table.grow(&mut store, 2, cellule::Val::FuncRef(Some(func)));
        grown.map_err(limit)?;
        cellule::Table::copy(&mut store, &table, 0, &table, 1, 2)?;
        cellule::Global::new(
            &mut store,
            cellule::GlobalType {
                content: cellule::ValType::I64,
                mutable: true,
            },
            cellule::Val::I64(1),
        )?;
        let mut results = [cellule::Val::I32(0)];
        let func = instance.get_func(&store, "twice-of").unwrap();
        func.call(&mut store, &[cellule::Val::I32(4)], &mut results)?;
        assert_eq!(results, [cellule::Val::I32(8)]);
        Ok(())
    });
}

/// What errors are made of needs memory too; where there is none, they are that.
#[test]
fn errors_with_their_messages() {
    const TRAPS: &str = r#"(component
        (core module $m
            (func $inner (i32.store (i32.const 0) (i32.const 1)) unreachable)
            (memory 1)
            (func (export "run") (call $inner)))
        (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    let engine = engine(false);
    let traps = Component::from_image(&engine, image(&engine, TRAPS)).unwrap();
    let busy = Component::from_image(&engine, image(&engine, GUEST)).unwrap();
    let expect = |result: Result<()>, kind: ErrorKind| match result {
        Ok(()) => panic!("no error"),
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(error),
    };
    each_fails("errors", || {
        let linker = Linker::<u32>::new(&engine);
        expect(linker.instantiate_pre(&busy).map(drop), ErrorKind::Link)?;
        let mut store = Store::try_new(&engine, 0)?;
        let instance = linker.instantiate(&mut store, &traps)?;
        let wrong = instance.get_typed_func::<(u32,), (String,)>(&mut store, "run");
        expect(wrong.map(drop), ErrorKind::Type)?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        expect(
            run.call(&mut store, ()).context("running it"),
            ErrorKind::Trap,
        )
    });
}

#[test]
fn a_hosts_table_of_resources() {
    each_fails("resources", || {
        let mut table = ResourceTable::new();
        let none = |error: ResourceTableError| match error {
            ResourceTableError::OutOfMemory => OutOfMemory.into(),
            error => cellule::Error::new(error),
        };
        let parent = table.push(1u64).map_err(none)?;
        let child = table.push_child([2u64; 4], &parent).map_err(none)?;
        let mut values = table.iter_children(&parent)?;
        assert!(values.any(|value| value.is::<[u64; 4]>()));
        drop(values);
        table.delete(child)?;
        table.delete(parent)?;
        Ok(())
    });
}
