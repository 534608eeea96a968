//! Bindings in a crate without `std`, without `alloc` in its prelude and without unsafe code, beside names
//! that could come in their way.
#![no_std]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

/// What a user may call their own, and what a world may.
pub mod hostile {
    use ::cellule::component::bindgen;

    /// Instead of the prelude's.
    pub struct Option;
    /// Instead of the prelude's.
    pub struct Result;
    /// Instead of the prelude's.
    pub struct Send;
    /// Instead of the prelude's.
    pub struct Clone;
    #[allow(non_snake_case, dead_code)]
    fn Ok() {}

    bindgen!({
        inline: r#"
            package core:alloc;
            interface %interface {
                record %string { %type: string, vec: list<option<u8>> }
                variant %result { ok(%string), err, self }
                enum %option { some, none }
                flags %box { %ref, deref }
                resource store {
                    constructor(inst: u32, linker: %string);
                    call: func(host: %box, r: %option) -> result<%result, %option>;
                }
                %async: func(arg0: u32, store: string, host: borrow<store>) -> tuple<u32, %string>;
            }
            world %world {
                import %interface;
                import callee: func(value: string);
                export %interface;
                export callee: func(store: string, callee: u32) -> option<string>;
            }
        "#,
        imports: { default: async | trappable },
    });
}

use cellule::component::{ComponentType, HasSelf, Linker, Resource};
use cellule::{Engine, Result};
use hostile::core::alloc::interface as imported;

struct Host;

impl hostile::WorldImports for Host {
    async fn callee(&mut self, _: cellule::component::__internal::String) -> Result<()> {
        Ok(())
    }
}

impl imported::HostStore for Host {
    async fn new(&mut self, inst: u32, _: imported::String) -> Result<Resource<imported::Store>> {
        Ok(Resource::new_own(inst))
    }

    async fn call(
        &mut self,
        _: Resource<imported::Store>,
        _: imported::Box,
        option: imported::Option,
    ) -> Result<core::result::Result<imported::Result, imported::Option>> {
        Ok(Err(option))
    }

    async fn drop(&mut self, _: Resource<imported::Store>) -> Result<()> {
        Ok(())
    }
}

impl imported::Host for Host {
    async fn async_(
        &mut self,
        number: u32,
        r#type: cellule::component::__internal::String,
        _: Resource<imported::Store>,
    ) -> Result<(u32, imported::String)> {
        let vec = Default::default();
        Ok((number, imported::String { type_: r#type, vec }))
    }
}

#[test]
fn a_world_of_hostile_names_is_bound() {
    let mut linker = Linker::<Host>::new(&Engine::default());
    hostile::World::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host).unwrap();
    assert!(hostile::World::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host).is_err());
    const SIZES: [usize; 2] = [imported::String::SIZE32, imported::Result::SIZE32];
    assert_eq!(SIZES, [16, 20]);
    let both = imported::Box::REF | imported::Box::DEREF;
    assert_eq!(both, imported::Box::all());
}
