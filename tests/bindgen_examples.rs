//! The worlds of wasmtime's own examples of `bindgen!`, each with a host as it is written there and a
//! guest that needs it.

use cellule::component::{Component, HasSelf, Linker, Resource, ResourceTable, bindgen};
use cellule::{Engine, Result, Store};
use cellule_tests::waiting::{Pending, block_on};

/// Memory with an allocator, for guests in text; and options that refer to it.
const LIBC: &str = r#"
    (core module $libc'
        (memory (export "memory") 1)
        (data (i32.const 64) "hello!")
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 3)))))
    (core instance $libc (instantiate $libc'))"#;

/// A guest in text: `OPTIONS` and `LIBC` stand for memory and what refers to it.
fn guest(engine: &Engine, text: &str) -> Component {
    let options = r#"(memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))"#;
    let text = text.replace("OPTIONS", options).replace("LIBC", LIBC);
    let text = format!("(component {text})");
    Component::new(engine, wat::parse_str(text).expect("valid text")).expect("valid")
}

mod hello_world {
    use super::*;

    bindgen!({
        inline: r#"
            package my:project;
            world hello-world {
                import name: func() -> string;
                export greet: func();
            }
        "#,
    });

    struct MyState {
        name: String,
        asked: u32,
    }

    impl HelloWorldImports for MyState {
        fn name(&mut self) -> String {
            self.asked += 1;
            self.name.clone()
        }
    }

    #[test]
    fn a_function_is_imported_and_one_exported() {
        let engine = Engine::default();
        let component = guest(
            &engine,
            r#"(import "name" (func $name (result string)))
            LIBC
            (core func $name' (canon lower (func $name) OPTIONS))
            (core module $m (import "" "name" (func $name (param i32)))
                (func (export "greet") (call $name (i32.const 8))))
            (core instance $m (instantiate $m (with "" (instance (export "name" (func $name'))))))
            (func (export "greet") (canon lift (core func $m "greet")))"#,
        );
        let mut linker = Linker::new(&engine);
        HelloWorld::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let name = "me".to_string();
        let mut store = Store::new(&engine, MyState { name, asked: 0 });
        let bindings = HelloWorld::instantiate(&mut store, &component, &linker).unwrap();
        bindings.call_greet(&mut store).unwrap();
        assert_eq!(store.data().asked, 1);

        let pre = HelloWorldPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        for asked in 2..4 {
            let bindings = pre.clone().instantiate(&mut store).unwrap();
            bindings.call_greet(&mut store).unwrap();
            assert_eq!(store.data().asked, asked);
        }
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let bindings = HelloWorld::new(&mut store, &instance).unwrap();
        bindings.func_greet().call(&mut store, ()).unwrap();
        assert_eq!(store.data().asked, 4);
    }

    #[test]
    fn a_component_of_another_world_is_refused() {
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let linker = Linker::new(&engine);
        let refused = |text: &str, store: &mut Store<()>| {
            let component = guest(&engine, text);
            let made = HelloWorld::instantiate(store, &component, &linker);
            format!("{:#}", made.map(drop).unwrap_err())
        };
        assert_eq!(refused("", &mut store), "no export `greet` found");
        let other = r#"
            (core module $m (func (export "greet") (result i32) (i32.const 1)))
            (core instance $m (instantiate $m))
            (func (export "greet") (result u32) (canon lift (core func $m "greet")))"#;
        let error = refused(other, &mut store);
        assert!(error.contains("type mismatch with results"), "{error}");
    }
}

mod world_imports {
    use super::*;

    bindgen!({
        inline: r#"
            package example:imports;
            world my-world {
                /// Fetch a greeting to present.
                import greet: func() -> string;
                /// Log a message to the host.
                import log: func(msg: string);
                import my-custom-host: interface {
                    tick: func();
                }
            }
        "#,
    });

    #[derive(Default)]
    struct MyState {
        log: Vec<String>,
        ticks: u32,
    }

    impl my_custom_host::Host for MyState {
        fn tick(&mut self) {
            self.ticks += 1;
        }
    }

    impl MyWorldImports for MyState {
        fn greet(&mut self) -> String {
            "hello".to_string()
        }

        fn log(&mut self, msg: String) {
            self.log.push(msg);
        }
    }

    #[test]
    fn functions_and_an_interface_of_the_world_are_imported() {
        let engine = Engine::default();
        let component = guest(
            &engine,
            r#"(import "greet" (func $greet (result string)))
            (import "log" (func $log (param "msg" string)))
            (import "my-custom-host" (instance $host (export "tick" (func))))
            LIBC
            (core func $greet' (canon lower (func $greet) OPTIONS))
            (core func $log' (canon lower (func $log) OPTIONS))
            (core func $tick' (canon lower (func $host "tick")))
            (core module $m
                (import "" "memory" (memory 1))
                (import "" "greet" (func $greet (param i32)))
                (import "" "log" (func $log (param i32 i32)))
                (import "" "tick" (func $tick))
                (func $start
                    (call $greet (i32.const 8))
                    (call $log (i32.load (i32.const 8)) (i32.load (i32.const 12)))
                    (call $tick) (call $tick))
                (start $start))
            (core instance (instantiate $m (with "" (instance
                (export "memory" (memory $libc "memory"))
                (export "greet" (func $greet'))
                (export "log" (func $log'))
                (export "tick" (func $tick'))))))"#,
        );
        let mut linker = Linker::new(&engine);
        MyWorld::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, MyState::default());
        let _bindings = MyWorld::instantiate(&mut store, &component, &linker).unwrap();
        assert_eq!(store.data().log, ["hello"]);
        assert_eq!(store.data().ticks, 2);
    }
}

mod world_exports {
    use super::*;

    bindgen!({
        inline: r#"
            package my:project;
            interface host {
                gen-random-integer: func() -> u32;
                sha256: func(bytes: list<u8>) -> string;
            }
            world hello-world {
                import host;
                export demo: interface {
                    run: func();
                }
            }
        "#,
    });

    #[derive(Default)]
    struct MyState {
        hashed: Vec<Vec<u8>>,
    }

    impl my::project::host::Host for MyState {
        fn gen_random_integer(&mut self) -> u32 {
            5
        }

        fn sha256(&mut self, bytes: Vec<u8>) -> String {
            self.hashed.push(bytes);
            "a hash".into()
        }
    }

    #[test]
    fn an_interface_is_imported_and_another_exported() {
        let engine = Engine::default();
        let component = guest(
            &engine,
            r#"(import "my:project/host" (instance $host
                (export "gen-random-integer" (func (result u32)))
                (export "sha256" (func (param "bytes" (list u8)) (result string)))))
            LIBC
            (core func $random' (canon lower (func $host "gen-random-integer")))
            (core func $sha' (canon lower (func $host "sha256") OPTIONS))
            (core module $m
                (import "" "random" (func $random (result i32)))
                (import "" "sha" (func $sha (param i32 i32 i32)))
                (func (export "run") (call $sha (i32.const 64) (call $random) (i32.const 8))))
            (core instance $m (instantiate $m (with "" (instance
                (export "random" (func $random')) (export "sha" (func $sha'))))))
            (func $run (canon lift (core func $m "run")))
            (instance $demo (export "run" (func $run)))
            (export "demo" (instance $demo))"#,
        );
        let mut linker = Linker::new(&engine);
        HelloWorld::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, MyState::default());
        let bindings = HelloWorld::instantiate(&mut store, &component, &linker).unwrap();
        bindings.demo().call_run(&mut store).unwrap();
        assert_eq!(store.data().hashed, [b"hello"]);
    }
}

mod interface_imports {
    use super::*;

    bindgen!({
        inline: r#"
            package example:interface-imports;
            interface logging {
                enum level { debug, info, warn, error }
                log: func(level: level, msg: string);
            }
            world with-imports {
                import logging;
            }
        "#,
    });
    use example::interface_imports::logging::Level;

    #[derive(Default)]
    struct MyState {
        log: Vec<(Level, String)>,
    }

    impl example::interface_imports::logging::Host for MyState {
        fn log(&mut self, level: Level, msg: String) {
            self.log.push((level, msg));
        }
    }

    #[test]
    fn an_interface_with_types_is_imported() {
        let engine = Engine::default();
        let component = guest(
            &engine,
            r#"(import "example:interface-imports/logging" (instance $logging
                (type $level' (enum "debug" "info" "warn" "error"))
                (export "level" (type $level (eq $level')))
                (export "log" (func (param "level" $level) (param "msg" string)))))
            LIBC
            (core func $log' (canon lower (func $logging "log") OPTIONS))
            (core module $m (import "" "log" (func $log (param i32 i32 i32)))
                (func $start (call $log (i32.const 2) (i32.const 64) (i32.const 6)))
                (start $start))
            (core instance (instantiate $m (with "" (instance (export "log" (func $log'))))))"#,
        );
        let mut linker = Linker::new(&engine);
        WithImports::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, MyState::default());
        WithImports::instantiate(&mut store, &component, &linker).unwrap();
        assert_eq!(store.data().log, [(Level::Warn, "hello!".to_string())]);
    }
}

/// A guest that makes a logger of the host, changes its level, logs twice and drops it: when it is
/// instantiated.
const LOGGER: &str = r#"
    (import "example:imported-resources/logging" (instance $logging
        (type $level' (enum "debug" "info" "warn" "error"))
        (export "level" (type $level (eq $level')))
        (export "logger" (type $logger (sub resource)))
        (export "[constructor]logger" (func (param "max-level" $level) (result (own $logger))))
        (export "[method]logger.get-max-level"
            (func (param "self" (borrow $logger)) (result $level)))
        (export "[method]logger.set-max-level"
            (func (param "self" (borrow $logger)) (param "level" $level)))
        (export "[method]logger.log"
            (func (param "self" (borrow $logger)) (param "level" $level) (param "msg" string)))))
    (alias export $logging "logger" (type $logger))
    LIBC
    (core func $new' (canon lower (func $logging "[constructor]logger")))
    (core func $get' (canon lower (func $logging "[method]logger.get-max-level")))
    (core func $set' (canon lower (func $logging "[method]logger.set-max-level")))
    (core func $log' (canon lower (func $logging "[method]logger.log") OPTIONS))
    (core func $drop' (canon resource.drop $logger))
    (core module $m
        (import "" "new" (func $new (param i32) (result i32)))
        (import "" "get" (func $get (param i32) (result i32)))
        (import "" "set" (func $set (param i32 i32)))
        (import "" "log" (func $log (param i32 i32 i32 i32)))
        (import "" "drop" (func $drop (param i32)))
        (func $start (local $logger i32)
            (local.set $logger (call $new (i32.const 2)))
            (call $log (local.get $logger) (i32.const 3) (i32.const 64) (i32.const 5))
            (call $set (local.get $logger)
                (i32.sub (call $get (local.get $logger)) (i32.const 2)))
            (call $log (local.get $logger) (i32.const 0) (i32.const 64) (i32.const 6))
            (call $drop (local.get $logger)))
        (start $start))
    (core instance (instantiate $m (with "" (instance
        (export "new" (func $new')) (export "get" (func $get')) (export "set" (func $set'))
        (export "log" (func $log')) (export "drop" (func $drop'))))))"#;

mod imported_resources {
    use super::*;

    bindgen!({
        path: "wit/examples/logger.wit",
        with: {
            "example:imported-resources/logging.logger": MyLogger,
        },
        imports: { default: trappable },
    });
    use example::imported_resources::logging::{Host, HostLogger, Level};

    /// A logger of the host.
    pub struct MyLogger {
        /// What is logged is at most so urgent.
        pub max_level: Level,
    }

    #[derive(Default)]
    struct MyState {
        table: ResourceTable,
        log: Vec<String>,
    }

    impl Host for MyState {}

    impl HostLogger for MyState {
        fn new(&mut self, max_level: Level) -> Result<Resource<MyLogger>> {
            Ok(self.table.push(MyLogger { max_level })?)
        }

        fn get_max_level(&mut self, logger: Resource<MyLogger>) -> Result<Level> {
            Ok(self.table.get(&logger)?.max_level)
        }

        fn set_max_level(&mut self, logger: Resource<MyLogger>, level: Level) -> Result<()> {
            self.table.get_mut(&logger)?.max_level = level;
            Ok(())
        }

        fn log(&mut self, logger: Resource<MyLogger>, level: Level, msg: String) -> Result<()> {
            assert!(!logger.owned());
            if level as u32 <= self.table.get(&logger)?.max_level as u32 {
                self.log.push(msg);
            }
            Ok(())
        }

        fn drop(&mut self, logger: Resource<MyLogger>) -> Result<()> {
            assert!(logger.owned());
            self.table.delete(logger)?;
            Ok(())
        }
    }

    #[test]
    fn a_resource_of_the_host_is_imported() {
        let engine = Engine::default();
        let component = guest(&engine, LOGGER);
        let mut linker = Linker::new(&engine);
        ImportSomeResources::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, MyState::default());
        ImportSomeResources::instantiate(&mut store, &component, &linker).unwrap();
        assert_eq!(store.data().log, ["hello!"]);
        assert!(store.data().table.is_empty());
    }
}

mod asynchronous {
    use super::*;

    bindgen!({
        path: "wit/examples/logger.wit",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "example:imported-resources/logging.logger": MyLogger,
        },
    });
    use example::imported_resources::logging::{Host, HostLogger, Level};

    /// A logger of the host.
    pub struct MyLogger {
        /// What is logged is at most so urgent.
        pub max_level: Level,
    }

    #[derive(Default)]
    struct MyState {
        table: ResourceTable,
        log: Vec<String>,
        slow_drop: bool,
    }

    impl Host for MyState {}

    impl HostLogger for MyState {
        async fn new(&mut self, max_level: Level) -> Result<Resource<MyLogger>> {
            Pending(2).await;
            Ok(self.table.push(MyLogger { max_level })?)
        }

        async fn get_max_level(&mut self, logger: Resource<MyLogger>) -> Result<Level> {
            Ok(self.table.get(&logger)?.max_level)
        }

        async fn set_max_level(&mut self, logger: Resource<MyLogger>, level: Level) -> Result<()> {
            self.table.get_mut(&logger)?.max_level = level;
            Ok(())
        }

        async fn log(
            &mut self,
            logger: Resource<MyLogger>,
            level: Level,
            msg: String,
        ) -> Result<()> {
            Pending(2).await;
            if level as u32 <= self.table.get(&logger)?.max_level as u32 {
                self.log.push(msg);
            }
            Ok(())
        }

        async fn drop(&mut self, logger: Resource<MyLogger>) -> Result<()> {
            if self.slow_drop {
                Pending(1).await;
            }
            self.table.delete(logger)?;
            Ok(())
        }
    }

    fn start(slow_drop: bool) -> (Store<MyState>, Result<()>, u32) {
        let engine = Engine::default();
        let component = guest(&engine, LOGGER);
        let mut linker = Linker::new(&engine);
        ImportSomeResources::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let state = MyState {
            slow_drop,
            ..MyState::default()
        };
        let mut store = Store::new(&engine, state);
        let made = ImportSomeResources::instantiate_async(&mut store, &component, &linker);
        let (made, pending) = block_on(made);
        (store, made.map(drop), pending)
    }

    #[test]
    fn functions_of_a_resource_wait() {
        let (store, made, pending) = start(false);
        made.unwrap();
        // Making it and logging twice wait twice each.
        assert_eq!(pending, 6);
        assert_eq!(store.data().log, ["hello!"]);
        assert!(store.data().table.is_empty());
    }

    #[test]
    fn a_destructor_that_waits_is_awaited() {
        let (store, made, pending) = start(true);
        made.unwrap();
        assert_eq!(pending, 7);
        assert!(store.data().table.is_empty());
    }
}

mod world_export_kinds {
    use super::*;

    bindgen!({
        inline: r#"
            package example:world-exports;
            world with-exports {
                import log: func(msg: string);
                export run: func();
                /// An example of exporting an interface inline and naming it directly.
                export environment: interface {
                    get: func(var: string) -> string;
                    set: func(var: string, val: string);
                }
                /// An example of exporting an interface.
                export units;
            }
            interface units {
                /// Renders the number of bytes as a human readable string.
                bytes-to-string: func(bytes: u64) -> string;
                /// Renders the provided duration as a human readable string.
                duration-to-string: func(seconds: u64, ns: u32) -> string;
            }
        "#,
        exports: { "example:world-exports/units.bytes-to-string": async },
    });

    struct MyState(Vec<String>);

    impl WithExportsImports for MyState {
        fn log(&mut self, msg: String) {
            self.0.push(msg);
        }
    }

    /// The environment has one variable; both units write nothing but `hello!`.
    const GUEST: &str = r#"
        (import "log" (func $log (param "msg" string)))
        LIBC
        (core func $log' (canon lower (func $log) OPTIONS))
        (core module $m
            (import "" "memory" (memory 1))
            (import "" "log" (func $log (param i32 i32)))
            (func (export "run") (call $log (i32.const 64) (i32.const 5)))
            (func (export "get") (param i32 i32) (result i32) (i32.const 8))
            (func (export "set") (param i32 i32 i32 i32)
                (i32.store (i32.const 8) (local.get 2))
                (i32.store (i32.const 12) (local.get 3)))
            (func $text (result i32)
                (i32.store (i32.const 16) (i32.const 64))
                (i32.store (i32.const 20) (i32.const 6))
                (i32.const 16))
            (func (export "bytes") (param i64) (result i32) (call $text))
            (func (export "duration") (param i64 i32) (result i32) (call $text)))
        (core instance $m (instantiate $m (with "" (instance
            (export "memory" (memory $libc "memory")) (export "log" (func $log'))))))
        (func (export "run") (canon lift (core func $m "run")))
        (func $get (param "var" string) (result string)
            (canon lift (core func $m "get") OPTIONS))
        (func $set (param "var" string) (param "val" string)
            (canon lift (core func $m "set") OPTIONS))
        (instance $environment (export "get" (func $get)) (export "set" (func $set)))
        (export "environment" (instance $environment))
        (func $bytes (param "bytes" u64) (result string)
            (canon lift (core func $m "bytes") OPTIONS))
        (func $duration (param "seconds" u64) (param "ns" u32) (result string)
            (canon lift (core func $m "duration") OPTIONS))
        (instance $units (export "bytes-to-string" (func $bytes))
            (export "duration-to-string" (func $duration)))
        (export "example:world-exports/units" (instance $units))"#;

    #[test]
    fn functions_and_interfaces_of_each_kind_are_exported() {
        let engine = Engine::default();
        let component = guest(&engine, GUEST);
        let mut linker = Linker::new(&engine);
        WithExports::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, MyState(Vec::new()));
        let bindings = WithExports::instantiate(&mut store, &component, &linker).unwrap();
        bindings.call_run(&mut store).unwrap();
        assert_eq!(store.data().0, ["hello"]);
        let environment = bindings.environment();
        environment.call_set(&mut store, "key", "välue").unwrap();
        assert_eq!(environment.call_get(&mut store, "key").unwrap(), "välue");
        let units = bindings.example_world_exports_units();
        let (text, _) = block_on(units.call_bytes_to_string(&mut store, 1 << 30));
        assert_eq!(text.unwrap(), "hello!");
        let text = units.call_duration_to_string(&mut store, 1 << 20, 12345);
        assert_eq!(text.unwrap(), "hello!");
    }
}

mod exported_resources {
    use super::*;

    bindgen!({
        inline: r#"
            package example:exported-resources;
            world export-some-resources {
                export logging;
            }
            interface logging {
                enum level { debug, info, warn, error }
                resource logger {
                    constructor(max-level: level);
                    get-max-level: func() -> level;
                    set-max-level: func(level: level);
                    log: func(level: level, msg: string);
                }
            }
        "#,
    });
    use self::exports::example::exported_resources::logging::Level;

    /// There is one level for all loggers; logging what is too urgent traps.
    const GUEST: &str = r#"
        LIBC
        (type $level' (enum "debug" "info" "warn" "error"))
        (type $logger' (resource (rep i32)))
        (core func $new' (canon resource.new $logger'))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (global $max (mut i32) (i32.const 0))
            (func (export "new") (param i32) (result i32)
                (global.set $max (local.get 0)) (call $new (i32.const 7)))
            (func (export "get") (param i32) (result i32) (global.get $max))
            (func (export "set") (param i32 i32) (global.set $max (local.get 1)))
            (func (export "log") (param i32 i32 i32 i32)
                (if (i32.gt_u (local.get 1) (global.get $max)) (then unreachable))))
        (core instance $m (instantiate $m (with "" (instance (export "new" (func $new'))))))
        (func $new (param "max-level" $level') (result (own $logger'))
            (canon lift (core func $m "new")))
        (func $get (param "self" (borrow $logger')) (result $level')
            (canon lift (core func $m "get")))
        (func $set (param "self" (borrow $logger')) (param "level" $level')
            (canon lift (core func $m "set")))
        (func $log (param "self" (borrow $logger')) (param "level" $level') (param "msg" string)
            (canon lift (core func $m "log") OPTIONS))
        (component $named
            (type $level' (enum "debug" "info" "warn" "error"))
            (import "level" (type $level'' (eq $level')))
            (import "logger" (type $logger'' (sub resource)))
            (import "new" (func $new (param "max-level" $level'') (result (own $logger''))))
            (import "get" (func $get (param "self" (borrow $logger'')) (result $level'')))
            (import "set" (func $set (param "self" (borrow $logger'')) (param "level" $level'')))
            (import "log" (func $log
                (param "self" (borrow $logger'')) (param "level" $level'') (param "msg" string)))
            (export $level "level" (type $level''))
            (export $logger "logger" (type $logger''))
            (export "[constructor]logger" (func $new)
                (func (param "max-level" $level) (result (own $logger))))
            (export "[method]logger.get-max-level" (func $get)
                (func (param "self" (borrow $logger)) (result $level)))
            (export "[method]logger.set-max-level" (func $set)
                (func (param "self" (borrow $logger)) (param "level" $level)))
            (export "[method]logger.log" (func $log)
                (func (param "self" (borrow $logger)) (param "level" $level) (param "msg" string))))
        (instance $named (instantiate $named
            (with "level" (type $level')) (with "logger" (type $logger'))
            (with "new" (func $new)) (with "get" (func $get))
            (with "set" (func $set)) (with "log" (func $log))))
        (export "example:exported-resources/logging" (instance $named))"#;

    #[test]
    fn a_resource_of_the_guest_is_exported() {
        let engine = Engine::default();
        let component = guest(&engine, GUEST);
        let linker = Linker::new(&engine);
        let mut store = Store::new(&engine, ());
        let bindings = ExportSomeResources::instantiate(&mut store, &component, &linker).unwrap();
        let guest = bindings.example_exported_resources_logging();
        let logger = guest.logger();
        let mine = logger.call_constructor(&mut store, Level::Warn).unwrap();
        assert_eq!(
            logger.call_get_max_level(&mut store, mine).unwrap(),
            Level::Warn
        );
        logger
            .call_set_max_level(&mut store, mine, Level::Info)
            .unwrap();
        assert_eq!(
            logger.call_get_max_level(&mut store, mine).unwrap(),
            Level::Info
        );
        logger
            .call_log(&mut store, mine, Level::Debug, "hello!")
            .unwrap();
        mine.resource_drop(&mut store).unwrap();
        let gone = logger.call_get_max_level(&mut store, mine);
        assert!(gone.is_err());
    }
}

/// wasmtime's example has two functions that are `async` in its WIT; here only their hosts are.
mod store_in_imports {
    use super::*;
    use cellule::component::{Access, HasData};
    use cellule::{AsContextMut, Config, StoreContextMut};

    bindgen!({
        inline: r#"
            package example:store-in-imports;
            world my-world {
                import sync-with-store: func();
                import async-with-store: func();
                import sync-without-store: func();
                import async-without-store: func();
                export run: func();
            }
        "#,
        imports: {
            "sync-with-store": store,
            "async-with-store": async | store | trappable,
            "async-without-store": async,
        },
        exports: { default: async },
    });

    #[derive(Default)]
    struct MyState {
        seen: Vec<&'static str>,
        /// Fuel when it was looked at.
        fuel: Vec<u64>,
    }

    impl HasData for MyState {
        type Data<'a> = &'a mut MyState;
    }

    impl<T: Send> MyWorldImportsWithStore<T> for MyState {
        fn sync_with_store(mut host: Access<'_, T, Self>) {
            let store: StoreContextMut<'_, T> = host.as_context_mut();
            let fuel = store.get_fuel().unwrap();
            let my_state: &mut MyState = host.get();
            my_state.seen.push("sync with store");
            my_state.fuel.push(fuel);
        }

        async fn async_with_store(mut host: Access<'_, T, Self>) -> Result<()> {
            Pending(2).await;
            host.as_context_mut().set_fuel(500)?;
            let getter = host.getter();
            getter(host.data_mut()).seen.push("async with store");
            Ok(())
        }
    }

    impl MyWorldImports for MyState {
        fn sync_without_store(&mut self) {
            self.seen.push("sync without store");
        }

        async fn async_without_store(&mut self) {
            Pending(1).await;
            self.seen.push("async without store");
        }
    }

    const GUEST: &str = r#"
        (import "sync-with-store" (func $a))
        (import "async-with-store" (func $b))
        (import "sync-without-store" (func $c))
        (import "async-without-store" (func $d))
        (core func $a' (canon lower (func $a)))
        (core func $b' (canon lower (func $b)))
        (core func $c' (canon lower (func $c)))
        (core func $d' (canon lower (func $d)))
        (core module $m
            (import "" "a" (func $a)) (import "" "b" (func $b))
            (import "" "c" (func $c)) (import "" "d" (func $d))
            (func (export "run") (call $a) (call $b) (call $c) (call $d) (call $a)))
        (core instance $m (instantiate $m (with "" (instance
            (export "a" (func $a')) (export "b" (func $b'))
            (export "c" (func $c')) (export "d" (func $d'))))))
        (func (export "run") (canon lift (core func $m "run")))"#;

    #[test]
    fn functions_of_the_host_have_access_to_the_store() {
        let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
        let component = guest(&engine, GUEST);
        let mut linker = Linker::new(&engine);
        MyWorld::add_to_linker::<MyState, MyState>(&mut linker, |state| state).unwrap();
        let mut store = Store::new(&engine, MyState::default());
        store.set_fuel(1_000_000).unwrap();
        let made = MyWorld::instantiate_async(&mut store, &component, &linker);
        let bindings = block_on(made).0.unwrap();
        let (ran, pending) = block_on(bindings.call_run(&mut store));
        ran.unwrap();
        assert_eq!(pending, 3);
        let expected = [
            "sync with store",
            "async with store",
            "sync without store",
            "async without store",
            "sync with store",
        ];
        assert_eq!(store.data().seen, expected);
        let fuel = &store.data().fuel;
        assert!(fuel[0] > 900_000 && fuel[1] < 500, "{fuel:?}");
    }
}
