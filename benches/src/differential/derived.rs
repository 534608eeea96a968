//! Rust types that both engines' derives make component types of: records, variants and enums. Their members
//! are called as those of random types are, so that both are written and made at random in the same way.

use super::shapes::Shape;
use super::ty::Ty;
use super::value::Value;

macro_rules! records {
    ($($name:ident { $($field:ident: $ty:ty,)* })*) => {$(
        #[derive(
            Clone,
            cellule::component::ComponentType,
            cellule::component::Lift,
            cellule::component::Lower,
            wasmtime::component::ComponentType,
            wasmtime::component::Lift,
            wasmtime::component::Lower,
        )]
        #[component(record)]
        pub struct $name {
            $($field: $ty,)*
        }

        impl Shape for $name {
            fn ty() -> Ty {
                Ty::Record(vec![$(<$ty as Shape>::ty()),*])
            }
            fn of(value: &Value) -> Option<Self> {
                let Value::Record(fields) = value else {
                    return None;
                };
                let mut fields = fields.iter();
                Some($name { $($field: <$ty as Shape>::of(&fields.next()?.1)?,)* })
            }
            fn value(&self) -> Value {
                Value::Record(vec![$((stringify!($field).to_string(), self.$field.value())),*])
            }
        }
    )*};
}

records! {
    Point { f0: u8, f1: u64, }
    Mixed { f0: i8, f1: f64, f2: String, f3: Point, f4: char, f5: bool, }
    Parts { f0: Vec<Choice>, f1: Option<Mixed>, f2: Result<Color, Choice>, }
    Single { f0: f32, }
    // More core values than are passed as such.
    Wide {
        f0: u32, f1: u8, f2: i64, f3: f32, f4: u16, f5: bool, f6: i8, f7: f64, f8: u32, f9: char,
        f10: u64, f11: i16, f12: u8, f13: i32, f14: f32, f15: bool, f16: u64, f17: String,
    }
}

macro_rules! variants {
    ($($name:ident { $($case:ident $label:literal $(($ty:ty))?,)* })*) => {$(
        #[derive(
            Clone,
            cellule::component::ComponentType,
            cellule::component::Lift,
            cellule::component::Lower,
            wasmtime::component::ComponentType,
            wasmtime::component::Lift,
            wasmtime::component::Lower,
        )]
        #[component(variant)]
        pub enum $name {
            $(#[component(name = $label)] $case $(($ty))?,)*
        }

        impl Shape for $name {
            fn ty() -> Ty {
                Ty::Variant(vec![$(variants!(@ty $($ty)?)),*])
            }
            fn of(value: &Value) -> Option<Self> {
                match value {
                    $(Value::Variant(name, payload) if name == $label => {
                        variants!(@of $name $case payload $($ty)?)
                    })*
                    _ => None,
                }
            }
            fn value(&self) -> Value {
                $(variants!(@value self $name $case $label $($ty)?);)*
                unreachable!("all cases are above")
            }
        }
    )*};
    (@ty) => { None };
    (@ty $ty:ty) => { Some(<$ty as Shape>::ty()) };
    (@of $name:ident $case:ident $payload:ident) => { Some($name::$case) };
    (@of $name:ident $case:ident $payload:ident $ty:ty) => {
        Some($name::$case(<$ty as Shape>::of($payload.as_deref()?)?))
    };
    (@value $self:ident $name:ident $case:ident $label:literal) => {
        if let $name::$case = $self {
            return Value::Variant($label.to_string(), None);
        }
    };
    (@value $self:ident $name:ident $case:ident $label:literal $ty:ty) => {
        if let $name::$case(payload) = $self {
            return Value::Variant($label.to_string(), Some(Box::new(payload.value())));
        }
    };
}

variants! {
    Choice { C0 "c0" (u32), C1 "c1", C2 "c2" (String), C3 "c3" (Point), C4 "c4" (f64), }
    Either { C0 "c0" (f32), C1 "c1" (u64), }
}

macro_rules! enums {
    ($($name:ident { $($case:ident $label:literal,)* })*) => {$(
        #[derive(
            Clone,
            Copy,
            cellule::component::ComponentType,
            cellule::component::Lift,
            cellule::component::Lower,
            wasmtime::component::ComponentType,
            wasmtime::component::Lift,
            wasmtime::component::Lower,
        )]
        #[component(enum)]
        #[repr(u8)]
        pub enum $name {
            $(#[component(name = $label)] $case,)*
        }

        impl Shape for $name {
            fn ty() -> Ty {
                Ty::Enum([$($label),*].len() as u32)
            }
            fn of(value: &Value) -> Option<Self> {
                match value {
                    $(Value::Enum(name) if name == $label => Some($name::$case),)*
                    _ => None,
                }
            }
            fn value(&self) -> Value {
                Value::Enum(match self {
                    $($name::$case => $label,)*
                }.to_string())
            }
        }
    )*};
}

enums! {
    Color { C0 "c0", C1 "c1", C2 "c2", C3 "c3", C4 "c4", }
    Only { C0 "c0", }
}
