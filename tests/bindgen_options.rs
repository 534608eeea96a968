//! Options of `bindgen!`, and shapes of worlds that few have: versions, both directions, own errors.

use cellule::component::{Component, HasData, HasSelf, Linker, Resource, bindgen};
use cellule::{Engine, ErrorKind, Result, Store};
use cellule_tests::guests::{drive, own_guest};

/// A guest in text: `LIBC` stands for memory, `OPTIONS` for what refers to it.
fn guest(engine: &Engine, text: &str) -> Component {
    let options = r#"(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))"#;
    let libc = r#"(core module $libc'
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (i32.const 64)))))
        (core instance $libc (instantiate $libc'))"#;
    let text = text.replace("OPTIONS", options).replace("LIBC", libc);
    let wasm = wat::parse_str(format!("(component {text})")).expect("valid text");
    Component::new(engine, wasm).expect("valid")
}

mod relay {
    use super::*;

    bindgen!({
        imports: {
            "relay:svc/adder.add": async | trappable,
            "clock:time@0.2.0": trappable,
        },
        exports: { "relay:svc": async },
    });
    use clock::{time0_1_0, time0_2_0};

    struct State {
        first: u32,
        second: Option<u32>,
    }

    /// What the host's functions see of the state.
    struct View<'a> {
        first: u32,
        second: &'a Option<u32>,
    }

    struct HasView;

    impl HasData for HasView {
        type Data<'a> = View<'a>;
    }

    impl time0_1_0::now::Host for View<'_> {
        fn seconds(&mut self) -> u32 {
            self.first
        }
    }

    impl time0_2_0::now::Host for View<'_> {
        fn seconds(&mut self) -> Result<u32> {
            self.second
                .ok_or_else(|| cellule::Error::msg("the clock stands"))
        }
    }

    impl self::relay::svc::adder::Host for View<'_> {
        async fn add(&mut self, a: u32, b: u32) -> Result<Result<u32, String>> {
            std::future::ready(()).await;
            Ok(a.checked_add(b).ok_or_else(|| format!("{a} + {b}")))
        }
    }

    const GUEST: &str = r#"
        (import "clock:time/now@0.1.0" (instance $one (export "seconds" (func (result u32)))))
        (import "clock:time/now@0.2.0" (instance $two (export "seconds" (func (result u32)))))
        (import "relay:svc/adder@1.2.3" (instance $adder
            (export "add" (func (param "a" u32) (param "b" u32) (result (result u32 (error string)))))))
        LIBC
        (core func $one' (canon lower (func $one "seconds")))
        (core func $two' (canon lower (func $two "seconds")))
        (core func $add' (canon lower (func $adder "add") OPTIONS))
        (core module $m
            (import "" "one" (func $one (result i32)))
            (import "" "two" (func $two (result i32)))
            (import "" "add" (func $add (param i32 i32 i32)))
            (func (export "add") (param i32 i32) (result i32)
                (call $add
                    (i32.add (local.get 0) (call $one))
                    (i32.add (local.get 1) (call $two))
                    (i32.const 8))
                (i32.const 8)))
        (core instance $m (instantiate $m (with "" (instance
            (export "one" (func $one')) (export "two" (func $two')) (export "add" (func $add'))))))
        (func $add (param "a" u32) (param "b" u32) (result (result u32 (error string)))
            (canon lift (core func $m "add") OPTIONS))
        (instance $out (export "add" (func $add)))
        (export "relay:svc/adder@1.2.3" (instance $out))"#;

    fn start(first: u32, second: Option<u32>) -> (Store<State>, Relay) {
        let engine = Engine::default();
        let component = guest(&engine, GUEST);
        let mut linker = Linker::<State>::new(&engine);
        Relay::add_to_linker::<_, HasView>(&mut linker, |state| View {
            first: state.first,
            second: &state.second,
        })
        .unwrap();
        let mut store = Store::new(&engine, State { first, second });
        let made = Relay::instantiate_async(&mut store, &component, &linker);
        let relay = drive(made).0.unwrap();
        (store, relay)
    }

    #[test]
    fn an_interface_is_imported_and_exported_and_a_package_there_in_two_versions() {
        let (mut store, relay) = start(10, Some(200));
        let adder = relay.relay_svc_adder();
        let sum = drive(adder.call_add(&mut store, 1, 2)).0;
        assert_eq!(sum.unwrap(), Ok(213));
        let sum = drive(adder.call_add(&mut store, u32::MAX - 10, 2)).0;
        assert_eq!(sum.unwrap(), Err(format!("{} + 202", u32::MAX)));
    }

    #[test]
    fn a_flag_of_a_package_is_for_its_functions() {
        let (mut store, relay) = start(0, None);
        let sum = drive(relay.relay_svc_adder().call_add(&mut store, 1, 2)).0;
        let error = format!("{:?}", sum.unwrap_err());
        assert!(error.contains("the clock stands"), "{error}");
    }
}

mod named_file {
    use super::*;

    bindgen!("sensor" in "guests/wit/sensor.wit");

    #[derive(Default)]
    struct Board {
        lines: Vec<String>,
    }

    impl SensorImports for Board {
        fn read(&mut self, channel: u32) -> std::result::Result<f32, String> {
            let readings = [1.0, 2.5];
            let reading = readings.get(channel as usize).copied();
            reading.ok_or(format!("no channel {channel}"))
        }

        fn report(&mut self, line: String) {
            self.lines.push(line);
        }
    }

    #[test]
    fn a_world_of_a_file_is_bound() {
        let engine = Engine::default();
        let component = Component::new(&engine, own_guest("rust-sensor.wasm")).unwrap();
        let mut linker = Linker::new(&engine);
        Sensor::add_to_linker::<_, HasSelf<_>>(&mut linker, |board| board).unwrap();
        let mut store = Store::new(&engine, Board::default());
        let sensor = Sensor::instantiate(&mut store, &component, &linker).unwrap();
        let summary = sensor.call_sample(&mut store, "hall", 3).unwrap();
        assert!(summary.contains("hall"), "{summary}");
        assert_eq!(store.data().lines.len(), 3, "{:?}", store.data().lines);
        assert!(store.data().lines[2].contains("no channel 2"));
    }
}

mod own_errors {
    use super::*;

    bindgen!({
        inline: r#"
            package files:sys;
            interface types {
                enum errno {
                    /// There is no such file.
                    not-found,
                    denied,
                }
                open: func(name: string) -> result<u32, errno>;
            }
            world files {
                import types;
                export open: func(name: string) -> u32;
            }
        "#,
        imports: { default: trappable },
        trappable_error_type: { "files:sys/types.errno" => OpenError },
    });
    use files::sys::types::{Errno, Host};

    /// What opening a file ends with in the host.
    #[derive(Debug)]
    pub enum OpenError {
        /// The guest learns of it.
        Guest(Errno),
        /// It ends the guest.
        Host(&'static str),
    }

    struct State;

    impl Host for State {
        fn open(&mut self, name: String) -> Result<u32, OpenError> {
            match name.as_str() {
                "a" => Ok(5),
                "secret" => Err(OpenError::Guest(Errno::Denied)),
                "disk" => Err(OpenError::Host("the disk is broken")),
                _ => Err(OpenError::Guest(Errno::NotFound)),
            }
        }

        fn convert_errno(&mut self, error: OpenError) -> Result<Errno> {
            match error {
                OpenError::Guest(errno) => Ok(errno),
                OpenError::Host(why) => Err(cellule::Error::msg(why)),
            }
        }
    }

    /// `open` gives the number of the file, or 100 and the number of the error.
    const GUEST: &str = r#"
        (import "files:sys/types" (instance $types
            (type $errno' (enum "not-found" "denied"))
            (export "errno" (type $errno (eq $errno')))
            (export "open" (func (param "name" string) (result (result u32 (error $errno)))))))
        LIBC
        (core func $open' (canon lower (func $types "open") OPTIONS))
        (core module $m
            (import "" "memory" (memory 1))
            (import "" "open" (func $open (param i32 i32 i32)))
            (func (export "open") (param i32 i32) (result i32)
                (call $open (local.get 0) (local.get 1) (i32.const 8))
                (if (result i32) (i32.load8_u (i32.const 8))
                    (then (i32.add (i32.const 100) (i32.load8_u (i32.const 12))))
                    (else (i32.load (i32.const 12))))))
        (core instance $m (instantiate $m (with "" (instance
            (export "memory" (memory $libc "memory")) (export "open" (func $open'))))))
        (func (export "open") (param "name" string) (result u32)
            (canon lift (core func $m "open") OPTIONS))"#;

    #[test]
    fn a_host_returns_an_error_of_its_own() {
        let engine = Engine::default();
        let component = guest(&engine, GUEST);
        let mut linker = Linker::new(&engine);
        Files::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, State);
        let files = Files::instantiate(&mut store, &component, &linker).unwrap();
        for (name, answer) in [("a", 5), ("b", 100), ("secret", 101)] {
            assert_eq!(files.call_open(&mut store, name).unwrap(), answer);
        }
        let error = files.call_open(&mut store, "disk").unwrap_err();
        assert!(format!("{error:?}").contains("the disk is broken"));
    }

    #[test]
    fn an_enum_of_errors_is_an_error_with_what_the_wit_says() {
        let error: &dyn std::error::Error = &Errno::NotFound;
        assert_eq!(error.to_string(), "not-found (error 0)");
        assert_eq!(Errno::NotFound.message(), "There is no such file.");
        assert_eq!(Errno::Denied.name(), "denied");
    }

    /// Other bindings, of an interface that refers to the one above.
    mod more {
        use super::super::*;

        bindgen!({
            inline: r#"
                package files:sys;
                interface types {
                    enum errno { not-found, denied }
                    open: func(name: string) -> result<u32, errno>;
                }
                interface more {
                    use types.{errno};
                    last: func() -> option<errno>;
                }
                world both {
                    import types;
                    import more;
                    export open: func(name: string) -> u32;
                }
            "#,
            imports: { default: trappable },
            with: { "files:sys/types": super::files::sys::types },
        });

        impl files::sys::more::Host for super::State {
            fn last(&mut self) -> Result<Option<super::Errno>> {
                Ok(Some(super::Errno::Denied))
            }
        }

        #[test]
        fn an_interface_of_other_bindings_is_used() {
            let engine = Engine::default();
            let component = guest(&engine, super::GUEST);
            let mut linker = Linker::new(&engine);
            Both::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
            let mut store = Store::new(&engine, super::State);
            let both = Both::instantiate(&mut store, &component, &linker).unwrap();
            assert_eq!(both.call_open(&mut store, "secret").unwrap(), 101);
            let same: super::Errno = files::sys::types::Errno::Denied;
            assert_eq!(same, super::Errno::Denied);
        }
    }
}

mod values {
    use super::*;
    use cellule_tests::echo::Echo;
    use std::collections::BTreeMap;

    bindgen!({
        inline: r#"
            package values:all;
            world values {
                record stock {
                    %record: map<string, u32>,
                    corner: list<u32, 3>,
                }
                import host: func(v: stock) -> stock;
                export echo: func(v: stock) -> stock;
            }
        "#,
        additional_derives: [PartialEq],
    });

    struct State;

    impl ValuesImports for State {
        fn host(&mut self, mut v: Stock) -> Stock {
            v.corner.reverse();
            v.record.insert("host".into(), 1);
            v
        }
    }

    #[test]
    fn maps_and_lists_of_fixed_length_cross() {
        let echo = Echo {
            types: &[(
                "stock",
                r#"(record (field "record" (map string u32)) (field "corner" (list u32 3)))"#,
            )],
            of: "$stock",
            flat: "i32 i32 i32 i32 i32",
            layout: (20, 4),
        };
        let engine = Engine::default();
        let wasm = wat::parse_str(echo.component()).unwrap();
        let component = Component::new(&engine, wasm).unwrap();
        let mut linker = Linker::new(&engine);
        Values::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, State);
        let values = Values::instantiate(&mut store, &component, &linker).unwrap();
        let record = BTreeMap::from([("screws".to_string(), 7), ("nails".into(), 9)]);
        let corner = [1, 2, 3];
        let stock = Stock { record, corner };
        let mut expected = stock.clone();
        expected.corner = [3, 2, 1];
        expected.record.insert("host".into(), 1);
        assert_eq!(values.call_echo(&mut store, &stock).unwrap(), expected);
    }
}

mod world_resources {
    use super::*;

    bindgen!({
        inline: r#"
            package tickets:all;
            world tickets {
                resource ticket {
                    constructor(number: u32);
                    number: func() -> u32;
                }
                import last: func() -> option<ticket>;
                export run: func() -> u32;
            }
        "#,
    });

    #[derive(Default)]
    struct State {
        dropped: Vec<u32>,
    }

    impl HostTicket for State {
        fn new(&mut self, number: u32) -> Resource<Ticket> {
            Resource::new_own(number)
        }

        fn number(&mut self, ticket: Resource<Ticket>) -> u32 {
            ticket.rep()
        }

        fn drop(&mut self, ticket: Resource<Ticket>) -> Result<()> {
            if ticket.rep() == 13 {
                return Err(cellule::Error::msg("unlucky"));
            }
            self.dropped.push(ticket.rep());
            Ok(())
        }
    }

    impl TicketsImports for State {
        fn last(&mut self) -> Option<Resource<Ticket>> {
            None
        }
    }

    fn run(number: u32) -> (Result<u32>, Vec<u32>) {
        let engine = Engine::default();
        let component = guest(
            &engine,
            &r#"(import "ticket" (type $ticket (sub resource)))
            (import "[constructor]ticket" (func $new (param "number" u32) (result (own $ticket))))
            (import "[method]ticket.number"
                (func $number (param "self" (borrow $ticket)) (result u32)))
            (core func $new' (canon lower (func $new)))
            (core func $number' (canon lower (func $number)))
            (core func $drop' (canon resource.drop $ticket))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (import "" "number" (func $number (param i32) (result i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "run") (result i32) (local i32)
                    (local.set 0 (call $new (i32.const NUMBER)))
                    (call $number (local.get 0))
                    (call $drop (local.get 0))))
            (core instance $m (instantiate $m (with "" (instance
                (export "new" (func $new')) (export "number" (func $number'))
                (export "drop" (func $drop'))))))
            (func (export "run") (result u32) (canon lift (core func $m "run")))"#
                .replace("NUMBER", &number.to_string()),
        );
        let mut linker = Linker::new(&engine);
        Tickets::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, State::default());
        let tickets = Tickets::instantiate(&mut store, &component, &linker).unwrap();
        let answer = tickets.call_run(&mut store);
        (answer, store.into_data().dropped)
    }

    #[test]
    fn a_resource_of_the_world_itself_is_imported() {
        let (answer, dropped) = run(7);
        assert_eq!((answer.unwrap(), dropped), (7, vec![7]));
    }

    #[test]
    fn a_destructor_that_fails_ends_the_guest() {
        let (answer, dropped) = run(13);
        let error = answer.unwrap_err();
        assert!(format!("{error:?}").contains("unlucky"), "{error:?}");
        assert!(dropped.is_empty());
    }
}

mod interfaces_only {
    use super::*;

    bindgen!({
        interfaces: "import tools: interface { record tool { name: string } all: func() -> list<tool>; }",
        require_store_data_send: true,
        skip_mut_forwarding_impls: true,
    });

    struct Shed;

    impl tools::Host for Shed {
        fn all(&mut self) -> Vec<tools::Tool> {
            let name = "saw".into();
            vec![tools::Tool { name }]
        }
    }

    #[test]
    fn interfaces_alone_are_bound() {
        // Without what forwards references, the host is the data itself.
        struct HasShed;
        impl HasData for HasShed {
            type Data<'a> = Shed;
        }
        let mut linker = Linker::<()>::new(&Engine::default());
        tools::add_to_linker::<_, HasShed>(&mut linker, |_| Shed).unwrap();
        let twice = tools::add_to_linker::<_, HasShed>(&mut linker, |_| Shed);
        assert_eq!(twice.unwrap_err().kind(), ErrorKind::Link);
        assert_eq!(tools::Host::all(&mut Shed)[0].name, "saw");
    }
}

#[test]
fn the_text_of_bindings_can_be_had_instead() {
    const TEXT: &str = bindgen!({
        inline: "package a:b; world w { import f: func(); }",
        stringify: true,
    });
    assert!(TEXT.contains("pub trait WImports"), "{TEXT}");
}

mod handles {
    use super::*;
    use cellule::component::{ResourceAny, TypedFunc};

    bindgen!({
        inline: r#"
            package handles:all;
            interface made {
                resource thing;
                record holder { it: thing }
            }
            interface used {
                use made.{thing, holder};
                pass: func(seen: borrow<thing>, given: list<holder>) -> thing;
            }
            world exporting {
                export made;
                export used;
            }
            world importing {
                import made;
                export used;
            }
        "#,
        world: "exporting",
    });

    /// The same with the resource in the host.
    mod imported {
        use super::*;

        bindgen!({
            inline: r#"
                package handles:all;
                interface made {
                    resource thing;
                    record holder { it: thing }
                }
                interface used {
                    use made.{thing, holder};
                    pass: func(seen: borrow<thing>, given: list<holder>) -> thing;
                }
                world importing {
                    import made;
                    export used;
                }
            "#,
        });
    }

    #[test]
    fn handles_are_dynamic_where_the_guest_has_the_resource_and_typed_where_the_host_has() {
        type Guests<'a> = TypedFunc<
            (ResourceAny, &'a [exports::handles::all::made::Holder]),
            (exports::handles::all::used::Thing,),
        >;
        type Hosts<'a> = TypedFunc<
            (
                Resource<imported::handles::all::made::Thing>,
                &'a [imported::handles::all::made::Holder],
            ),
            (Resource<imported::exports::handles::all::used::Thing>,),
        >;
        // That this is compiled is the test: the types are the same.
        let _guests: fn(&exports::handles::all::used::Guest) -> Guests<'_> =
            exports::handles::all::used::Guest::func_pass;
        let _hosts: fn(&imported::exports::handles::all::used::Guest) -> Hosts<'_> =
            imported::exports::handles::all::used::Guest::func_pass;
        let engine = Engine::default();
        let component = guest(&engine, "");
        let mut store = Store::new(&engine, ());
        let made = Exporting::instantiate(&mut store, &component, &Linker::new(&engine));
        let error = made.map(drop).unwrap_err().to_string();
        assert_eq!(error, "no exported instance named `handles:all/made`");
    }
}

/// A destructor and an error of the host's own, with access to the store.
mod store_of_resources {
    use super::*;
    use cellule::AsContextMut;
    use cellule::component::Access;

    bindgen!({
        inline: r#"
            package shop:till;
            interface goods {
                variant refusal { broke, other(string) }
                resource ware {
                    constructor();
                    price: func() -> result<u32, refusal>;
                }
            }
            world market {
                import goods;
                export run: func() -> u32;
            }
        "#,
        imports: {
            "shop:till/goods.[method]ware.price": store | trappable,
            "shop:till/goods.[drop]ware": store,
        },
        with: { "shop:till/goods.ware": Ware },
        trappable_error_type: { "shop:till/goods.refusal" => Refused },
    });
    use self::shop::till::goods;

    /// A ware of the host, without content.
    pub struct Ware;

    /// Why there is no price.
    pub enum Refused {
        /// A reason for the guest.
        Guest(goods::Refusal),
        /// One that ends it.
        Trap(cellule::Error),
    }

    #[derive(Default)]
    struct Till {
        asked: u32,
        dropped: Vec<u32>,
        fails: bool,
    }

    impl HasData for Till {
        type Data<'a> = &'a mut Till;
    }

    impl goods::HostWareWithStore<Till> for Till {
        fn price(
            mut host: Access<'_, Till, Self>,
            ware: Resource<Ware>,
        ) -> std::result::Result<u32, Refused> {
            host.get().asked += 1;
            match (host.as_context_mut().data().fails, ware.rep()) {
                (true, _) => Err(Refused::Trap(cellule::Error::msg("the till jams"))),
                (false, 7) => Err(Refused::Guest(goods::Refusal::Broke)),
                (false, rep) => Ok(rep),
            }
        }

        fn drop(mut host: Access<'_, Till, Self>, ware: Resource<Ware>) -> Result<()> {
            host.get().dropped.push(ware.rep());
            Ok(())
        }
    }

    impl goods::HostWithStore<Till> for Till {}

    impl goods::HostWare for Till {
        fn new(&mut self) -> Resource<Ware> {
            Resource::new_own(7 + self.asked)
        }
    }

    impl goods::Host for Till {
        fn convert_refusal(&mut self, refused: Refused) -> Result<goods::Refusal> {
            match refused {
                Refused::Guest(refusal) => Ok(refusal),
                Refused::Trap(error) => Err(error),
            }
        }
    }

    /// Returns the discriminants of two answers, the first in the tens.
    const GUEST: &str = r#"
        (import "shop:till/goods" (instance $goods
            (type $refusal' (variant (case "broke") (case "other" string)))
            (export "refusal" (type $refusal (eq $refusal')))
            (export "ware" (type $ware (sub resource)))
            (export "[constructor]ware" (func (result (own $ware))))
            (export "[method]ware.price" (func (param "self" (borrow $ware))
                (result (result u32 (error $refusal)))))))
        LIBC
        (alias export $goods "ware" (type $ware))
        (alias core export $libc "memory" (core memory $memory))
        (core func $new' (canon lower (func $goods "[constructor]ware")))
        (core func $price' (canon lower (func $goods "[method]ware.price") OPTIONS))
        (core func $drop' (canon resource.drop $ware))
        (core module $m
            (import "" "memory" (memory 1))
            (import "" "new" (func $new (result i32)))
            (import "" "price" (func $price (param i32 i32)))
            (import "" "drop" (func $drop (param i32)))
            (func $ask (result i32) (local $ware i32)
                (local.set $ware (call $new))
                (call $price (local.get $ware) (i32.const 8))
                (call $drop (local.get $ware))
                (i32.load8_u (i32.const 8)))
            (func (export "run") (result i32)
                (i32.add (i32.mul (call $ask) (i32.const 10)) (call $ask))))
        (core instance $m (instantiate $m (with "" (instance
            (export "memory" (memory $memory))
            (export "new" (func $new')) (export "price" (func $price')) (export "drop" (func $drop'))))))
        (func (export "run") (result u32) (canon lift (core func $m "run")))"#;

    #[test]
    fn methods_and_destructors_have_access_to_the_store() {
        let engine = Engine::default();
        let component = guest(&engine, GUEST);
        let mut linker = Linker::new(&engine);
        Market::add_to_linker::<Till, Till>(&mut linker, |till| till).unwrap();
        let mut store = Store::new(&engine, Till::default());
        let world = Market::instantiate(&mut store, &component, &linker).unwrap();
        assert_eq!(world.call_run(&mut store).unwrap(), 10);
        assert_eq!(store.data().dropped, [7, 8]);
        store.data_mut().fails = true;
        let error = format!("{:?}", world.call_run(&mut store).unwrap_err());
        assert!(error.contains("the till jams"), "{error}");
    }
}

/// Items that are unstable, and some that aren't.
mod unstable {
    use super::*;

    bindgen!({
        inline: r#"
            package lab:lab;
            interface steady {
                a: func() -> u32;
                @unstable(feature = fast-lane)
                b: func() -> u32;
                @unstable(feature = match)
                resource probe { constructor(); }
            }
            @unstable(feature = fast-lane)
            interface shaky {
                c: func() -> u32;
            }
            world lab {
                import steady;
                @unstable(feature = fast-lane)
                import shaky;
                @unstable(feature = late)
                import d: func() -> u32;
                import e: func() -> u32;
            }
        "#,
    });
    use self::lab::lab::{shaky, steady};

    struct Bench;

    impl LabImports for Bench {
        fn d(&mut self) -> u32 {
            4
        }

        fn e(&mut self) -> u32 {
            5
        }
    }

    impl steady::Host for Bench {
        fn a(&mut self) -> u32 {
            1
        }

        fn b(&mut self) -> u32 {
            2
        }
    }

    impl steady::HostProbe for Bench {
        fn new(&mut self) -> Resource<steady::Probe> {
            Resource::new_own(0)
        }

        fn drop(&mut self, _: Resource<steady::Probe>) -> Result<()> {
            Ok(())
        }
    }

    impl shaky::Host for Bench {
        fn c(&mut self) -> u32 {
            3
        }
    }

    /// Whether a component that imports something can be linked.
    fn is_linked(options: &LinkOptions, import: &str) -> bool {
        let engine = Engine::default();
        let component = guest(&engine, &format!("(import {import})"));
        let mut linker = Linker::<Bench>::new(&engine);
        Lab::add_to_linker::<_, HasSelf<_>>(&mut linker, options, |bench| bench).unwrap();
        linker.instantiate_pre(&component).is_ok()
    }

    #[test]
    fn what_is_unstable_is_linked_only_where_its_feature_is_asked_for() {
        let of = |interface: &str, name: &str| {
            format!(r#""lab:lab/{interface}" (instance (export "{name}" (func (result u32))))"#)
        };
        let probe = r#""lab:lab/steady" (instance (export "probe" (type (sub resource))))"#;
        let imports = [
            of("steady", "a"),
            r#""e" (func (result u32))"#.to_string(),
            of("steady", "b"),
            of("shaky", "c"),
            r#""d" (func (result u32))"#.to_string(),
            probe.to_string(),
        ];
        let linked = |options: &LinkOptions| {
            let linked = imports.iter().map(|import| is_linked(options, import));
            linked.collect::<Vec<_>>()
        };
        let mut options = LinkOptions::default();
        assert_eq!(linked(&options), [true, true, false, false, false, false]);
        options.fast_lane(true);
        assert_eq!(linked(&options), [true, true, true, true, false, false]);
        options.late(true).fast_lane(false).match_(true);
        assert_eq!(linked(&options), [true, true, false, false, true, true]);
    }

    #[test]
    fn an_interface_alone_takes_options_of_its_own() {
        let engine = Engine::default();
        let mut linker = Linker::<Bench>::new(&engine);
        let options = steady::LinkOptions::default();
        steady::add_to_linker::<_, HasSelf<_>>(&mut linker, &options, |bench| bench).unwrap();
        let import = r#"(import "lab:lab/steady" (instance (export "b" (func (result u32)))))"#;
        let error = linker.instantiate_pre(&guest(&engine, import)).err();
        let error = format!("{:?}", error.expect("`b` isn't linked"));
        assert!(error.contains("lab:lab/steady"), "{error}");
    }
}

/// Types of WIT that are called as type parameters usually are.
mod letters {
    use super::*;

    bindgen!({
        inline: r#"
            package a:letters;
            interface abc {
                record t { x: u8 }
                enum d { one, two }
                flags s { three }
                f: func(t: t, d: d) -> s;
            }
            world letters {
                import abc;
                export abc;
            }
        "#,
        imports: { default: async },
        exports: { default: async },
    });
    use self::a::letters::abc::{D, Host, S, T};

    struct Me;

    impl Host for Me {
        async fn f(&mut self, t: T, d: D) -> S {
            match (t.x, d) {
                (1, D::Two) => S::THREE,
                _ => S::empty(),
            }
        }
    }

    const GUEST: &str = r#"
        (import "a:letters/abc" (instance $abc
            (type $t' (record (field "x" u8)))
            (export "t" (type $t (eq $t')))
            (type $d' (enum "one" "two"))
            (export "d" (type $d (eq $d')))
            (type $s' (flags "three"))
            (export "s" (type $s (eq $s')))
            (export "f" (func (param "t" $t) (param "d" $d) (result $s)))))
        (core func $f' (canon lower (func $abc "f")))
        (core module $m
            (import "" "f" (func $f (param i32 i32) (result i32)))
            (func (export "f") (param i32 i32) (result i32)
                (call $f (local.get 0) (local.get 1))))
        (core instance $m (instantiate $m (with "" (instance (export "f" (func $f'))))))
        (type $t' (record (field "x" u8)))
        (type $d' (enum "one" "two"))
        (type $s' (flags "three"))
        (func $f (param "t" $t') (param "d" $d') (result $s') (canon lift (core func $m "f")))
        (component $named
            (type $t' (record (field "x" u8)))
            (import "t" (type $t'' (eq $t')))
            (type $d' (enum "one" "two"))
            (import "d" (type $d'' (eq $d')))
            (type $s' (flags "three"))
            (import "s" (type $s'' (eq $s')))
            (import "f" (func $f (param "t" $t'') (param "d" $d'') (result $s'')))
            (export $t "t" (type $t''))
            (export $d "d" (type $d''))
            (export $s "s" (type $s''))
            (export "f" (func $f) (func (param "t" $t) (param "d" $d) (result $s))))
        (instance $out (instantiate $named
            (with "t" (type $t')) (with "d" (type $d')) (with "s" (type $s')) (with "f" (func $f))))
        (export "a:letters/abc" (instance $out))"#;

    #[test]
    fn types_may_have_the_names_of_type_parameters() {
        use self::exports::a::letters::abc;
        let engine = Engine::default();
        let component = guest(&engine, GUEST);
        let mut linker = Linker::<Me>::new(&engine);
        Letters::add_to_linker::<_, HasSelf<_>>(&mut linker, |me| me).unwrap();
        let mut store = Store::new(&engine, Me);
        let world = drive(Letters::instantiate_async(&mut store, &component, &linker));
        let world = world.0.unwrap();
        let exported = world.a_letters_abc();
        let call = exported.call_f(&mut store, abc::T { x: 1 }, abc::D::Two);
        assert_eq!(drive(call).0.unwrap(), abc::S::THREE);
        let call = exported.call_f(&mut store, abc::T { x: 1 }, abc::D::One);
        assert_eq!(drive(call).0.unwrap(), abc::S::empty());
    }
}
