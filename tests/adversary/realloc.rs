//! `realloc` that answers wrongly at its nth call, wherever a value is stored in a guest: parameters and
//! results of the host, typed and dynamic, and both directions of an adapter.
//!
//! A first, honest run logs what `realloc` is asked for. From that follows how each answer has to end:
//! one that is aligned and inside is as good as any other, also where it is 0 or overlaps.

use super::{MEMORY, call, is_locked, is_trap, load};
use cellule::component::{ComponentType, Instance, Lift, Linker, Lower, Val};
use cellule::{Engine, Result, Store, Trap};

/// Where the value is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Site {
    HostParams,
    HostResults,
    AdapterParams,
    AdapterResults,
}

const SITES: [Site; 4] = [
    Site::HostParams,
    Site::HostResults,
    Site::AdapterParams,
    Site::AdapterResults,
];

/// What a call of `realloc` makes room for, which the adapters' messages name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Room {
    Area,
    List,
    String,
}

/// What `realloc` does at its nth call.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Honest,
    Pointer(u32),
    Trap,
}

struct Case<T> {
    ty: &'static str,
    encoding: &'static str,
    /// Core parameters when it is passed.
    core: &'static str,
    value: T,
    dynamic: Val,
    rooms: Vec<Room>,
}

/// Memory and an allocator that logs its requests from 32768 on.
fn memory(nth: u32, answer: Answer) -> String {
    let bad = match answer {
        Answer::Honest => String::new(),
        Answer::Pointer(at) => format!("(return (i32.const {}))", at as i32),
        Answer::Trap => "unreachable".to_string(),
    };
    format!(
        r#"(memory (export "memory") 1 1)
        (global $calls (mut i32) (i32.const 0))
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
            (result i32) (local $at i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.store (i32.add (i32.const 32760) (i32.mul (global.get $calls) (i32.const 8)))
                (local.get $new))
            (i32.store (i32.add (i32.const 32764) (i32.mul (global.get $calls) (i32.const 8)))
                (local.get $align))
            (if (i32.eq (global.get $calls) (i32.const {nth})) (then {bad}))
            (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.set $next (i32.add (local.get $at) (local.get $new)))
            (memory.copy (local.get $at) (local.get $old) (local.get $size))
            (local.get $at))
        (func (export "request") (param i32) (result i64)
            (i64.load (i32.add (i32.const 32768) (i32.mul (local.get 0) (i32.const 8)))))"#
    )
}

fn options(instance: &str, encoding: &str) -> String {
    format!(
        r#"(memory (core memory {instance} "memory")) (realloc (core func {instance} "realloc"))
        string-encoding={encoding}"#
    )
}

/// A function `request`, lifted from an instance of core code.
fn request(instance: &str) -> String {
    format!(
        r#"(func (export "request") (param "n" u32) (result u64)
            (canon lift (core func {instance} "request")))"#
    )
}

/// A component that takes a value.
fn taker<T>(case: &Case<T>, memory: &str) -> String {
    let (ty, core) = (case.ty, case.core);
    let options = options("$i", case.encoding);
    let request = request("$i");
    format!(
        r#"(core module $m {memory} (func (export "go") (param {core}) (result i32) (i32.const 1)))
        (core instance $i (instantiate $m))
        (func (export "go") (param "x" {ty}) (result u32) (canon lift (core func $i "go") {options}))
        {request}"#
    )
}

/// Core code that calls a function for its result and drops that, and what it needs; `$give` is a function.
fn asker<T>(case: &Case<T>, memory: &str) -> String {
    let options = options("$libc", case.encoding);
    let request = request("$libc");
    format!(
        r#"(core module $libc {memory})
        (core instance $libc (instantiate $libc))
        (core func $lowered (canon lower (func $give) {options}))
        (core module $m (import "" "give" (func $give (param i32)))
            (func (export "go") (result i32) (call $give (i32.const 16)) (i32.const 1)))
        (core instance $i (instantiate $m (with "" (instance (export "give" (func $lowered))))))
        (func (export "go") (result u32) (canon lift (core func $i "go")))
        {request}"#
    )
}

fn component<T>(site: Site, case: &Case<T>, nth: u32, answer: Answer) -> String {
    let (ty, core) = (case.ty, case.core);
    let hostile = memory(nth, answer);
    let honest = memory(0, Answer::Honest);
    let libc = options("$libc", "utf8");
    let gets: String = (0..core.split(' ').count())
        .map(|n| format!("local.get {n} "))
        .collect();
    match site {
        Site::HostParams => format!("(component {})", taker(case, &hostile)),
        Site::HostResults => format!(
            r#"(component (import "give" (func $give (result {ty}))) {})"#,
            asker(case, &hostile)
        ),
        Site::AdapterParams => format!(
            r#"(component (component $inner {})
            (instance $inner (instantiate $inner))
            (core module $libc {honest})
            (core instance $libc (instantiate $libc))
            (core func $lowered (canon lower (func $inner "go") {libc}))
            (core module $m (import "" "go" (func $go (param {core}) (result i32)))
                (func (export "go") (param {core}) (result i32) {gets} call $go))
            (core instance $i (instantiate $m (with "" (instance (export "go" (func $lowered))))))
            (func (export "go") (param "x" {ty}) (result u32)
                (canon lift (core func $i "go") {libc}))
            (export "request" (func $inner "request")))"#,
            taker(case, &hostile)
        ),
        Site::AdapterResults => format!(
            r#"(component (import "give" (func $give (result {ty})))
            (component $inner (import "give" (func $give (result {ty})))
                (core module $libc {honest})
                (core instance $libc (instantiate $libc))
                (core func $lowered (canon lower (func $give) {libc}))
                (core module $m (import "" "give" (func $give (param i32)))
                    (func (export "give") (result i32) (call $give (i32.const 16)) (i32.const 16)))
                (core instance $i (instantiate $m
                    (with "" (instance (export "give" (func $lowered))))))
                (func (export "give") (result {ty}) (canon lift (core func $i "give")
                    (memory (core memory $libc "memory")))))
            (instance $inner (instantiate $inner (with "give" (func $give))))
            (alias export $inner "give" (func $give2))
            {})"#,
            asker(case, &hostile)
                .replace("(canon lower (func $give)", "(canon lower (func $give2)")
        ),
    }
}

type Started = (Store<()>, Instance);

/// Instantiates with a host that gives the value.
fn start<T>(store: &mut Store<()>, text: &str, case: &Case<T>, typed: bool) -> Instance
where
    T: Lower + Clone + Send + Sync + 'static,
{
    let engine = store.engine().clone();
    let mut linker = Linker::<()>::new(&engine);
    let (value, dynamic) = (case.value.clone(), case.dynamic.clone());
    if typed {
        let give = move |_: cellule::StoreContextMut<'_, ()>, (): ()| Ok((value.clone(),));
        linker.root().func_wrap("give", give).unwrap();
    } else {
        let give = move |_: cellule::StoreContextMut<'_, ()>, _, _: &[Val], results: &mut [Val]| {
            results[0] = dynamic.clone();
            Ok(())
        };
        linker.root().func_new("give", give).unwrap();
    }
    let instance = linker.instantiate(store, &load(&engine, text));
    instance.unwrap_or_else(|error| panic!("{error:#}\n{text}"))
}

fn params<T>(site: Site, case: &Case<T>) -> Vec<Val> {
    match site {
        Site::HostParams | Site::AdapterParams => vec![case.dynamic.clone()],
        Site::HostResults | Site::AdapterResults => Vec::new(),
    }
}

fn go<T>(started: &mut Started, site: Site, case: &Case<T>, typed: bool) -> Result<()>
where
    T: Lower + ComponentType + Clone + 'static,
{
    let (store, instance) = started;
    if typed && matches!(site, Site::HostParams | Site::AdapterParams) {
        let go = instance.get_typed_func::<(T,), (u32,)>(&mut *store, "go")?;
        assert_eq!(go.call(store, (case.value.clone(),))?, (1,));
    } else {
        let result = call(store, instance, "go", &params(site, case))?;
        assert_eq!(result, Some(Val::U32(1)));
    }
    Ok(())
}

/// What was asked for in an honest run: sizes and alignments.
fn requests<T>(site: Site, case: &Case<T>, typed: bool) -> Vec<(u32, u32)>
where
    T: Lower + Clone + Send + Sync + 'static,
{
    let mut store = Store::new(&Engine::default(), ());
    let instance = start(
        &mut store,
        &component(site, case, 0, Answer::Honest),
        case,
        typed,
    );
    let mut started = (store, instance);
    go(&mut started, site, case, typed).unwrap();
    let (mut store, instance) = started;
    let mut all = Vec::new();
    loop {
        let n = Val::U32(all.len() as u32);
        match call(&mut store, &instance, "request", &[n]).unwrap() {
            Some(Val::U64(0)) => return all,
            Some(Val::U64(both)) => all.push((both as u32, (both >> 32) as u32)),
            other => panic!("{other:?}"),
        }
    }
}

/// What each call makes room for. Results are stored where the caller says; spilled parameters aren't.
fn rooms<T>(site: Site, case: &Case<T>) -> Vec<Room> {
    let mut rooms = case.rooms.clone();
    if case.core == "i32" && matches!(site, Site::HostParams | Site::AdapterParams) {
        rooms.insert(0, Room::Area);
    }
    rooms
}

/// The words that an answer has to end with, if it has to.
fn expected(
    site: Site,
    room: Room,
    (size, align): (u32, u32),
    answer: Answer,
) -> Option<&'static str> {
    let adapter = matches!(site, Site::AdapterParams | Site::AdapterResults);
    let at = match answer {
        Answer::Honest => return None,
        Answer::Trap => return Some("unreachable"),
        Answer::Pointer(at) => at,
    };
    if at % align != 0 {
        return Some(if adapter {
            "unaligned pointer"
        } else {
            "realloc return: result not aligned"
        });
    }
    if u64::from(at) + u64::from(size) > MEMORY.into() {
        return Some(match room {
            _ if !adapter => "realloc return: beyond end of memory",
            Room::Area => "pointer out-of-bounds",
            Room::List => "list content out-of-bounds",
            Room::String => "string content out-of-bounds",
        });
    }
    None
}

/// Every answer at every call: of each site, typed and dynamic.
fn every_answer<T>(case: &Case<T>)
where
    T: Lower + Lift + Clone + Send + Sync + 'static,
{
    let pointers = [
        0,
        1,
        2,
        1024,
        MEMORY - 2,
        MEMORY - 1,
        MEMORY,
        u32::MAX,
        u32::MAX - 7,
    ];
    let mut answers = pointers.map(Answer::Pointer).to_vec();
    answers.push(Answer::Trap);
    let mut ends = [0, 0];
    for site in SITES {
        for typed in [false, true] {
            let asked = requests(site, case, typed);
            let rooms = rooms(site, case);
            assert_eq!(asked.len(), rooms.len(), "{site:?} {}: {asked:?}", case.ty);
            let mut store = Store::new(&Engine::default(), ());
            let other = component(site, case, 0, Answer::Honest);
            let other = start(&mut store, &other, case, typed);
            for (n, (&request, &room)) in asked.iter().zip(&rooms).enumerate() {
                for &answer in &answers {
                    let text = component(site, case, n as u32 + 1, answer);
                    let instance = start(&mut store, &text, case, typed);
                    let mut started = (store, instance);
                    let result = go(&mut started, site, case, typed);
                    let expected = expected(site, room, request, answer);
                    let what = format!("{site:?} {typed} {} {n} {answer:?}: {result:?}", case.ty);
                    assert_eq!(result.is_err(), expected.is_some(), "{what}");
                    ends[usize::from(result.is_err())] += 1;
                    if let (Err(error), Some(words)) = (&result, expected) {
                        is_trap(error, words);
                        let unreachable = error.trap() == Some(Trap::UnreachableCodeReached);
                        assert_eq!(unreachable, matches!(answer, Answer::Trap), "{what}");
                        is_locked(&mut started.0, &instance, "go", &params(site, case));
                    }
                    // Nobody else notices.
                    store = started.0;
                    let unharmed = call(&mut store, &other, "go", &params(site, case));
                    assert_eq!(unharmed.unwrap(), Some(Val::U32(1)), "{what}");
                }
            }
        }
    }
    assert!(ends[0] > 10 && ends[1] > 10, "{ends:?}");
}

fn text(text: &str) -> Val {
    Val::String(text.to_string())
}

fn string_case(encoding: &'static str, value: &str, calls: usize) -> Case<String> {
    Case {
        ty: "string",
        encoding,
        core: "i32 i32",
        value: value.to_string(),
        dynamic: text(value),
        rooms: vec![Room::String; calls],
    }
}

#[test]
fn room_for_a_utf8_string() {
    every_answer(&string_case("utf8", "abcd", 1));
}

#[test]
fn room_for_a_utf16_string_that_shrinks() {
    every_answer(&string_case("utf16", "aé", 2));
}

#[test]
fn room_for_a_compact_string_that_stays_narrow() {
    every_answer(&string_case("latin1+utf16", "aéb", 2));
}

#[test]
fn room_for_a_compact_string_that_widens_and_shrinks() {
    every_answer(&string_case("latin1+utf16", "aé€", 3));
}

#[test]
fn room_for_a_list_of_numbers() {
    every_answer(&Case {
        ty: "(list u32)",
        encoding: "utf8",
        core: "i32 i32",
        value: vec![7u32, 8, 9],
        dynamic: Val::List([7, 8, 9].map(Val::U32).into_iter().collect()),
        rooms: vec![Room::List],
    });
}

#[test]
fn room_for_the_strings_in_a_list_in_a_list() {
    let words = |words: &[&str]| Val::List(words.iter().map(|word| text(word)).collect());
    let owned = |words: &[&str]| {
        words
            .iter()
            .map(|word| word.to_string())
            .collect::<Vec<_>>()
    };
    every_answer(&Case {
        ty: "(list (list string))",
        encoding: "utf8",
        core: "i32 i32",
        value: vec![owned(&["ab", "c"]), owned(&["def"])],
        dynamic: Val::List([words(&["ab", "c"]), words(&["def"])].into_iter().collect()),
        rooms: vec![
            Room::List,
            Room::List,
            Room::String,
            Room::String,
            Room::List,
            Room::String,
        ],
    });
}

type Nine = (
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
);

/// Eighteen core values, so parameters lie in memory.
fn nine() -> Case<Nine> {
    let s = |n: u32| "x".repeat(n as usize);
    Case {
        ty: "(tuple string string string string string string string string string)",
        encoding: "utf8",
        core: "i32",
        value: (s(1), s(2), s(3), s(4), s(5), s(6), s(7), s(8), s(9)),
        dynamic: Val::Tuple((1..10).map(|n| text(&s(n))).collect()),
        rooms: vec![Room::String; 9],
    }
}

#[test]
fn room_for_spilled_parameters_and_their_strings() {
    every_answer(&nine());
}

/// Lifts and lowers in one instance, with a `realloc` that overwrites everything below 1024 and answers 64,
/// where the source is.
const OVERLAPPING: &str = r#"(component
    (core module $m (memory (export "memory") 1 1)
        (global $at (mut i32) (i32.const 64))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (memory.fill (i32.const 0) (i32.const 255) (i32.const 1024))
            (global.get $at)
            (global.set $at (i32.add (global.get $at) (i32.const 32))))
        (func (export "sum") (param $ptr i32) (param $len i32) (result i32) (local $sum i32)
            (block $out (loop $again
                (br_if $out (i32.eqz (local.get $len)))
                (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 10))
                    (i32.load (local.get $ptr))))
                (local.set $ptr (i32.add (local.get $ptr) (i32.const 4)))
                (local.set $len (i32.sub (local.get $len) (i32.const 1)))
                (br $again)))
            (local.get $sum)))
    (core instance $i (instantiate $m))
    (func $sum (param "x" (list u32)) (result u32) (canon lift (core func $i "sum")
        (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (core func $lowered (canon lower (func $sum) (memory (core memory $i "memory"))))
    (core module $n (import "" "sum" (func $sum (param i32 i32) (result i32)))
        (import "" "memory" (memory 1))
        (func (export "run") (result i32)
            (i32.store (i32.const 64) (i32.const 4))
            (i32.store (i32.const 68) (i32.const 5))
            (i32.store (i32.const 72) (i32.const 6))
            (call $sum (i32.const 64) (i32.const 3))))
    (core instance $n (instantiate $n (with "" (instance
        (export "sum" (func $lowered)) (export "memory" (memory $i "memory"))))))
    (func (export "run") (result u32) (canon lift (core func $n "run"))))"#;

#[test]
fn what_is_lifted_outlives_a_realloc_that_overwrites_it() {
    let (mut store, one, two) = super::pair(OVERLAPPING);
    for instance in [one, two, one] {
        let result = call(&mut store, &instance, "run", &[]).unwrap();
        assert_eq!(result, Some(Val::U32(456)));
    }
}
