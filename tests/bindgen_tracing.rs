//! The flags `tracing` and `verbose_tracing` of `bindgen!`: calls are told to the crate `tracing`.

use cellule::component::{Component, HasSelf, Linker, bindgen};
use cellule::{Engine, Result, Store};
use cellule_tests::waiting::{Pending, block_on};
use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

bindgen!({
    inline: r#"
        package a:traced;
        interface ask {
            add: func(a: u32, b: u32) -> u32;
            name: func(text: string) -> u32;
            secret: func(text: string);
        }
        world traced {
            import ask;
            export run: func(x: u32) -> u32;
        }
    "#,
    imports: {
        "a:traced/ask.add": async | tracing | trappable,
        "a:traced/ask.name": tracing,
        "a:traced/ask.secret": tracing | verbose_tracing,
    },
    exports: { default: async | tracing },
});
use a::traced::ask;

struct Host;

impl ask::Host for Host {
    async fn add(&mut self, a: u32, b: u32) -> Result<u32> {
        Pending(1).await;
        Ok(a + b)
    }

    fn name(&mut self, text: String) -> u32 {
        text.len() as u32
    }

    fn secret(&mut self, _: String) {}
}

const GUEST: &str = r#"(component
    (import "a:traced/ask" (instance $ask
        (export "add" (func (param "a" u32) (param "b" u32) (result u32)))
        (export "name" (func (param "text" string) (result u32)))
        (export "secret" (func (param "text" string)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 8) "hush"))
    (core instance $libc (instantiate $libc))
    (core func $add' (canon lower (func $ask "add")))
    (core func $name' (canon lower (func $ask "name") (memory (core memory $libc "memory"))))
    (core func $secret' (canon lower (func $ask "secret") (memory (core memory $libc "memory"))))
    (core module $m
        (import "" "add" (func $add (param i32 i32) (result i32)))
        (import "" "name" (func $name (param i32 i32) (result i32)))
        (import "" "secret" (func $secret (param i32 i32)))
        (func (export "run") (param i32) (result i32)
            (call $secret (i32.const 8) (i32.const 4))
            (call $add (local.get 0) (call $name (i32.const 8) (i32.const 4)))))
    (core instance $m (instantiate $m (with "" (instance
        (export "add" (func $add')) (export "name" (func $name'))
        (export "secret" (func $secret'))))))
    (func (export "run") (param "x" u32) (result u32) (canon lift (core func $m "run"))))"#;

/// Notes what it is told, a line each.
#[derive(Clone, Default)]
struct Notes {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

/// The fields of a span or event.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Notes {
    fn note(&self, line: String) {
        self.lines.lock().expect("nobody panics").push(line);
    }
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(span.metadata().name().to_string());
        span.record(&mut fields);
        let number = self.spans.fetch_add(1, Ordering::Relaxed) + 1;
        self.note(format!("{number}: {}", fields.0));
        Id::from_u64(number)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(event.metadata().level().to_string());
        event.record(&mut fields);
        self.note(fields.0);
    }

    fn enter(&self, span: &Id) {
        self.note(format!("in {}", span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        self.note(format!("out {}", span.into_u64()));
    }
}

#[test]
fn calls_are_told_with_arguments_and_results() {
    let engine = Engine::default();
    let wasm = wat::parse_str(GUEST).expect("valid text");
    let component = Component::new(&engine, wasm).unwrap();
    let mut linker = Linker::new(&engine);
    Traced::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host).unwrap();
    let mut store = Store::new(&engine, Host);
    let made = Traced::instantiate_async(&mut store, &component, &linker);
    let traced = block_on(made).0.unwrap();
    let notes = Notes::default();
    let sum = tracing::subscriber::with_default(notes.clone(), || {
        block_on(traced.call_run(&mut store, 5)).0
    });
    assert_eq!(sum.unwrap(), 9);
    let told = notes.lines.lock().unwrap();
    // A span is left while its call waits, and entered again to be ended.
    let expected = [
        r#"1: wit-bindgen export module="traced" function="run""#,
        "in 1",
        r#"2: wit-bindgen import module="ask" function="secret""#,
        "in 2",
        r#"TRACE message=call text="hush""#,
        r#"TRACE message=return result=()"#,
        "out 2",
        r#"3: wit-bindgen import module="ask" function="name""#,
        "in 3",
        r#"TRACE message=call text="...""#,
        r#"TRACE message=return result=4"#,
        "out 3",
        r#"4: wit-bindgen import module="ask" function="add""#,
        "in 4",
        r#"TRACE message=call a=5 b=4"#,
        "out 4",
        "out 1",
        "in 1",
        "in 4",
        r#"TRACE message=return result=Ok(9)"#,
        "out 4",
    ];
    assert_eq!(told[..expected.len()], expected, "{told:#?}");
    assert_eq!(told.last().map(String::as_str), Some("out 1"));
}
