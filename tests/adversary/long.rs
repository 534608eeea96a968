//! Lists and strings that the host stores in a guest, at the longest that may be and far beyond: whatever
//! length they claim, nothing as long is made on the way.

use super::{MEMORY, call, is_locked, is_trap, load};
use cellule::component::{ComponentType, Instance, Lift, Linker, Lower, Val};
use cellule::{Config, Engine, Error, ErrorKind, Limits, Store, StoreContextMut};
use cellule_tests::heap::allocated;

/// Nothing on the host, one byte in a guest: a list of these may be as long as it likes.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
enum Only {
    #[component(name = "only")]
    Only,
}

/// The longest list is one byte shorter.
const LIMIT: usize = 1 << 28;

/// Most that is allocated for an attempt: the guest's own memory, which is made when something enters, a stack
/// for its frames, errors and their texts.
const LITTLE: u64 = MEMORY as u64 + (128 << 10);

/// Takes lists of the type `t`, and calls the host for one; `realloc` always says 1024.
fn guest(ty: &str) -> String {
    format!(
        r#"(component
        (type $o' (enum "only"))
        (import "o" (type $o (eq $o')))
        (type $t {ty})
        (import "give" (func $give (result $t)))
        (core module $libc (memory (export "memory") 1 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
        (core instance $libc (instantiate $libc))
        (core func $give (canon lower (func $give) (memory (core memory $libc "memory"))
            (realloc (core func $libc "realloc"))))
        (core module $m (import "" "give" (func $give (param i32)))
            (import "" "memory" (memory 1))
            (func (export "enter"))
            (func (export "take") (param i32 i32) (result i32) (local.get 1))
            (func (export "ask") (result i32) (call $give (i32.const 16)) (i32.load (i32.const 20))))
        (core instance $m (instantiate $m (with "" (instance
            (export "give" (func $give)) (export "memory" (memory $libc "memory"))))))
        (func (export "take") (param "x" $t) (result u32) (canon lift (core func $m "take")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
        (func (export "ask") (result u32) (canon lift (core func $m "ask")))
        (func (export "enter") (canon lift (core func $m "enter"))))"#
    )
}

/// What a host does with a list.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    PassTyped,
    PassDynamic,
    ReturnTyped,
    ReturnDynamic,
}

const WAYS: [Way; 4] = [
    Way::PassTyped,
    Way::PassDynamic,
    Way::ReturnTyped,
    Way::ReturnDynamic,
];

/// Stores a list in a fresh guest; the guest's answer, and how many bytes were allocated.
///
/// The dynamic list is made in the host function itself where that returns it: it counts as nothing.
fn stored<L>(
    (store, component): (&mut Store<Option<(L, Val)>>, &cellule::component::Component),
    way: Way,
    list: (L, Val),
) -> (Instance, Result<Option<Val>, Error>, u64)
where
    L: Lower + Send + Sync + 'static,
{
    type Cx<'a, L> = StoreContextMut<'a, Option<(L, Val)>>;
    let mut linker = Linker::<Option<(L, Val)>>::new(store.engine());
    let mut root = linker.root();
    if way == Way::ReturnDynamic {
        let give = |mut store: Cx<'_, L>, _, _: &[Val], results: &mut [Val]| {
            let (_, list) = store.data_mut().take().expect("a list");
            results[0] = list;
            Ok(())
        };
        root.func_new("give", give).unwrap();
    } else {
        let give = |mut store: Cx<'_, L>, (): ()| {
            let (list, _) = store.data_mut().take().expect("a list");
            Ok((list,))
        };
        root.func_wrap("give", give).unwrap();
    }
    let instance = linker.instantiate(&mut *store, component).unwrap();
    // The memory comes with the first call.
    let enter = instance.get_typed_func::<(), ()>(&mut *store, "enter");
    enter.unwrap().call(&mut *store, ()).unwrap();
    let (result, bytes) = match way {
        Way::PassTyped => {
            let take = instance.get_typed_func::<(L,), (u32,)>(&mut *store, "take");
            let take = take.unwrap();
            allocated(|| {
                take.call(&mut *store, (list.0,))
                    .map(|(x,)| Some(Val::U32(x)))
            })
        }
        Way::PassDynamic => {
            let params = [list.1];
            allocated(|| call(store, &instance, "take", &params))
        }
        _ => {
            *store.data_mut() = Some(list);
            allocated(|| call(store, &instance, "ask", &[]))
        }
    };
    (instance, result, bytes)
}

/// Lists of so many elements, of so many bytes each, end as they should.
fn lengths<L>(ty: &str, size: usize, typed: impl Fn(usize) -> L, dynamic: impl Fn(usize) -> Val)
where
    L: Lower + Send + Sync + 'static,
{
    let engine = Engine::default();
    let component = load(&engine, &guest(ty));
    let fits = (MEMORY as usize - 1024) / size;
    for way in WAYS {
        let mut store = Store::new(&engine, None);
        for len in [
            0,
            1,
            fits,
            fits + 1,
            (LIMIT - 1) / size,
            LIMIT / size,
            LIMIT,
            1 << 31,
        ] {
            let list = (typed(len), dynamic(len));
            let (instance, result, bytes) = stored((&mut store, &component), way, list);
            let what = format!("{ty} {way:?} {len}");
            if len <= fits {
                assert_eq!(result.unwrap(), Some(Val::U32(len as u32)), "{what}");
                continue;
            }
            let error = result.unwrap_err();
            if len * size < LIMIT {
                is_trap(&error, "realloc return: beyond end of memory");
            } else {
                let words = "the list is longer than the limit of 2²⁸ − 1 bytes";
                assert_eq!(error.kind(), ErrorKind::Type, "{what}: {error:#}");
                assert!(format!("{error:#}").contains(words), "{what}: {error:#}");
            }
            assert!(bytes < LITTLE, "{what}: {bytes} bytes were allocated");
            if matches!(way, Way::ReturnTyped | Way::ReturnDynamic) || len * size < LIMIT {
                is_locked(&mut store, &instance, "ask", &[]);
            } else {
                // It was the host's mistake, which no guest code has seen.
                let empty = [Val::List(Vec::<Val>::new().into())];
                let after = call(&mut store, &instance, "take", &empty);
                assert_eq!(after.unwrap(), Some(Val::U32(0)), "{what}");
            }
        }
    }
}

/// Elements that take nothing: no loop makes them.
fn many<A: Copy, const LEN: usize>(item: A) -> Vec<A> {
    let all: Box<[A]> = Box::new([item; LEN]);
    all.into_vec()
}

#[test]
fn lists_of_elements_that_take_nothing_on_the_host() {
    let none = || Val::List(Vec::<Val>::new().into());
    // Typed only: as values they would take something.
    let engine = Engine::default();
    let component = load(&engine, &guest("(list $o)"));
    let lists: [fn(Only) -> Vec<Only>; 5] = [
        many::<_, { LIMIT - 1 }>,
        many::<_, LIMIT>,
        many::<_, { 1 << 31 }>,
        many::<_, { 1 << 32 }>,
        many::<_, { (1 << 32) + 1 }>,
    ];
    for way in [Way::PassTyped, Way::ReturnTyped] {
        for list in lists {
            let list = list(Only::Only);
            let len = list.len();
            let words = if len < LIMIT {
                "realloc return: beyond end of memory"
            } else {
                "the list is longer than the limit"
            };
            let mut store = Store::new(&engine, None);
            let (_, result, bytes) = stored((&mut store, &component), way, (list, none()));
            let error = result.unwrap_err();
            assert!(format!("{error:#}").contains(words), "{len}: {error:#}");
            assert!(bytes < LITTLE, "{len}: {bytes} bytes were allocated");
        }
    }
    let component = load(&engine, &guest("(list (tuple $o $o $o $o))"));
    let four = (Only::Only, Only::Only, Only::Only, Only::Only);
    let lists = [
        many::<_, { LIMIT / 4 - 1 }>(four),
        many::<_, { LIMIT / 4 }>(four),
        many::<_, LIMIT>(four),
        many::<_, { 1 << 31 }>(four),
    ];
    for list in lists {
        let len = list.len();
        let mut store = Store::new(&engine, None);
        let (_, result, bytes) = stored((&mut store, &component), Way::PassTyped, (list, none()));
        assert!(result.is_err(), "{len}");
        assert!(bytes < LITTLE, "{len}: {bytes} bytes were allocated");
    }
}

#[test]
fn lists_of_numbers_at_the_limit_and_far_beyond() {
    // Zeroed memory that nobody has touched takes none.
    lengths(
        "(list u8)",
        1,
        |len| vec![0u8; len],
        |len| Val::List(vec![0u8; len].into()),
    );
    lengths(
        "(list u16)",
        2,
        |len| vec![0u16; len],
        |len| Val::List(vec![0u16; len].into()),
    );
    lengths(
        "(list s64)",
        8,
        |len| vec![0i64; len],
        |len| Val::List(vec![0i64; len].into()),
    );
}

/// A length as the text of a string that long.
fn zeros(len: usize) -> String {
    String::from_utf8(vec![0; len]).expect("zeros are text")
}

#[test]
fn strings_at_the_limit_that_is_set_and_at_the_specifications() {
    let limits = Limits {
        string_bytes: 100,
        ..Limits::server()
    };
    let small = Engine::new(Config::new().limits(limits)).unwrap();
    let default = Engine::default();
    for (engine, limit) in [(small, 100), (default, LIMIT - 1)] {
        let component = load(&engine, &guest("string"));
        for way in WAYS {
            // Reading so many zeros takes its time.
            let lens = if limit == 100 {
                99..102
            } else {
                limit..limit + 2
            };
            for len in lens {
                let mut store = Store::new(&engine, None);
                let typed = matches!(way, Way::PassTyped | Way::ReturnTyped);
                let list = match typed {
                    true => (zeros(len), Val::Bool(false)),
                    false => (String::new(), Val::String(zeros(len))),
                };
                let (_, result, bytes) = stored((&mut store, &component), way, list);
                let what = format!("{way:?} {len}");
                if len > limit {
                    let error = result.unwrap_err();
                    let words = format!("the string is longer than the limit of {limit} bytes");
                    assert!(format!("{error:#}").contains(&words), "{what}: {error:#}");
                } else if len > MEMORY as usize {
                    is_trap(&result.unwrap_err(), "realloc return: beyond end of memory");
                } else {
                    assert_eq!(result.unwrap(), Some(Val::U32(len as u32)), "{what}");
                }
                assert!(bytes < LITTLE, "{what}: {bytes} bytes were allocated");
            }
        }
    }
}
