//! Flags as Rust types. An engine's `flags!` makes a type of its own, so that each engine has all of these, by the same
//! names and with the members of random types.

/// Defines the flags of an engine, whose crate has that name.
macro_rules! flag_types {
    ($engine:ident) => {
        flag_types!($engine: Few {
            B0 "b0", B1 "b1", B2 "b2",
        });
        flag_types!($engine: Nine {
            B0 "b0", B1 "b1", B2 "b2", B3 "b3", B4 "b4", B5 "b5", B6 "b6", B7 "b7", B8 "b8",
        });
        flag_types!($engine: All {
            B0 "b0", B1 "b1", B2 "b2", B3 "b3", B4 "b4", B5 "b5", B6 "b6", B7 "b7", B8 "b8", B9 "b9",
            B10 "b10", B11 "b11", B12 "b12", B13 "b13", B14 "b14", B15 "b15", B16 "b16", B17 "b17",
            B18 "b18", B19 "b19", B20 "b20", B21 "b21", B22 "b22", B23 "b23", B24 "b24", B25 "b25",
            B26 "b26", B27 "b27", B28 "b28", B29 "b29", B30 "b30", B31 "b31",
        });
    };
    ($engine:ident: $name:ident { $($flag:ident $label:literal,)* }) => {
        $engine::component::flags! {
            $name { $(#[component(name = $label)] const $flag;)* }
        }

        impl crate::differential::shapes::Shape for $name {
            fn ty() -> crate::differential::ty::Ty {
                crate::differential::ty::Ty::Flags([$($label),*].len() as u32)
            }
            fn of(value: &crate::differential::value::Value) -> Option<Self> {
                let crate::differential::value::Value::Flags(set) = value else {
                    return None;
                };
                let mut flags = $name::empty();
                for name in set {
                    match name.as_str() {
                        $($label => flags |= $name::$flag,)*
                        _ => return None,
                    }
                }
                Some(flags)
            }
            fn value(&self) -> crate::differential::value::Value {
                let mut set = Vec::new();
                $(if self.contains($name::$flag) {
                    set.push($label.to_string());
                })*
                crate::differential::value::Value::Flags(set)
            }
        }
    };
}
pub(super) use flag_types;
