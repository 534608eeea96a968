//! Functions that a component imports and exports again, called by the host: its own closures then,
//! with all that values of the Canonical ABI can be.

use cellule::component::{Component, Instance, Linker, Resource, ResourceType, Val};
use cellule::{Engine, Error, ErrorKind, Store, StoreContextMut};
use cellule_tests::waiting::{Pending, block_on};

/// The host's data: what its functions noted.
type Notes = Vec<String>;

/// The Rust type that stands for a resource.
struct Ticket;

const GUEST: &str = r#"(component
    (import "greet" (func $greet (param "name" string) (param "n" (list u32)) (result string)))
    (import "sum" (func $sum
        (param "a" u64) (param "b" u64) (param "c" u64) (param "d" u64) (param "e" u64)
        (param "f" u64) (param "g" u64) (param "h" u64) (param "i" u64) (param "j" u64)
        (param "k" u64) (param "l" u64) (param "m" u64) (param "n" u64) (param "o" u64)
        (param "p" u64) (result (tuple u64 string))))
    (import "plain" (func $plain))
    (import "a:b/tickets" (instance $tickets
        (export "ticket" (type $ticket (sub resource)))
        (export "look" (func (param "t" (borrow $ticket)) (result u32)))
        (export "punch" (func (param "t" (own $ticket)) (result (own $ticket))))))
    (export "greet" (func $greet))
    (export "sum" (func $sum))
    (export "plain" (func $plain))
    (export "a:b/tickets" (instance $tickets)))"#;

fn linker(engine: &Engine) -> Linker<Notes> {
    let mut linker = Linker::<Notes>::new(engine);
    let mut root = linker.root();
    type Host<'a> = StoreContextMut<'a, Notes>;
    root.func_wrap(
        "greet",
        |mut store: Host<'_>, (name, n): (String, Vec<u32>)| {
            store.data_mut().push(name.clone());
            if name == "nobody" {
                return Err(Error::msg("nobody is there"));
            }
            Ok((format!("{name} has {n:?}"),))
        },
    )
    .unwrap();
    root.func_new("sum", |_, ty, params, results| {
        assert_eq!(ty.params().len(), 16);
        let number = |val: &Val| match val {
            Val::U64(number) => *number,
            other => panic!("{other:?}"),
        };
        let sum: u64 = params.iter().map(number).sum();
        let text = Val::String(format!("sum {sum}"));
        results[0] = Val::Tuple(vec![Val::U64(sum), text]);
        Ok(())
    })
    .unwrap();
    root.func_wrap("plain", |mut store: Host<'_>, (): ()| {
        store.data_mut().push("plain".into());
        Ok(())
    })
    .unwrap();
    let mut tickets = root.instance("a:b/tickets").unwrap();
    tickets
        .resource(
            "ticket",
            ResourceType::host::<Ticket>(),
            |mut store, rep| {
                store.data_mut().push(format!("dropped {rep}"));
                Ok(())
            },
        )
        .unwrap();
    tickets
        .func_wrap("look", |_: Host<'_>, (ticket,): (Resource<Ticket>,)| {
            assert!(!ticket.owned());
            Ok((ticket.rep() + 1,))
        })
        .unwrap();
    tickets
        .func_wrap("punch", |_: Host<'_>, (ticket,): (Resource<Ticket>,)| {
            assert!(ticket.owned());
            Ok((Resource::<Ticket>::new_own(ticket.rep() + 100),))
        })
        .unwrap();
    linker
}

fn component(engine: &Engine, text: &str) -> Component {
    Component::new(engine, wat::parse_str(text).expect("well-formed")).expect("valid")
}

fn instance() -> (Store<Notes>, Instance) {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Notes::new());
    let made = linker(&engine).instantiate(&mut store, &component(&engine, GUEST));
    (store, made.unwrap())
}

#[test]
fn a_typed_call_reaches_the_host_function() {
    let (mut store, instance) = instance();
    let greet = instance
        .get_typed_func::<(&str, &[u32]), (String,)>(&mut store, "greet")
        .unwrap();
    for name in ["Ann", "", "a name that is longer than 16 bytes, ünïcode"] {
        let (text,) = greet.call(&mut store, (name, &[1, 2, 3])).unwrap();
        assert_eq!(text, format!("{name} has [1, 2, 3]"));
    }
    let many: Vec<u32> = (0..100_000).collect();
    let (text,) = greet.call(&mut store, ("many", &many)).unwrap();
    assert_eq!(text, format!("many has {many:?}"));
    let plain = instance.get_typed_func::<(), ()>(&mut store, "plain");
    plain.unwrap().call(&mut store, ()).unwrap();
    assert_eq!(store.data().len(), 5);
    let wrong = instance.get_typed_func::<(u32,), ()>(&mut store, "greet");
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Type);
}

#[test]
fn a_dynamic_call_passes_what_only_fits_in_memory() {
    let (mut store, instance) = instance();
    let sum = instance.get_func(&mut store, "sum").unwrap();
    let params: Vec<Val> = (1..=16).map(Val::U64).collect();
    let mut results = [Val::Bool(false)];
    sum.call(&mut store, &params, &mut results).unwrap();
    let expected = Val::Tuple(vec![Val::U64(136), Val::String("sum 136".into())]);
    assert_eq!(results, [expected]);
    let error = sum.call(&mut store, &params[1..], &mut results);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Type);
}

#[test]
fn handles_are_lent_and_moved() {
    let (mut store, instance) = instance();
    let tickets = instance.get_export_index(&mut store, None, "a:b/tickets");
    let tickets = tickets.expect("an exported instance");
    let get = |store: &mut Store<Notes>, name: &str| {
        instance.get_export_index(&mut *store, Some(&tickets), name)
    };
    let look = get(&mut store, "look").unwrap();
    let look = instance.get_func(&mut store, look).unwrap();
    let punch = get(&mut store, "punch").unwrap();
    let punch = instance
        .get_typed_func::<(Resource<Ticket>,), (Resource<Ticket>,)>(&mut store, punch)
        .unwrap();
    for rep in 0..1000 {
        let ticket = Resource::<Ticket>::new_own(rep);
        let borrowing = look.typed::<(&Resource<Ticket>,), (u32,)>(&store).unwrap();
        let (seen,) = borrowing.call(&mut store, (&ticket,)).unwrap();
        assert_eq!(seen, rep + 1);
        let (punched,) = punch.call(&mut store, (ticket,)).unwrap();
        assert!(punched.owned());
        assert_eq!(punched.rep(), rep + 100);
    }
    assert_eq!(store.data().len(), 0, "nothing was dropped");
    let ty = get(&mut store, "ticket").unwrap();
    let ty = instance.get_resource(&mut store, ty).unwrap();
    assert_eq!(ty, ResourceType::host::<Ticket>());
}

#[test]
fn calls_nest_and_each_gives_back_what_it_took() {
    let engine = Engine::default();
    let guest = component(
        &engine,
        r#"(component
            (import "echo" (func $echo (param "s" string) (result string)))
            (component $inner
                (import "echo" (func $echo (param "s" string) (result string)))
                (export "again" (func $echo)))
            (instance $inner (instantiate $inner (with "echo" (func $echo))))
            (export "inner" (instance $inner))
            (export "echo" (func $echo)))"#,
    );
    type Host<'a> = StoreContextMut<'a, Option<Instance>>;
    let mut linker = Linker::<Option<Instance>>::new(&engine);
    let echo = |mut store: Host<'_>, (text,): (String,)| {
        let Some(rest) = text.strip_prefix('>') else {
            return Ok((text,));
        };
        let instance = store.data().expect("the instance");
        let inner = instance.get_export_index(&mut store, None, "inner");
        let again = instance.get_export_index(&mut store, inner.as_ref(), "again");
        let again = again.expect("an export of the inner instance");
        let again = instance.get_typed_func::<(&str,), (String,)>(&mut store, again)?;
        let (first,) = again.call(&mut store, (rest,))?;
        let (second,) = again.call(&mut store, ("2",))?;
        Ok((format!("<{first}{second}>"),))
    };
    linker.root().func_wrap("echo", echo).unwrap();
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &guest).unwrap();
    *store.data_mut() = Some(instance);
    let echo = instance.get_typed_func::<(&str,), (String,)>(&mut store, "echo");
    let (text,) = echo.unwrap().call(&mut store, (">>>1",)).unwrap();
    assert_eq!(text, "<<<12>2>2>");
}

#[test]
fn a_waiting_host_function_is_awaited() {
    let engine = Engine::default();
    let guest = component(
        &engine,
        r#"(component
            (import "slow" (func $slow (param "s" string) (result (list string))))
            (export "slow" (func $slow)))"#,
    );
    let mut linker = Linker::<()>::new(&engine);
    linker
        .root()
        .func_wrap_async("slow", |_: StoreContextMut<'_, ()>, (text,): (String,)| {
            Box::new(async move {
                Pending(3).await;
                Ok((vec![text.clone(), text],))
            })
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &guest).unwrap();
    let slow = instance.get_func(&mut store, "slow").unwrap();
    let typed = slow.typed::<(&str,), (Vec<String>,)>(&store).unwrap();
    let (result, pending) = block_on(typed.call_async(&mut store, ("ab",)));
    assert_eq!((result.unwrap().0, pending), (vec!["ab".into(); 2], 3));
    let mut results = [Val::Bool(false)];
    let params = [Val::String("c".into())];
    let (result, pending) = block_on(slow.call_async(&mut store, &params, &mut results));
    result.unwrap();
    assert_eq!(pending, 3);
    // Whoever can't wait is told so.
    let error = typed.call(&mut store, ("ab",)).unwrap_err();
    assert!(format!("{error:#}").contains("asynchronous"), "{error:#}");
}

#[test]
fn an_error_of_the_host_function_is_the_calls() {
    let (mut store, instance) = instance();
    let greet = instance.get_typed_func::<(&str, &[u32]), (String,)>(&mut store, "greet");
    let greet = greet.unwrap();
    let error = greet.call(&mut store, ("nobody", &[])).unwrap_err();
    assert!(
        format!("{error:#}").contains("nobody is there"),
        "{error:#}"
    );
    // As for every call that an error ends.
    let error = greet.call(&mut store, ("Ann", &[])).unwrap_err();
    assert!(error.to_string().contains("cannot enter"), "{error:#}");
}

#[test]
fn what_is_passed_counts_as_memory() {
    let mut config = cellule::Config::new();
    config.limits(cellule::Limits {
        total_memory_bytes: 100_000,
        ..Default::default()
    });
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, Notes::new());
    let guest = component(&engine, GUEST);
    let instance = linker(&engine).instantiate(&mut store, &guest).unwrap();
    let greet = instance.get_typed_func::<(&str, &[u32]), (String,)>(&mut store, "greet");
    let greet = greet.unwrap();
    for _ in 0..100 {
        let (text,) = greet.call(&mut store, ("Ann", &[7; 10_000])).unwrap();
        assert_eq!(text.len(), "Ann has []".len() + 3 * 10_000 - 2);
    }
    let error = greet.call(&mut store, ("Ann", &[7; 25_001])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error:#}");
}
