//! A component that passes a value of any type to its host, flat, and gives back what the host returns.

use crate::guests::{Pace, Session};
use cellule::component::{ComponentType, Lift, Linker, Lower, Val};
use cellule::{Config, Engine, StoreContextMut};
use std::fmt::Debug;

/// What a type is called, what that is, and what it has to flatten to.
///
/// The core types are written down by hand: a component with others isn't valid.
#[derive(Clone, Copy)]
pub struct Echo<'a> {
    /// Type definitions of the component, whose names are imported.
    pub types: &'a [(&'a str, &'a str)],
    /// The type of the value.
    pub of: &'a str,
    /// Core types that it flattens to as a parameter, separated by spaces.
    pub flat: &'a str,
    /// Size and alignment.
    pub layout: (usize, u32),
}

impl Echo<'_> {
    /// The component's text.
    #[must_use]
    pub fn component(&self) -> String {
        self.text("i32")
    }

    /// The component's text; `ptr` is the core type of its memory's addresses.
    fn text(&self, ptr: &str) -> String {
        let Echo {
            types, of, flat, ..
        } = self;
        let index = if ptr == "i32" { "" } else { ptr };
        let mut defined = String::new();
        for (name, is) in *types {
            // Functions may refer to named types only.
            defined += &match *is {
                "resource" => format!("(import \"{name}\" (type ${name} (sub resource)))\n"),
                _ => format!(
                    "(type ${name}' {is}) (import \"{name}\" (type ${name} (eq ${name}'))) \n"
                ),
            };
        }
        let slots: Vec<&str> = flat.split_whitespace().collect();
        let gets: String = (0..slots.len())
            .map(|at| format!("(local.get {at}) "))
            .collect();
        let (result, host_params, host_result, call) = match slots[..] {
            [one] => (
                one,
                flat.to_string(),
                format!("(result {one})"),
                format!("(call $host {gets})"),
            ),
            _ => (
                ptr,
                format!("{flat} {ptr}"),
                String::new(),
                format!("(call $host {gets} ({ptr}.const 512)) ({ptr}.const 512)"),
            ),
        };
        format!(
            r#"(component
            {defined}
            (import "host" (func $host (param "v" {of}) (result {of})))
            (core module $memory
                (memory (export "memory") {index} 16)
                (global $next (mut {ptr}) ({ptr}.const 1024))
                (func (export "realloc") (param {ptr} {ptr} {ptr} {ptr}) (result {ptr})
                    (global.set $next ({ptr}.and
                        ({ptr}.add (global.get $next) ({ptr}.const 7)) ({ptr}.const -8)))
                    (global.get $next)
                    (global.set $next ({ptr}.add (global.get $next) (local.get 3)))))
            (core instance $memory (instantiate $memory))
            (core func $host (canon lower (func $host)
                (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
            (core module $echo
                (import "" "host" (func $host (param {host_params}) {host_result}))
                (func (export "echo") (param {flat}) (result {result}) {call}))
            (core instance $echo (instantiate $echo
                (with "" (instance (export "host" (func $host))))))
            (func (export "echo") (param "v" {of}) (result {of}) (canon lift (core func $echo "echo")
                (memory (core memory $memory "memory")) (realloc (core func $memory "realloc")))))"#
        )
    }

    /// An instance with a dynamic host.
    ///
    /// # Panics
    /// If the component isn't valid.
    #[must_use]
    pub fn start(&self) -> Session<Vec<Val>> {
        let wasm = wat::parse_str(self.component()).expect("valid text");
        let linker = host::<()>(&Engine::default(), false);
        Session::start(&linker, &wasm, Vec::new(), Pace::Free)
    }

    /// Calls typed and dynamically, with a typed and a dynamic host: each hears and returns the same,
    /// and takes the same fuel.
    ///
    /// # Panics
    /// If anything differs.
    pub fn check<V>(&self, values: impl IntoIterator<Item = (V, Val)>)
    where
        V: ComponentType + Lift + Lower + Clone + PartialEq + Debug + 'static,
    {
        let layout = (V::SIZE32, V::ALIGN32);
        assert_eq!(layout, self.layout, "layout of {}", self.of);
        self.check_calls("i32", values);
    }

    /// As [`Echo::check`], with a memory of 64-bit addresses: the layout and the core types are those for it.
    ///
    /// # Panics
    /// If anything differs.
    pub fn check_wide<V>(&self, values: impl IntoIterator<Item = (V, Val)>)
    where
        V: ComponentType + Lift + Lower + Clone + PartialEq + Debug + 'static,
    {
        let layout = (V::SIZE64, V::ALIGN64);
        assert_eq!(layout, self.layout, "layout of {}", self.of);
        self.check_calls("i64", values);
    }

    fn check_calls<V>(&self, ptr: &str, values: impl IntoIterator<Item = (V, Val)>)
    where
        V: ComponentType + Lift + Lower + Clone + PartialEq + Debug + 'static,
    {
        let count = self.flat.split_whitespace().count();
        assert_eq!(V::FLAT_COUNT, count, "flat form of {}", self.of);
        let wasm = wat::parse_str(self.text(ptr)).expect("valid text");
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config).unwrap();
        for (typed, dynamic) in values {
            let mut used = Vec::new();
            for typed_host in [true, false] {
                let linker = host::<V>(&engine, typed_host);
                let mut session = Session::start(&linker, &wasm, Vec::new(), Pace::Counted);
                let before = session.fuel_used();
                let answer = session.call("echo", std::slice::from_ref(&dynamic));
                assert_eq!(answer.unwrap().as_ref(), Some(&dynamic));
                let between = session.fuel_used();
                let (answer,) = session.typed::<_, (V,)>("echo", (typed.clone(),)).unwrap();
                assert_eq!(answer, typed);
                used.extend([between - before, session.fuel_used() - between]);
                let heard = if typed_host {
                    vec![]
                } else {
                    vec![dynamic.clone(); 2]
                };
                assert_eq!(session.store.data(), &heard);
            }
            let first = used[0];
            assert!(
                used.iter().all(|used| *used == first),
                "{typed:?}: fuel {used:?}"
            );
        }
    }
}

/// The host returns what it is given, and notes it where it is dynamic.
fn host<V: Lift + Lower + 'static>(engine: &Engine, typed: bool) -> Linker<Vec<Val>> {
    let mut linker = Linker::<Vec<Val>>::new(engine);
    let mut root = linker.root();
    let defined = if typed {
        root.func_wrap(
            "host",
            |_: StoreContextMut<'_, Vec<Val>>, (value,): (V,)| Ok((value,)),
        )
    } else {
        root.func_new("host", |mut store, _, params, results| {
            store.data_mut().push(params[0].clone());
            results[0] = params[0].clone();
            Ok(())
        })
    };
    defined.expect("defined once");
    linker
}
