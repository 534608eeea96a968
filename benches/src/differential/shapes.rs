//! The Rust types that the host uses where it doesn't use dynamic values, by number.

use super::derived::{Choice, Color, Either, Mixed, Only, Parts, Point, Single, Wide};
use super::on_cellule::{All, Few, Nine};
use super::ty::Ty;
use super::value::Value;

/// A Rust type that has values of a component type.
pub trait Shape: Sized {
    /// The component type.
    fn ty() -> Ty;
    /// From a value of the type; nothing of any other.
    fn of(value: &Value) -> Option<Self>;
    /// The value.
    fn value(&self) -> Value;
}

macro_rules! scalars {
    ($($rust:ty: $case:ident;)*) => {$(
        impl Shape for $rust {
            fn ty() -> Ty {
                Ty::$case
            }
            fn of(value: &Value) -> Option<Self> {
                match value {
                    Value::$case(x) => Some(x.clone()),
                    _ => None,
                }
            }
            fn value(&self) -> Value {
                Value::$case(self.clone())
            }
        }
    )*};
}

scalars! {
    bool: Bool;
    i8: S8;
    u8: U8;
    i16: S16;
    u16: U16;
    i32: S32;
    u32: U32;
    i64: S64;
    u64: U64;
    char: Char;
    String: String;
}

macro_rules! floats {
    ($($rust:ty: $case:ident $make:ident;)*) => {$(
        impl Shape for $rust {
            fn ty() -> Ty {
                Ty::$case
            }
            fn of(value: &Value) -> Option<Self> {
                match value {
                    Value::$case(bits) => Some(<$rust>::from_bits(*bits)),
                    _ => None,
                }
            }
            fn value(&self) -> Value {
                Value::$make(*self)
            }
        }
    )*};
}

floats! {
    f32: F32 f32;
    f64: F64 f64;
}

impl<T: Shape> Shape for Vec<T> {
    fn ty() -> Ty {
        Ty::List(Box::new(T::ty()))
    }
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::List(items) => items.iter().map(T::of).collect(),
            _ => None,
        }
    }
    fn value(&self) -> Value {
        Value::List(self.iter().map(T::value).collect())
    }
}

impl<T: Shape> Shape for Option<T> {
    fn ty() -> Ty {
        Ty::Option(Box::new(T::ty()))
    }
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Option(None) => Some(None),
            Value::Option(Some(some)) => T::of(some).map(Some),
            _ => None,
        }
    }
    fn value(&self) -> Value {
        Value::Option(self.as_ref().map(|some| Box::new(some.value())))
    }
}

impl<T: Shape, E: Shape> Shape for Result<T, E> {
    fn ty() -> Ty {
        Ty::Result(Some(Box::new(T::ty())), Some(Box::new(E::ty())))
    }
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Result(Ok(Some(ok))) => T::of(ok).map(Ok),
            Value::Result(Err(Some(err))) => E::of(err).map(Err),
            _ => None,
        }
    }
    fn value(&self) -> Value {
        Value::Result(match self {
            Ok(ok) => Ok(Some(Box::new(ok.value()))),
            Err(err) => Err(Some(Box::new(err.value()))),
        })
    }
}

macro_rules! tuples {
    ($(($($part:ident $at:tt),*);)*) => {$(
        impl<$($part: Shape),*> Shape for ($($part,)*) {
            fn ty() -> Ty {
                Ty::Tuple(vec![$($part::ty()),*])
            }
            fn of(value: &Value) -> Option<Self> {
                match value {
                    Value::Tuple(parts) => Some(($($part::of(parts.get($at)?)?,)*)),
                    _ => None,
                }
            }
            fn value(&self) -> Value {
                Value::Tuple(vec![$(self.$at.value()),*])
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
}

/// Calls a macro with all shapes: each a number and a Rust type.
macro_rules! all_shapes {
    ($with:ident) => {
        $with! {
            0: bool;
            1: i8;
            2: u8;
            3: i16;
            4: u16;
            5: i32;
            6: u32;
            7: i64;
            8: u64;
            9: f32;
            10: f64;
            11: char;
            12: String;
            13: Vec<u8>;
            14: Vec<i16>;
            15: Vec<u32>;
            16: Vec<f64>;
            17: Vec<bool>;
            18: Vec<char>;
            19: Vec<String>;
            20: Vec<Vec<u16>>;
            21: Option<u8>;
            22: Option<String>;
            23: Option<Option<u64>>;
            24: Result<String, u32>;
            25: Result<f32, f64>;
            26: Result<Vec<u8>, Option<char>>;
            27: (u8, u64);
            28: (bool, char, String);
            29: (i8, i16, i32, i64);
            30: ((u8, f32), Vec<(u8, String)>);
            31: Vec<Option<(u32, String)>>;
            32: Vec<Result<u8, f64>>;
            33: ((u64, u64, u64, u64), (f64, f64, f64, f64), (u8, u8, u8, u8), (f32, f32, f32, f32));
            34: ((u64, u64, u64, u64), (String, String, String, String), (u8, u8, u8, u8), (f32, f32, f32, f32));
            35: Point;
            36: Mixed;
            37: Vec<Mixed>;
            38: Choice;
            39: Vec<Choice>;
            40: Option<Choice>;
            41: Color;
            42: (Color, Choice, Point);
            43: Parts;
            44: Single;
            45: Wide;
            46: Either;
            47: Vec<Color>;
            48: (Only, Either, Vec<Only>);
            49: Result<Wide, Parts>;
            50: Few;
            51: All;
            52: Vec<Nine>;
            53: (Few, Option<All>, Nine, u8);
            54: Result<Vec<Few>, Nine>;
        }
    };
}
pub(super) use all_shapes;

macro_rules! types {
    ($($at:literal: $rust:ty;)*) => {
        /// How many there are.
        pub const COUNT: usize = [$($at),*].len();

        /// The component type of a shape.
        pub fn ty(shape: usize) -> Ty {
            match shape {
                $($at => <$rust as Shape>::ty(),)*
                other => unreachable!("there is no shape {other}"),
            }
        }
    };
}

all_shapes!(types);
