//! Derived component types: echoed by a guest and its host, typed and dynamically, with one outcome.
#![forbid(unsafe_code)]

use cellule::component::{
    ComponentType, Lift, Linker, Lower, Resource, ResourceAny, ResourceType, Val, flags,
};
use cellule::{Engine, ErrorKind, StoreContextMut};
use cellule_tests::echo::Echo;
use cellule_tests::guests::{Pace, Session, app_linker};
use cellule_tests::shared_guest;
use cellule_tests::stories::{self, list, record, some, text};
use std::sync::Arc;

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Point {
    x: u16,
    #[component(name = "second-axis")]
    y: u16,
}

const POINT: (&str, &str) = (
    "point",
    r#"(record (field "x" u16) (field "second-axis" u16))"#,
);

fn point(x: u16, y: u16) -> (Point, Val) {
    let dynamic = [("x", Val::U16(x)), ("second-axis", Val::U16(y))];
    (Point { x, y }, record(dynamic))
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Mixed {
    tiny: i8,
    wide: f64,
    name: String,
    middle: Point,
    letter: char,
    #[component(name = "is-last")]
    r#final: bool,
}

const MIXED: (&str, &str) = (
    "mixed",
    r#"(record (field "tiny" s8) (field "wide" f64) (field "name" string) (field "middle" $point)
        (field "letter" char) (field "is-last" bool))"#,
);

fn mixed(tiny: i8, name: &str) -> (Mixed, Val) {
    let (middle, dynamic) = point(7, u16::MAX);
    let typed = Mixed {
        tiny,
        wide: -0.5,
        name: name.into(),
        middle,
        letter: 'ß',
        r#final: true,
    };
    let dynamic = record([
        ("tiny", Val::S8(tiny)),
        ("wide", Val::Float64(-0.5)),
        ("name", text(name)),
        ("middle", dynamic),
        ("letter", Val::Char('ß')),
        ("is-last", Val::Bool(true)),
    ]);
    (typed, dynamic)
}

/// Lists of what two values are of.
fn both<A, const N: usize>(values: [(A, Val); N]) -> (Vec<A>, Val) {
    let (typed, dynamic): (Vec<A>, Vec<Val>) = values.into_iter().unzip();
    (typed, list(dynamic))
}

#[test]
fn records() {
    let echo = Echo {
        types: &[POINT, MIXED],
        of: "$point",
        flat: "i32 i32",
        layout: (4, 2),
    };
    echo.check([point(1, 2), point(u16::MAX, 0)]);
    let echo = Echo {
        of: "$mixed",
        flat: "i32 f64 i32 i32 i32 i32 i32 i32",
        layout: (40, 8),
        ..echo
    };
    echo.check([mixed(-1, "wörld"), mixed(i8::MIN, "")]);
}

#[test]
fn lists_of_records() {
    // Plain: the list is charged by bytes, as where it is dynamic.
    const { assert!(Point::PLAIN && !Mixed::PLAIN) };
    let echo = Echo {
        types: &[POINT, MIXED],
        of: "(list $point)",
        flat: "i32 i32",
        layout: (8, 4),
    };
    let points = [(); 100].map(|()| point(258, 772));
    echo.check([both([]), both([point(1, 2)]), both(points)]);
    let echo = Echo {
        of: "(list $mixed)",
        ..echo
    };
    echo.check([both([mixed(1, "a"), mixed(2, "bc"), mixed(3, "")])]);
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Padded {
    first: u8,
    second: u32,
}

#[test]
fn a_record_with_padding_is_not_moved_as_bytes() {
    const { assert!(!Padded::PLAIN) };
    let echo = Echo {
        types: &[(
            "padded",
            r#"(record (field "first" u8) (field "second" u32))"#,
        )],
        of: "(list $padded)",
        flat: "i32 i32",
        layout: (8, 4),
    };
    let value = |first, second| {
        let dynamic = [("first", Val::U8(first)), ("second", Val::U32(second))];
        (Padded { first, second }, record(dynamic))
    };
    echo.check([both([value(1, 2), value(u8::MAX, u32::MAX), value(3, 4)])]);
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(variant)]
enum Shape {
    #[component(name = "circle")]
    Circle(f32),
    #[component(name = "big")]
    Big(i64),
    #[component(name = "named")]
    Named(String),
    #[component(name = "corners")]
    Corners(Vec<Point>),
    #[component(name = "pair")]
    Pair((u8, Option<f64>)),
    #[component(name = "empty")]
    Empty,
    #[component(name = "placed")]
    Placed(Point),
}

const SHAPE: (&str, &str) = (
    "shape",
    r#"(variant (case "circle" f32) (case "big" s64) (case "named" string)
        (case "corners" (list $point)) (case "pair" (tuple u8 (option f64))) (case "empty")
        (case "placed" $point))"#,
);

fn shapes() -> [(Shape, Val); 8] {
    let variant = |name: &str, payload| Val::Variant(name.into(), payload);
    let (corners, dynamic_corners) = both([point(1, 2), point(3, 4)]);
    let (place, dynamic_place) = point(5, 6);
    let pair = Val::Tuple(vec![Val::U8(9), Val::Option(some(Val::Float64(2.5)))]);
    let bare = Val::Tuple(vec![Val::U8(8), Val::Option(None)]);
    [
        (
            Shape::Circle(-2.5),
            variant("circle", some(Val::Float32(-2.5))),
        ),
        (
            Shape::Big(i64::MIN),
            variant("big", some(Val::S64(i64::MIN))),
        ),
        (Shape::Named("ä".into()), variant("named", some(text("ä")))),
        (
            Shape::Corners(corners),
            variant("corners", some(dynamic_corners)),
        ),
        (Shape::Pair((9, Some(2.5))), variant("pair", some(pair))),
        (Shape::Pair((8, None)), variant("pair", some(bare))),
        (Shape::Empty, variant("empty", None)),
        (Shape::Placed(place), variant("placed", some(dynamic_place))),
    ]
}

#[test]
fn variants() {
    let echo = Echo {
        types: &[POINT, SHAPE],
        of: "$shape",
        // The payload's first slot is an f32 or an i64, among others.
        flat: "i32 i64 i32 f64",
        layout: (32, 8),
    };
    echo.check(shapes());
    let echo = Echo {
        of: "(list $shape)",
        flat: "i32 i32",
        layout: (8, 4),
        ..echo
    };
    echo.check([both(shapes())]);
}

#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
enum Color {
    #[component(name = "red")]
    Red,
    #[component(name = "dark-green")]
    DarkGreen,
}

macro_rules! many {
    ($name:ident: $($case:ident),*) => {
        #[derive(ComponentType, Lift, Lower, Clone, Copy, Debug, PartialEq)]
        #[component(enum)]
        #[allow(non_camel_case_types)]
        enum $name {
            $($case,)*
        }

        impl $name {
            const ALL: &[(&str, $name)] = &[$((stringify!($case), $name::$case)),*];
        }
    };
}

// Rust's name is the component's where no other is told.
many! {
    Many:
        c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19,
        c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, c32, c33, c34, c35, c36, c37,
        c38, c39, c40, c41, c42, c43, c44, c45, c46, c47, c48, c49, c50, c51, c52, c53, c54, c55,
        c56, c57, c58, c59, c60, c61, c62, c63, c64, c65, c66, c67, c68, c69, c70, c71, c72, c73,
        c74, c75, c76, c77, c78, c79, c80, c81, c82, c83, c84, c85, c86, c87, c88, c89, c90, c91,
        c92, c93, c94, c95, c96, c97, c98, c99, c100, c101, c102, c103, c104, c105, c106, c107,
        c108, c109, c110, c111, c112, c113, c114, c115, c116, c117, c118, c119, c120, c121, c122,
        c123, c124, c125, c126, c127, c128, c129, c130, c131, c132, c133, c134, c135, c136, c137,
        c138, c139, c140, c141, c142, c143, c144, c145, c146, c147, c148, c149, c150, c151, c152,
        c153, c154, c155, c156, c157, c158, c159, c160, c161, c162, c163, c164, c165, c166, c167,
        c168, c169, c170, c171, c172, c173, c174, c175, c176, c177, c178, c179, c180, c181, c182,
        c183, c184, c185, c186, c187, c188, c189, c190, c191, c192, c193, c194, c195, c196, c197,
        c198, c199, c200, c201, c202, c203, c204, c205, c206, c207, c208, c209, c210, c211, c212,
        c213, c214, c215, c216, c217, c218, c219, c220, c221, c222, c223, c224, c225, c226, c227,
        c228, c229, c230, c231, c232, c233, c234, c235, c236, c237, c238, c239, c240, c241, c242,
        c243, c244, c245, c246, c247, c248, c249, c250, c251, c252, c253, c254, c255, c256, c257,
        c258, c259, c260, c261, c262, c263, c264, c265, c266, c267, c268, c269, c270, c271, c272,
        c273, c274, c275, c276, c277, c278, c279, c280, c281, c282, c283, c284, c285, c286, c287,
        c288, c289, c290, c291, c292, c293, c294, c295, c296, c297, c298, c299
}

#[test]
fn enums() {
    let echo = Echo {
        types: &[("color", r#"(enum "red" "dark-green")"#)],
        of: "$color",
        flat: "i32",
        layout: (1, 1),
    };
    let colors = [(Color::Red, "red"), (Color::DarkGreen, "dark-green")];
    let colors = colors.map(|(color, name)| (color, Val::Enum(name.into())));
    echo.check(colors.clone());
    let echo = Echo {
        of: "(list $color)",
        flat: "i32 i32",
        layout: (8, 4),
        ..echo
    };
    echo.check([both(colors)]);
}

#[test]
fn an_enum_of_300_cases_has_two_bytes() {
    let names: String = Many::ALL
        .iter()
        .map(|(name, _)| format!(" \"{name}\""))
        .collect();
    let ty = format!("(enum{names})");
    let echo = Echo {
        types: &[("many", &ty)],
        of: "$many",
        flat: "i32",
        layout: (2, 2),
    };
    assert_eq!(Many::ALL.len(), 300);
    let value = |at: usize| {
        let (name, case) = Many::ALL[at];
        (case, Val::Enum(name.into()))
    };
    echo.check([0, 1, 255, 256, 299].map(value));
    let echo = Echo {
        of: "(list $many)",
        flat: "i32 i32",
        layout: (8, 4),
        ..echo
    };
    echo.check([both([0, 1, 255, 256, 299].map(value))]);
}

macro_rules! flags_of {
    ($($test:ident $ty:ident $bytes:literal: $($flag:ident)*;)*) => {
        $(
            flags! {
                $ty {
                    $(const $flag;)*
                }
            }

            #[test]
            fn $test() {
                let all = [$((stringify!($flag), $ty::$flag)),*];
                let names: String = all.iter().map(|(name, _)| format!(" \"{name}\"")).collect();
                let is = format!("(flags{names})");
                let echo = Echo {
                    types: &[("set", &is)],
                    of: "$set",
                    flat: "i32",
                    layout: ($bytes, $bytes),
                };
                let dynamic = |set: $ty| {
                    let set = all.iter().filter(|(_, flag)| set.contains(*flag));
                    stories::flags(&set.map(|(name, _)| *name).collect::<Vec<_>>())
                };
                let last = all[all.len() - 1].1;
                let sets = [$ty::empty(), $ty::all(), $ty::F0, last, !last, $ty::F0 | last];
                let sets = sets.map(|set| (set, dynamic(set)));
                echo.check(sets.clone());
                let echo = Echo {
                    of: "(list $set)",
                    flat: "i32 i32",
                    layout: (8, 4),
                    ..echo
                };
                echo.check([both(sets)]);
            }
        )*
    };
}

flags_of! {
    one_flag One 1: F0;
    eight_flags Eight 1: F0 F1 F2 F3 F4 F5 F6 F7;
    nine_flags Nine 2: F0 F1 F2 F3 F4 F5 F6 F7 F8;
    sixteen_flags Sixteen 2: F0 F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15;
    seventeen_flags Seventeen 4: F0 F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15 F16;
    thirty_two_flags ThirtyTwo 4:
        F0 F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24
        F25 F26 F27 F28 F29 F30 F31;
}

#[test]
fn flags_are_sets() {
    let (a, b) = (Nine::F1 | Nine::F8, Nine::F8 | Nine::F0);
    assert_eq!(a & b, Nine::F8);
    assert_eq!(a ^ b, Nine::F0 | Nine::F1);
    assert_eq!(a - b, Nine::F1);
    assert_eq!(!Nine::empty(), Nine::all());
    assert_eq!(Nine::default(), Nine::empty());
    assert!(a.contains(Nine::F8) && !a.contains(b) && a.contains(Nine::empty()));
    assert!(a.intersects(b) && !a.intersects(Nine::F0));
    assert_eq!(a.as_array(), [0x102]);
    let mut c = a;
    c |= b;
    c &= !Nine::F8;
    c -= Nine::F0;
    c ^= Nine::F2;
    assert_eq!(format!("{c:?} {:?}", Nine::empty()), "Nine(F1 | F2) Nine()");
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Both<T, U: Clone = T>
where
    T: PartialEq,
{
    one: T,
    two: Option<U>,
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(variant)]
enum Either<T: PartialEq, U: Clone> {
    #[component(name = "left")]
    Left(T),
    #[component(name = "right")]
    Right(Both<T, U>),
}

#[test]
fn generic_types() {
    let both = r#"(record (field "one" u8) (field "two" (option string)))"#;
    let echo = Echo {
        types: &[
            ("both", both),
            (
                "either",
                r#"(variant (case "left" u8) (case "right" $both))"#,
            ),
        ],
        of: "$either",
        flat: "i32 i32 i32 i32 i32",
        layout: (20, 4),
    };
    let right = [("one", Val::U8(4)), ("two", Val::Option(some(text("x"))))];
    let right = Val::Variant("right".into(), some(record(right)));
    let typed = Both {
        one: 4,
        two: Some("x".to_string()),
    };
    let left = Val::Variant("left".into(), some(Val::U8(3)));
    echo.check([(Either::Left(3u8), left), (Either::Right(typed), right)]);
    let echo = Echo {
        types: &[(
            "both",
            r#"(record (field "one" f32) (field "two" (option f32)))"#,
        )],
        of: "$both",
        flat: "f32 i32 f32",
        layout: (12, 4),
    };
    let typed: Both<f32> = Both {
        one: 1.5,
        two: None,
    };
    let dynamic = [("one", Val::Float32(1.5)), ("two", Val::Option(None))];
    echo.check([(typed, record(dynamic))]);
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
struct Borrowed<'a, T> {
    name: &'a str,
    items: &'a [T],
}

#[test]
fn what_is_lowered_may_borrow() {
    let is = r#"(record (field "name" string) (field "items" (list u16)))"#;
    let echo = Echo {
        types: &[("borrowed", is)],
        of: "$borrowed",
        flat: "i32 i32 i32 i32",
        layout: (16, 4),
    };
    let mut session = echo.start();
    let (name, items) = (String::from("n"), [1u16, 2]);
    let value = Borrowed {
        name: &name,
        items: &items,
    };
    let shared = Arc::new(value);
    for _ in 0..2 {
        let answer = session.typed::<_, (Owned,)>("echo", (&shared,)).unwrap().0;
        assert_eq!((&*answer.name, &answer.items[..]), ("n", &items[..]));
    }
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Owned {
    name: Box<str>,
    items: Vec<u16>,
}

struct Thing;

#[derive(ComponentType, Lift, Lower, Debug)]
#[component(record)]
struct Parcel {
    id: u8,
    content: Resource<Thing>,
    lid: Option<Resource<Thing>>,
}

#[derive(ComponentType, Lift, Lower, Debug)]
#[component(variant)]
enum Shelf {
    #[component(name = "free")]
    Free,
    #[component(name = "taken")]
    Taken(Parcel),
}

#[test]
fn resources_are_in_records_and_variants() {
    const { assert!(Parcel::HAS_HANDLES && Shelf::HAS_HANDLES && !Shape::HAS_HANDLES) };
    let parcel = r#"(record (field "id" u8) (field "content" (own $thing))
        (field "lid" (option (own $thing))))"#;
    let shelf = r#"(variant (case "free") (case "taken" $parcel))"#;
    let types = [("thing", "resource"), ("parcel", parcel), ("shelf", shelf)];
    for (of, flat) in [
        ("$shelf", "i32 i32 i32 i32 i32"),
        ("(list $shelf)", "i32 i32"),
    ] {
        let echo = Echo {
            types: &types,
            of,
            flat,
            layout: (0, 0),
        };
        let wasm = wat::parse_str(echo.component()).unwrap();
        let mut linker = Linker::<Vec<u32>>::new(&Engine::default());
        let dropped = |mut store: StoreContextMut<'_, Vec<u32>>, rep| {
            store.data_mut().push(rep);
            Ok(())
        };
        let mut root = linker.root();
        root.resource("thing", ResourceType::host::<Thing>(), dropped)
            .unwrap();
        let taken = |id, content, lid: Option<u32>| {
            Shelf::Taken(Parcel {
                id,
                content: Resource::new_own(content),
                lid: lid.map(Resource::new_own),
            })
        };
        if of == "$shelf" {
            root.func_wrap("host", |_, (shelf,): (Shelf,)| Ok((shelf,)))
                .unwrap();
            let mut session = Session::start(&linker, &wasm, Vec::new(), Pace::Free);
            for (id, lid) in [(1, None), (2, Some(30))] {
                let given = (taken(id, 20, lid),);
                let (shelf,) = session.typed::<_, (Shelf,)>("echo", given).unwrap();
                let Shelf::Taken(parcel) = shelf else {
                    panic!("{shelf:?}");
                };
                assert_eq!((parcel.id, parcel.content.rep()), (id, 20));
                assert_eq!(parcel.lid.map(|lid| lid.rep()), lid);
            }
            let free = session.typed::<_, (Shelf,)>("echo", (Shelf::Free,));
            assert!(matches!(free.unwrap(), (Shelf::Free,)));
        } else {
            root.func_wrap("host", |_, (shelves,): (Vec<Shelf>,)| {
                assert_eq!(shelves.len(), 3);
                Ok((shelves,))
            })
            .unwrap();
            let mut session = Session::start(&linker, &wasm, Vec::new(), Pace::Free);
            let given = vec![taken(1, 20, None), Shelf::Free, taken(2, 30, Some(40))];
            let back = session.typed::<_, (Vec<Shelf>,)>("echo", (given,));
            let (back,) = back.unwrap();
            let [Shelf::Taken(_), Shelf::Free, Shelf::Taken(last)] = &back[..] else {
                panic!("{back:?}");
            };
            assert_eq!(last.content.rep(), 30);
            assert_eq!(last.lid.as_ref().map(|lid| lid.rep()), Some(40));
            assert!(session.store.data().is_empty());
        }
    }
}

const RAW: &str = r#"(component
    (type $color' (enum "red" "dark-green")) (export $color "color" (type $color'))
    (type $three' (flags "F0" "F1" "F2")) (export $three "three" (type $three'))
    (type $either' (variant (case "left" u8) (case "right" u32)))
    (export $either "either" (type $either'))
    (core module $m
        (memory (export "memory") 1)
        (func (export "same") (param i32) (result i32) (local.get 0))
        (func (export "stored") (param i32) (result i32)
            (i32.store (i32.const 64) (local.get 0))
            (i32.store (i32.const 68) (i32.const 7))
            (i32.const 64))
        (func (export "listed") (param i32) (result i32)
            (i32.store (i32.const 64) (local.get 0))
            (i64.store (i32.const 32) (i64.const 0x1_00000040))
            (i32.const 32)))
    (core instance $m (instantiate $m))
    (func (export "color-of") (param "n" u32) (result $color)
        (canon lift (core func $m "same")))
    (func (export "three-of") (param "n" u32) (result $three)
        (canon lift (core func $m "same")))
    (func (export "threes-of") (param "n" u32) (result (list $three))
        (canon lift (core func $m "listed") (memory (core memory $m "memory"))))
    (func (export "colors-of") (param "n" u32) (result (list $color))
        (canon lift (core func $m "listed") (memory (core memory $m "memory"))))
    (func (export "either-of") (param "n" u32) (result $either)
        (canon lift (core func $m "stored") (memory (core memory $m "memory")))))"#;

flags! {
    /// Three of them.
    Three {
        /// The first one.
        const F0;
        const F1;
        const F2;
    }
}

#[derive(ComponentType, Lift, Debug, PartialEq)]
#[component(variant)]
enum Number {
    #[component(name = "left")]
    Left(u8),
    #[component(name = "right")]
    Right(u32),
}

#[test]
fn a_case_that_does_not_exist_is_a_trap_and_a_flag_is_left_out() {
    let wasm = wat::parse_str(RAW).unwrap();
    let start = || Session::start(&Linker::new(&Engine::default()), &wasm, (), Pace::Free);
    let mut session = start();
    let color = session.typed::<_, (Color,)>("color-of", (1u32,));
    assert_eq!(color.unwrap(), (Color::DarkGreen,));
    let colors = session.typed::<_, (Vec<Color>,)>("colors-of", (0x101u32,));
    assert_eq!(colors.unwrap(), (vec![Color::DarkGreen],));
    let either = session.typed::<_, (Number,)>("either-of", (0u32,));
    assert_eq!(either.unwrap(), (Number::Left(7),));
    let either = session.typed::<_, (Number,)>("either-of", (0xF01u32,));
    assert_eq!(either.unwrap(), (Number::Right(7),));
    let three = session.typed::<_, (Three,)>("three-of", (0xFFF2u32,));
    assert_eq!(three.unwrap(), (Three::F1,));
    let threes = session.typed::<_, (Vec<Three>,)>("threes-of", (0xFFFFu32,));
    assert_eq!(threes.unwrap(), (vec![Three::all()],));

    let color = start().typed::<_, (Color,)>("color-of", (2u32,));
    let error = color.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Trap);
    assert!(
        error
            .to_string()
            .contains("discriminant 2 out of range [0..2)"),
        "{error}"
    );
    let color = start().typed::<_, (Color,)>("color-of", (256u32,));
    assert_eq!(color.unwrap_err().kind(), ErrorKind::Trap);
    let colors = start().typed::<_, (Vec<Color>,)>("colors-of", (0xFFu32,));
    let error = colors.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("discriminant 255 out of range [0..2)"),
        "{error}"
    );
    let either = start().typed::<_, (Number,)>("either-of", (2u32,));
    assert_eq!(either.unwrap_err().kind(), ErrorKind::Trap);
}

/// Types that stand for something else than the component has, and what is said about it.
mod mismatched {
    use super::*;

    macro_rules! types {
        ($($kind:tt $ty:item)*) => {
            $(
                #[derive(ComponentType, Lift)]
                #[component($kind)]
                #[allow(dead_code)]
                $ty
            )*
        };
    }

    types! {
        record struct Fewer { x: u16 }
        record struct Named { x: u16, y: u16 }
        record struct Typed { x: u16, #[component(name = "second-axis")] y: Color }
        variant enum Bare { #[component(name = "left")] Left, #[component(name = "right")] Right(u32) }
        variant enum Full { #[component(name = "left")] Left(u8), #[component(name = "right")] Right(u8) }
        variant enum Red { #[component(name = "red")] Red, #[component(name = "dark-green")] Green }
        enum enum Blue { #[component(name = "blue")] Blue, #[component(name = "dark-green")] Green }
    }

    flags! {
        Two {
            const F0;
            const F1;
        }
    }

    /// Binds a function that returns what another type stands for.
    fn refused<V: Lift + 'static>(name: &str, why: &str) {
        let wasm = wat::parse_str(format!("{} {KINDS}", &RAW[..RAW.len() - 1])).unwrap();
        let linker = Linker::new(&Engine::default());
        let mut session = Session::start(&linker, &wasm, (), Pace::Free);
        let index = session.index(name);
        let bound = session
            .instance
            .get_typed_func::<(u32,), (V,)>(&mut session.store, &index);
        let error = bound.expect_err("another type");
        assert_eq!(error.kind(), ErrorKind::Type);
        let told = format!("{error:#}");
        assert!(told.ends_with(why), "told {told:?}, not {why:?}");
    }

    /// One more function of the component.
    const KINDS: &str = r#"
        (type $point' (record (field "x" u16) (field "second-axis" u16)))
        (export $point "point" (type $point'))
        (func (export "point-of") (param "n" u32) (result $point)
            (canon lift (core func $m "stored") (memory (core memory $m "memory")))))"#;

    #[test]
    fn a_mismatch_is_told_by_name() {
        refused::<Fewer>("point-of", "expected record of 1 fields, found 2 fields");
        refused::<Named>("point-of", "expected record field `y`, found `second-axis`");
        let field = "type mismatch for field `second-axis`: expected `enum` found `u16`";
        refused::<Typed>("point-of", field);
        refused::<Typed>(
            "color-of",
            "expected `record` found `enum { red, dark-green }`",
        );
        let bare = "expected variant case `left` without a value, found one";
        refused::<Bare>("either-of", bare);
        let case = "type mismatch for case `right`: expected `u8` found `u32`";
        refused::<Full>("either-of", case);
        refused::<Red>(
            "color-of",
            "expected `variant` found `enum { red, dark-green }`",
        );
        refused::<Blue>("color-of", "expected enum case `blue`, found `red`");
        refused::<Two>("three-of", "expected flags of 2 names, found 3 names");
        refused::<Perms>("three-of", "expected flag `read`, found `F0`");
    }
}

flags! {
    Perms {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
        #[component(name = "exec")]
        const EXEC;
    }
}

/// The types of the Rust guest `rust-app`.
mod app {
    use super::*;

    #[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
    #[component(record)]
    pub struct Place {
        pub x: f64,
        pub y: f64,
        pub label: String,
    }

    #[derive(ComponentType, Lower)]
    #[component(variant)]
    pub enum Shape<'a> {
        #[component(name = "circle")]
        Circle(f64),
        #[component(name = "rect")]
        Rect((f64, f64)),
        #[component(name = "poly")]
        Poly(&'a [Place]),
        #[component(name = "empty")]
        Empty,
    }

    #[derive(ComponentType, Lift, Lower)]
    #[component(enum)]
    #[repr(u8)]
    pub enum Color {
        #[component(name = "red")]
        Red,
        #[component(name = "green")]
        Green,
        #[component(name = "blue")]
        Blue,
    }
}

#[test]
fn a_rust_guest_is_called_with_derived_types() {
    use app::{Color, Place, Shape};
    let Some(wasm) = shared_guest("rust-app.wasm") else {
        return;
    };
    let linker = app_linker(&Engine::default());
    let mut session = Session::start(&linker, &wasm, Vec::new(), Pace::Free);
    let path = |name| format!("demo:app/shapes@0.1.0#{name}");
    let place = |x, y, label: &str| Place {
        x,
        y,
        label: label.into(),
    };
    type Area = std::result::Result<f64, String>;
    let mut area = |shape: Shape| {
        session
            .typed::<_, (Area,)>(&path("area"), (shape,))
            .unwrap()
            .0
    };
    assert_eq!(area(Shape::Circle(2.0)), Ok(12.566370614359172));
    assert_eq!(area(Shape::Circle(-1.0)), Err("negative radius -1".into()));
    assert_eq!(area(Shape::Rect((2.0, 3.5))), Ok(7.0));
    assert_eq!(area(Shape::Empty), Ok(0.0));
    let corners = [(0.0, 0.0), (4.0, 0.0), (0.0, 3.0)].map(|(x, y)| place(x, y, ""));
    assert_eq!(area(Shape::Poly(&corners)), Ok(6.0));

    let mut centroid = |places: &[Place]| {
        let middle = session.typed::<_, (Option<Place>,)>(&path("centroid"), (places,));
        middle.unwrap().0
    };
    let places = [place(0.0, 0.0, "a"), place(4.0, 0.0, "b")];
    assert_eq!(centroid(&places), Some(place(2.0, 0.0, "a+b")));
    assert_eq!(centroid(&[]), None);

    let mut allow = |color: Color| {
        let allowed = session.typed::<_, (Perms,)>(&path("allow"), (Perms::READ, color));
        allowed.unwrap().0
    };
    assert_eq!(allow(Color::Green), Perms::READ);
    assert_eq!(allow(Color::Blue), Perms::READ | Perms::EXEC);
    assert_eq!(allow(Color::Red), Perms::empty());

    type Counter = (ResourceAny,);
    let constructor = path("[constructor]counter");
    let (a,) = session.typed::<_, Counter>(&constructor, (5u32,)).unwrap();
    let (b,) = session.typed::<_, Counter>(&constructor, (37u32,)).unwrap();
    let (inc, get) = (path("[method]counter.inc"), path("[method]counter.get"));
    assert_eq!(session.typed::<_, (u32,)>(&inc, (a, 2u32)).unwrap(), (7,));
    assert_eq!(session.typed::<_, (u32,)>(&get, (b,)).unwrap(), (37,));
    let merge = path("[static]counter.merge");
    let merged = session.typed::<_, Counter>(&merge, (a, b)).unwrap();
    assert_eq!(session.typed::<_, (u32,)>(&get, merged).unwrap(), (44,));
    let run = session.typed::<_, (String,)>("run", ("abc",));
    assert_eq!(run.unwrap(), ("cba".to_string(),));
    assert_eq!(session.store.data(), &["run(abc)"]);
}
