//! Component values whose types are known only when running.
//!
//! Lists of numbers stay packed: a list of 64 KiB is one vector of bytes and not as many values.

mod abi;
mod check;

pub(crate) use abi::{lift_flat, load, lower_flat, store};
pub(crate) use check::check;

use super::error_context::ErrorContext;
use super::resource::ResourceAny;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A value.
///
/// A value that a guest gives is nested no deeper than its type, and a deeper one is refused where it is passed.
/// What a host nests deeper itself is compared, printed and dropped by recursion.
///
/// As wasmtime's, but for lists, which are a [`List`] here, so that those of numbers are packed:
/// `Val::List(vec![1u8, 2].into())`.
///
/// ```
/// use cellule::component::{List, Val};
///
/// let point = Val::Record(vec![("x".into(), Val::from(1u32)), ("y".into(), Val::from(2u32))]);
/// let Val::Record(fields) = &point else {
///     unreachable!()
/// };
/// assert_eq!(fields[1], ("y".to_string(), Val::U32(2)));
/// // A list of numbers is kept as numbers.
/// let packed = Val::List(List::U8(vec![1, 2]));
/// let same = Val::List([Val::U8(1), Val::U8(2)].into_iter().collect());
/// assert_eq!(packed, same);
/// ```
#[derive(Clone, PartialEq)]
pub enum Val {
    /// `bool`.
    Bool(bool),
    /// `s8`.
    S8(i8),
    /// `u8`.
    U8(u8),
    /// `s16`.
    S16(i16),
    /// `u16`.
    U16(u16),
    /// `s32`.
    S32(i32),
    /// `u32`.
    U32(u32),
    /// `s64`.
    S64(i64),
    /// `u64`.
    U64(u64),
    /// `f32`.
    Float32(f32),
    /// `f64`.
    Float64(f64),
    /// `char`.
    Char(char),
    /// `string`.
    String(String),
    /// `list<T>`.
    List(List),
    /// `list<T, N>`: as many elements as the type says.
    FixedLengthList(List),
    /// `map<K, V>`: the pairs, in the order in which they are passed.
    Map(Vec<(Val, Val)>),
    /// A record: its fields' names and values, in the type's order.
    Record(Vec<(String, Val)>),
    /// A tuple.
    Tuple(Vec<Val>),
    /// A variant: the case's name, and its payload where it has one.
    Variant(String, Option<Box<Val>>),
    /// An enum: the case's name.
    Enum(String),
    /// `option<T>`.
    Option(Option<Box<Val>>),
    /// `result<T, E>`: payloads where the type has them.
    Result(Result<Option<Box<Val>>, Option<Box<Val>>>),
    /// Flags: the names of those that are set.
    Flags(Vec<String>),
    /// A handle, owned or borrowed.
    Resource(ResourceAny),
    /// `error-context`.
    ErrorContext(ErrorContext),
}

macro_rules! from {
    ($($ty:ty: $variant:ident;)*) => {
        $(
            impl From<$ty> for Val {
                fn from(value: $ty) -> Val {
                    Val::$variant(value)
                }
            }
        )*
    };
}

from! {
    bool: Bool;
    i8: S8;
    u8: U8;
    i16: S16;
    u16: U16;
    i32: S32;
    u32: U32;
    i64: S64;
    u64: U64;
    f32: Float32;
    f64: Float64;
    char: Char;
    String: String;
    ResourceAny: Resource;
}

macro_rules! packed {
    ($($variant:ident $ty:ty: $val:ident;)*) => {
        /// The elements of a list: packed if they are numbers.
        ///
        /// ```
        /// use cellule::component::{List, Val};
        ///
        /// let list = List::Float64(vec![0.5, 1.5]);
        /// assert_eq!(list.len(), 2);
        /// assert_eq!(list.get(1), Some(Val::Float64(1.5)));
        /// assert!(list.iter().eq([Val::Float64(0.5), Val::Float64(1.5)]));
        /// ```
        #[derive(Clone)]
        #[non_exhaustive]
        pub enum List {
            /// Any values.
            Vals(Vec<Val>),
            $(
                #[doc = concat!("Elements of type `", stringify!($ty), "`.")]
                $variant(Vec<$ty>),
            )*
        }

        impl List {
            /// How many elements there are.
            pub fn len(&self) -> usize {
                match self {
                    List::Vals(list) => list.len(),
                    $(List::$variant(list) => list.len(),)*
                }
            }

            /// An element.
            pub fn get(&self, index: usize) -> Option<Val> {
                match self {
                    List::Vals(list) => list.get(index).cloned(),
                    $(List::$variant(list) => list.get(index).map(|item| Val::$val(*item)),)*
                }
            }
        }

        $(
            impl From<Vec<$ty>> for List {
                fn from(list: Vec<$ty>) -> List {
                    List::$variant(list)
                }
            }
        )*
    };
}

packed! {
    S8 i8: S8;
    U8 u8: U8;
    S16 i16: S16;
    U16 u16: U16;
    S32 i32: S32;
    U32 u32: U32;
    S64 i64: S64;
    U64 u64: U64;
    Float32 f32: Float32;
    Float64 f64: Float64;
}

impl List {
    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Val> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}

impl From<Vec<Val>> for List {
    fn from(list: Vec<Val>) -> List {
        List::Vals(list)
    }
}

impl FromIterator<Val> for List {
    fn from_iter<I: IntoIterator<Item = Val>>(items: I) -> List {
        List::Vals(items.into_iter().collect())
    }
}

impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        match (self, other) {
            (List::U8(a), List::U8(b)) => a == b,
            (List::Vals(a), List::Vals(b)) => a == b,
            _ => self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a == b),
        }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Val::Bool(x) => f.debug_tuple("Bool").field(x).finish(),
            Val::S8(x) => f.debug_tuple("S8").field(x).finish(),
            Val::U8(x) => f.debug_tuple("U8").field(x).finish(),
            Val::S16(x) => f.debug_tuple("S16").field(x).finish(),
            Val::U16(x) => f.debug_tuple("U16").field(x).finish(),
            Val::S32(x) => f.debug_tuple("S32").field(x).finish(),
            Val::U32(x) => f.debug_tuple("U32").field(x).finish(),
            Val::S64(x) => f.debug_tuple("S64").field(x).finish(),
            Val::U64(x) => f.debug_tuple("U64").field(x).finish(),
            Val::Float32(x) => f.debug_tuple("Float32").field(x).finish(),
            Val::Float64(x) => f.debug_tuple("Float64").field(x).finish(),
            Val::Char(x) => f.debug_tuple("Char").field(x).finish(),
            Val::String(x) => f.debug_tuple("String").field(x).finish(),
            Val::List(x) => f.debug_tuple("List").field(x).finish(),
            Val::FixedLengthList(x) => f.debug_tuple("FixedLengthList").field(x).finish(),
            Val::Map(x) => f.debug_tuple("Map").field(x).finish(),
            Val::Record(x) => f.debug_tuple("Record").field(x).finish(),
            Val::Tuple(x) => f.debug_tuple("Tuple").field(x).finish(),
            Val::Variant(name, x) => f.debug_tuple("Variant").field(name).field(x).finish(),
            Val::Enum(x) => f.debug_tuple("Enum").field(x).finish(),
            Val::Option(x) => f.debug_tuple("Option").field(x).finish(),
            Val::Result(x) => f.debug_tuple("Result").field(x).finish(),
            Val::Flags(x) => f.debug_tuple("Flags").field(x).finish(),
            Val::Resource(x) => f.debug_tuple("Resource").field(x).finish(),
            Val::ErrorContext(x) => f.debug_tuple("ErrorContext").field(x).finish(),
        }
    }
}

impl Val {
    /// What kind of value it is.
    fn desc(&self) -> &'static str {
        match self {
            Val::Bool(_) => "bool",
            Val::S8(_) => "s8",
            Val::U8(_) => "u8",
            Val::S16(_) => "s16",
            Val::U16(_) => "u16",
            Val::S32(_) => "s32",
            Val::U32(_) => "u32",
            Val::S64(_) => "s64",
            Val::U64(_) => "u64",
            Val::Float32(_) => "f32",
            Val::Float64(_) => "f64",
            Val::Char(_) => "char",
            Val::String(_) => "string",
            Val::List(_) => "list",
            Val::FixedLengthList(_) => "list of fixed length",
            Val::Map(_) => "map",
            Val::Record(_) => "record",
            Val::Tuple(_) => "tuple",
            Val::Variant(..) => "variant",
            Val::Enum(_) => "enum",
            Val::Option(_) => "option",
            Val::Result(_) => "result",
            Val::Flags(_) => "flags",
            Val::Resource(_) => "resource",
            Val::ErrorContext(_) => "error-context",
        }
    }
}
