//! Components of unusual shape: deep, wide, doubling, chained, and what they may cost.

use cellule::component::{Component, Instance, Linker, Resource, ResourceAny, Val};
use cellule::{Config, Engine, Error, ErrorKind, Limits, Store, StoreContextMut, Trap};
use std::fmt::Write;
use std::thread;

/// A native stack on which nothing that recurses with a guest's depth could run.
const SMALL_STACK: usize = 64 << 10;

fn load(engine: &Engine, text: &str) -> Component {
    let wasm = wat::parse_str(text).expect("well-formed text");
    Component::new(engine, wasm).expect("a valid component")
}

fn start(text: &str) -> (Store<()>, Instance) {
    let engine = Engine::default();
    let component = load(&engine, text);
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &component)
        .expect("no imports");
    (store, instance)
}

/// Three times the value plus one, `depth` times.
fn collatz(depth: u32, x: u32) -> u32 {
    (0..depth).fold(x, |x, _| x.wrapping_mul(3).wrapping_add(1))
}

/// A component in a component, `depth` times: each lowers the function of the one inside it, calls
/// it from core code and lifts the result.
fn nested(depth: u32) -> String {
    let mut text = r#"(component
        (core module $m (func (export "f") (param i32) (result i32)
            (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1))))
        (core instance $i (instantiate $m))
        (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))"#
        .to_string();
    for _ in 1..depth {
        let inner = text.replacen("(component", "(component $inner", 1);
        text = format!(
            r#"(component {inner}
            (instance $inside (instantiate $inner))
            (core func $lowered (canon lower (func $inside "f")))
            (core module $m (import "" "f" (func $f (param i32) (result i32)))
                (func (export "f") (param i32) (result i32)
                    (i32.add (i32.mul (call $f (local.get 0)) (i32.const 3)) (i32.const 1))))
            (core instance $i (instantiate $m
                (with "" (instance (export "f" (func $lowered))))))
            (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))"#
        );
    }
    text
}

#[test]
fn a_value_is_computed_through_sixty_levels_of_nesting() {
    let (mut store, instance) = start(&nested(60));
    let f = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "f")
        .unwrap();
    assert_eq!(f.call(&mut store, (5,)).unwrap().0, collatz(60, 5));
}

#[test]
fn a_value_is_computed_through_a_thousand_exports() {
    let [
        mut core,
        mut exports,
        mut lowers,
        mut given,
        mut imports,
        mut calls,
        mut outer,
    ] = [const { String::new() }; 7];
    for i in 0..1000 {
        writeln!(core, r#"(func (export "f{i}") (param i32) (result i32) (i32.xor (i32.rotl (local.get 0) (i32.const 1)) (i32.const {i})))"#).unwrap();
        writeln!(exports, r#"(func (export "f{i}") (param "x" u32) (result u32) (canon lift (core func $i "f{i}")))"#).unwrap();
        writeln!(
            lowers,
            r#"(core func $l{i} (canon lower (func $inside "f{i}")))"#
        )
        .unwrap();
        writeln!(given, r#"(export "f{i}" (func $l{i}))"#).unwrap();
        writeln!(
            imports,
            r#"(import "" "f{i}" (func $f{i} (param i32) (result i32)))"#
        )
        .unwrap();
        writeln!(calls, "call $f{i}").unwrap();
        writeln!(outer, r#"(export "f{i}" (func $inside "f{i}"))"#).unwrap();
    }
    let (mut store, instance) = start(&format!(
        r#"(component
        (component $inner (core module $m {core}) (core instance $i (instantiate $m)) {exports})
        (instance $inside (instantiate $inner))
        {lowers}
        (core module $m {imports}
            (func (export "all") (param i32) (result i32) local.get 0 {calls}))
        (core instance $i (instantiate $m (with "" (instance {given}))))
        (func (export "all") (param "x" u32) (result u32) (canon lift (core func $i "all")))
        {outer})"#
    ));
    let mut call = |name: &str, x: u32| {
        let f = instance
            .get_typed_func::<(u32,), (u32,)>(&mut store, name)
            .unwrap();
        f.call(&mut store, (x,)).unwrap().0
    };
    let expected = (0..1000).fold(77u32, |x, i| x.rotate_left(1) ^ i);
    assert_eq!(call("all", 77), expected);
    // And by the host, through each export of the outer component.
    let by_host = (0..1000).fold(77, |x, i| call(&format!("f{i}"), x));
    assert_eq!(by_host, expected);
}

/// Two instances of one component, whose resource types differ.
const TWINS: &str = r#"(component
    (component $inner
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m (func (export "get") (param i32) (result i32) (local.get 0)))
        (core instance $i (instantiate $m))
        (export $e "r" (type $r))
        (func (export "make") (param "rep" u32) (result (own $e)) (canon lift (core func $new)))
        (func (export "get") (param "self" (borrow $e)) (result u32)
            (canon lift (core func $i "get"))))
    (instance $a (instantiate $inner))
    (instance $b (instantiate $inner))
    (core func $make (canon lower (func $a "make")))
    (core func $own-get (canon lower (func $a "get")))
    (core func $other-get (canon lower (func $b "get")))
    (core module $m
        (import "" "make" (func $make (param i32) (result i32)))
        (import "" "own-get" (func $own-get (param i32) (result i32)))
        (import "" "other-get" (func $other-get (param i32) (result i32)))
        (func (export "straight") (result i32) (call $own-get (call $make (i32.const 7))))
        (func (export "crossed") (result i32) (call $other-get (call $make (i32.const 7)))))
    (core instance $i (instantiate $m (with "" (instance
        (export "make" (func $make))
        (export "own-get" (func $own-get))
        (export "other-get" (func $other-get))))))
    (export "a" (instance $a))
    (export "b" (instance $b))
    (func (export "straight") (result u32) (canon lift (core func $i "straight")))
    (func (export "crossed") (result u32) (canon lift (core func $i "crossed"))))"#;

#[test]
fn a_raw_index_of_one_instances_resource_traps_in_its_twin() {
    let (mut store, instance) = start(TWINS);
    let call = |store: &mut Store<()>, name: &str| {
        let f = instance.get_typed_func::<(), (u32,)>(&mut *store, name);
        f.unwrap().call(store, ())
    };
    assert_eq!(call(&mut store, "straight").unwrap(), (7,));
    let error = call(&mut store, "crossed").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Trap);
    assert!(
        error.to_string().contains("used with the wrong type"),
        "{error}"
    );
    // The trap has ended the instance.
    let error = call(&mut store, "straight").unwrap_err();
    assert_eq!(error.trap(), Some(Trap::CannotEnterComponent));
}

#[test]
fn a_hosts_handle_of_one_instances_resource_is_refused_by_its_twin() {
    let (mut store, instance) = start(TWINS);
    let index = |store: &mut Store<()>, outer: &str, name: &str| {
        let outer = instance.get_export_index(&mut *store, None, outer);
        let index = instance.get_export_index(store, outer.as_ref(), name);
        index.expect("an export")
    };
    let make = index(&mut store, "a", "make");
    let make = instance
        .get_typed_func::<(u32,), (ResourceAny,)>(&mut store, &make)
        .unwrap();
    let (handle,) = make.call(&mut store, (7,)).unwrap();
    let get = |store: &mut Store<()>, outer: &str| {
        let get = index(store, outer, "get");
        let typed = instance.get_typed_func::<(ResourceAny,), (u32,)>(&mut *store, &get);
        let typed = typed.unwrap().call(&mut *store, (handle,));
        let get = instance.get_func(&mut *store, get).unwrap();
        let mut results = [Val::Bool(false)];
        let dynamic = get.call(store, &[Val::Resource(handle)], &mut results);
        (typed, dynamic.map(|()| results))
    };
    let (typed, dynamic) = get(&mut store, "b");
    assert_eq!(typed.unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(dynamic.unwrap_err().kind(), ErrorKind::Type);
    let (typed, dynamic) = get(&mut store, "a");
    assert_eq!(typed.unwrap(), (7,));
    assert_eq!(dynamic.unwrap(), [Val::U32(7)]);
    let type_of = |store: &mut Store<()>, outer: &str| {
        let index = index(store, outer, "r");
        instance.get_resource(store, index).unwrap()
    };
    assert_ne!(type_of(&mut store, "a"), type_of(&mut store, "b"));
    assert_eq!(type_of(&mut store, "a"), handle.ty());
}

/// Components in each other, each of which instantiates the one inside it twice.
fn doubling(levels: u32, innermost: &str) -> Vec<u8> {
    let mut text = format!("(component {innermost})");
    for _ in 0..levels {
        let inner = text.replacen("(component", "(component $c", 1);
        text =
            format!("(component {inner} (instance (instantiate $c)) (instance (instantiate $c)))");
    }
    wat::parse_str(text).expect("well-formed text")
}

fn refused(wasm: &[u8], limits: Limits) -> Error {
    let engine = Engine::new(Config::new().limits(limits)).unwrap();
    match Component::new(&engine, wasm) {
        Ok(_) => panic!("it fits into the limits"),
        Err(error) => error,
    }
}

#[test]
fn forty_levels_of_doubling_are_over_a_limit_at_an_offset() {
    let core = "(core module $m) (core instance (instantiate $m))";
    for (innermost, what) in [("", "component instances"), (core, "component instances")] {
        let wasm = doubling(40, innermost);
        let error = refused(&wasm, Limits::server());
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.to_string().contains(what), "{error}");
        let offset = error.offset().expect("an offset");
        assert!(offset > 8 && offset < wasm.len() as u64, "{offset}");
        let few = Limits {
            core_instances: 10,
            ..Limits::server()
        };
        let error = refused(&wasm, few);
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert_eq!(
            error.to_string().contains("core instances"),
            innermost == core
        );
    }
}

/// The fewest steps within which a doubling component meets its limit of instances.
fn steps_to_refuse(levels: u32) -> u32 {
    let wasm = doubling(levels, "(core module $m) (core instance (instantiate $m))");
    let enough = |component_steps: u32| {
        let limits = Limits {
            component_instances: 200,
            component_steps,
            ..Limits::server()
        };
        !refused(&wasm, limits).to_string().contains("steps")
    };
    let (mut few, mut many) = (0, 1 << 20);
    assert!(enough(many));
    while many - few > 1 {
        let middle = (few + many) / 2;
        if enough(middle) {
            many = middle
        } else {
            few = middle
        }
    }
    many
}

#[test]
fn refusing_a_doubling_component_takes_no_more_steps_with_each_level() {
    let (ten, twenty, forty) = (
        steps_to_refuse(10),
        steps_to_refuse(20),
        steps_to_refuse(40),
    );
    assert!(ten > 200, "{ten}");
    assert!(
        twenty <= ten + 100 && forty <= twenty + 200,
        "{ten} {twenty} {forty}"
    );
}

#[test]
fn a_doubling_that_fits_the_limits_is_instantiated() {
    let engine = Engine::default();
    let innermost = "(core module $m (memory 0)) (core instance (instantiate $m))";
    let component = Component::new(&engine, doubling(9, innermost)).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component);
    assert!(instance.is_ok());
}

/// Runs something on a thread with a small native stack.
fn on_small_stack<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> R {
    let small = thread::Builder::new().stack_size(SMALL_STACK).spawn(run);
    small.unwrap().join().expect("the thread ends well")
}

#[test]
fn a_chain_of_calls_through_sixty_components_needs_no_native_stack() {
    let (mut store, instance) = start(&nested(60));
    let f = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "f")
        .unwrap();
    // The first call translates, the second finds everything warm.
    let results = on_small_stack(move || {
        let first = f.call(&mut store, (5,)).unwrap().0;
        (first, f.call(&mut store, (6,)).unwrap().0)
    });
    assert_eq!(results, (collatz(60, 5), collatz(60, 6)));
}

/// Calls itself `n` times before it returns, in a component.
const RECURSION: &str = r#"(component
    (core module $m
        (func $down (export "down") (param i32) (result i32)
            (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else
                (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1))))))))
    (core instance $i (instantiate $m))
    (func (export "down") (param "n" u32) (result u32) (canon lift (core func $i "down"))))"#;

#[test]
fn ten_thousand_recursive_calls_need_no_native_stack() {
    let (mut store, instance) = start(RECURSION);
    let down = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "down")
        .unwrap();
    let depth = on_small_stack(move || down.call(&mut store, (10_000,)).unwrap().0);
    assert_eq!(depth, 10_000);
}

#[test]
fn recursion_without_end_is_a_trap_also_on_a_small_native_stack() {
    let (mut store, instance) = start(RECURSION);
    let down = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "down")
        .unwrap();
    let trap = on_small_stack(move || down.call(&mut store, (u32::MAX,)).unwrap_err().trap());
    assert_eq!(trap, Some(Trap::StackOverflow));
}

/// Instances of one component that pass a function on, in a row: each lowers what it is given, adds
/// one in core code, and lifts it again.
fn relays(levels: u32) -> String {
    let mut text = String::from(
        r#"(component
        (import "f" (func $f0 (param "x" u32) (result u32)))
        (component $relay
            (import "f" (func $f (param "x" u32) (result u32)))
            (core func $lowered (canon lower (func $f)))
            (core module $m (import "" "f" (func $f (param i32) (result i32)))
                (func (export "f") (param i32) (result i32)
                    (i32.add (call $f (local.get 0)) (i32.const 1))))
            (core instance $i (instantiate $m
                (with "" (instance (export "f" (func $lowered))))))
            (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))"#,
    );
    for level in 0..levels {
        let next = level + 1;
        write!(
            text,
            r#"(instance $i{next} (instantiate $relay (with "f" (func $f{level}))))
            (alias export $i{next} "f" (func $f{next}))"#
        )
        .unwrap();
    }
    write!(text, r#"(export "f" (func $f{levels})))"#).unwrap();
    text
}

#[test]
fn a_function_is_lowered_and_lifted_again_two_hundred_times() {
    let engine = Engine::default();
    let component = load(&engine, &relays(200));
    let mut linker = Linker::<u32>::new(&engine);
    let times = |mut store: StoreContextMut<'_, u32>, (x,): (u32,)| {
        *store.data_mut() += 1;
        Ok((x * 10,))
    };
    linker.root().func_wrap("f", times).unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let f = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "f")
        .unwrap();
    let (value, store) = on_small_stack(move || (f.call(&mut store, (4,)).unwrap().0, store));
    assert_eq!((value, *store.data()), (240, 1));
}

#[test]
fn an_error_behind_two_hundred_components_reaches_the_host() {
    let engine = Engine::default();
    let component = load(&engine, &relays(200));
    let mut linker = Linker::<()>::new(&engine);
    let fails = |_: StoreContextMut<'_, ()>, (x,): (u32,)| -> Result<(u32,), Error> {
        Err(Error::msg(format!("no {x} here")))
    };
    linker.root().func_wrap("f", fails).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let f = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "f")
        .unwrap();
    let error = f.call(&mut store, (4,)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Host);
    assert!(error.to_string().contains("no 4 here"), "{error}");
    assert!(error.frames().len() > 1, "{error}");
}

/// Passes handles of a host's resource through a chain of components that each lend it on.
fn lenders(levels: u32) -> String {
    let mut text = String::from(
        r#"(component
        (import "h" (instance $h (export "r" (type (sub resource)))
            (export "make" (func (result (own 0))))
            (export "get" (func (param "self" (borrow 0)) (result u32)))))
        (alias export $h "r" (type $r))
        (alias export $h "make" (func $make))
        (alias export $h "get" (func $f0))
        (component $lender
            (import "r" (type $r (sub resource)))
            (import "f" (func $f (param "self" (borrow $r)) (result u32)))
            (core func $drop (canon resource.drop $r))
            (core func $lowered (canon lower (func $f)))
            (core module $m (import "" "f" (func $f (param i32) (result i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "f") (param i32) (result i32)
                    (i32.add (call $f (local.get 0)) (i32.const 1))
                    (call $drop (local.get 0))))
            (core instance $i (instantiate $m (with "" (instance
                (export "f" (func $lowered)) (export "drop" (func $drop))))))
            (func (export "f") (param "self" (borrow $r)) (result u32)
                (canon lift (core func $i "f"))))"#,
    );
    for level in 0..levels {
        let next = level + 1;
        write!(
            text,
            r#"(instance $i{next} (instantiate $lender
                (with "r" (type $r)) (with "f" (func $f{level}))))
            (alias export $i{next} "f" (func $f{next}))"#
        )
        .unwrap();
    }
    write!(
        text,
        r#"(core func $lowered (canon lower (func $f{levels})))
        (core func $make (canon lower (func $make)))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "" "f" (func $f (param i32) (result i32)))
            (import "" "make" (func $make (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "run") (result i32) (local $h i32)
                (call $f (local.tee $h (call $make)))
                (call $drop (local.get $h))))
        (core instance $i (instantiate $m (with "" (instance
            (export "f" (func $lowered)) (export "make" (func $make))
            (export "drop" (func $drop))))))
        (func (export "run") (result u32) (canon lift (core func $i "run"))))"#
    )
    .unwrap();
    text
}

#[test]
fn a_handle_is_lent_on_through_a_hundred_components() {
    struct Thing;
    type Cx<'a> = StoreContextMut<'a, Vec<u32>>;
    let engine = Engine::default();
    let component = load(&engine, &lenders(100));
    let mut linker = Linker::<Vec<u32>>::new(&engine);
    let mut host = linker.instance("h").unwrap();
    let ty = cellule::component::ResourceType::host::<Thing>();
    host.resource("r", ty, |mut store: Cx, rep| {
        store.data_mut().push(rep);
        Ok(())
    })
    .unwrap();
    host.func_wrap("make", |_: Cx, (): ()| {
        Ok((Resource::<Thing>::new_own(31),))
    })
    .unwrap();
    host.func_wrap("get", |_: Cx, (thing,): (Resource<Thing>,)| {
        assert!(!thing.owned());
        Ok((thing.rep() * 10,))
    })
    .unwrap();
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run");
    let run = run.unwrap();
    for _ in 0..3 {
        assert_eq!(run.call(&mut store, ()).unwrap(), (410,));
    }
    assert_eq!(store.data(), &[31, 31, 31]);
}
