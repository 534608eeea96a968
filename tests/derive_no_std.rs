//! Derives in a crate without `std`, `alloc` and unsafe code, beside names that could come in their way.
#![no_std]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

/// What a user may call their own.
pub mod hostile {
    use cellule::component::{ComponentType, Lift, Lower, flags};

    /// Instead of the prelude's.
    pub struct Option;
    /// Instead of the prelude's.
    pub struct Result;
    /// Instead of the prelude's.
    pub struct From;
    #[allow(non_snake_case, dead_code)]
    fn Ok() {}
    #[allow(non_snake_case, dead_code)]
    fn Some() {}

    /// Fields named as what is generated.
    #[derive(ComponentType, Lift, Lower)]
    #[component(record)]
    pub struct Fields<T, U> {
        /// A field.
        pub cx: T,
        /// A field.
        pub ty: U,
        /// A field.
        #[deprecated]
        pub fields: T,
        /// A field.
        pub bytes: [u8; 2],
        /// A field.
        pub src: u8,
        /// A field.
        pub dst: u32,
        /// A field.
        pub r#type: char,
    }

    /// Cases named as those of the prelude.
    #[derive(ComponentType, Lift, Lower)]
    #[component(variant)]
    pub enum Cases<T> {
        /// A case.
        Ok(T),
        /// A case.
        None,
        /// A case.
        Err(core::option::Option<f64>),
    }

    /// Cases named as those of the prelude.
    #[derive(ComponentType, Lift, Lower, Clone, Copy)]
    #[component(enum)]
    #[repr(u8)]
    pub enum Few {
        /// A case.
        Ok,
        /// A case.
        Err,
    }

    flags! {
        Set {
            const BITS;
            #[component(name = "all")]
            const OTHER;
        }
    }
}

use cellule::component::ComponentType;
use hostile::{Cases, Few, Fields, Set};

#[test]
fn layouts_are_known_at_compile_time() {
    const SIZES: [usize; 4] = [
        Fields::<u8, u64>::SIZE32,
        Cases::<u8>::SIZE32,
        Few::SIZE32,
        Set::SIZE32,
    ];
    assert_eq!(SIZES, [32, 24, 1, 1]);
    assert_eq!(Fields::<u8, u64>::ALIGN32, 8);
    assert_eq!(Cases::<u8>::FLAT_COUNT, 3);
    const BOTH: Set = Set::all();
    assert!(BOTH.contains(Set::BITS | Set::OTHER));
}
