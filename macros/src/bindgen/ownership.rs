//! The option `ownership`: whether types that calls of guests are given borrow what is in them.
//!
//! A type of WIT becomes one Rust type or two. What hosts are given or return, and what guests return,
//! owns what is in it; what is passed to guests may borrow. A type that does both owns, or else is
//! there twice: as `NameParam` and `NameResult`. Names are wasmtime's.

use super::names;
use super::types::{Generator, Mode, parts};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;
use wit_parser::{Function, InterfaceId, Type, TypeId, WorldItem};

/// How types are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    /// All own what is in them.
    #[default]
    Owning,
    /// Those that are only passed to guests borrow.
    Borrowing {
        /// Types that also own are there twice.
        duplicate: bool,
    },
}

/// What a type is used for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// It is passed to guests.
    borrowed: bool,
    /// It is everything else.
    owned: bool,
}

/// One of the Rust types that a type of WIT becomes.
pub struct Form {
    /// Its name.
    pub name: Ident,
    /// `Owned`, or `Named` if it borrows for `'a`.
    pub mode: Mode,
    /// `<'a>` then.
    pub lifetime: Option<TokenStream>,
}

impl Generator<'_> {
    /// Finds out what each type is used for.
    pub fn note_usage(&mut self) {
        let world = &self.resolve.worlds[self.world];
        let imports = world.imports.values().map(|item| (item, false));
        let exports = world.exports.values().map(|item| (item, true));
        for (item, exported) in imports.chain(exports) {
            match item {
                WorldItem::Interface { id, .. } => self.note_interface(*id, exported),
                WorldItem::Function(func) => self.note_func(func, exported),
                WorldItem::Type { .. } => {}
            }
        }
    }

    fn note_interface(&mut self, id: InterfaceId, exported: bool) {
        for func in self.resolve.interfaces[id].functions.values() {
            self.note_func(func, exported);
        }
    }

    fn note_func(&mut self, func: &Function, exported: bool) {
        for param in &func.params {
            self.note_type(&param.ty, exported);
        }
        if let Some(result) = &func.result {
            self.note_type(result, false);
        }
    }

    fn note_type(&mut self, ty: &Type, borrowed: bool) {
        let Type::Id(id) = ty else {
            return;
        };
        let usage = self.usage.entry(*id).or_default();
        let noted = match borrowed {
            true => &mut usage.borrowed,
            false => &mut usage.owned,
        };
        if std::mem::replace(noted, true) {
            return;
        }
        for part in parts(&self.resolve.types[*id].kind) {
            self.note_type(&part, borrowed);
        }
    }

    /// Whether a type borrows where it is passed to guests, and whether it owns elsewhere.
    fn borrows(&self, id: TypeId) -> (bool, bool) {
        let usage = self.usage.get(&id).copied().unwrap_or_default();
        let Ownership::Borrowing { duplicate } = self.options.ownership else {
            return (false, true);
        };
        let replaced = match self.resolve.types[id].owner {
            wit_parser::TypeOwner::Interface(owner) => {
                let home = self.homes.get(&owner);
                home.is_some_and(|home| home.replaced.is_some())
            }
            _ => false,
        };
        let may = usage.borrowed && self.has_list(&Type::Id(id)) && !replaced;
        let borrows = may && (duplicate || !usage.owned);
        (borrows, usage.owned || !borrows)
    }

    /// The Rust types that a type with a name becomes.
    pub fn forms(&self, id: TypeId) -> Vec<Form> {
        let (borrows, owns) = self.borrows(id);
        let modes = [(borrows, Mode::Named), (owns, Mode::Owned)];
        let modes = modes.into_iter().filter(|(is, _)| *is);
        let form = |(_, mode)| {
            let (name, lifetime) = self.name(id, mode);
            Form {
                name,
                mode,
                lifetime,
            }
        };
        modes.map(form).collect()
    }

    /// What a type with a name is called, and the lifetime that it is given, if it borrows.
    pub fn name(&self, id: TypeId, mode: Mode) -> (Ident, Option<TokenStream>) {
        let name = names::camel(names::of_type(self.resolve, id));
        let (borrows, owns) = self.borrows(id);
        let lifetime = match mode {
            Mode::Named => quote!(<'a>),
            Mode::Borrowed => quote!(<'_>),
            Mode::Static => quote!(<'static>),
            Mode::Owned if borrows && owns => return (names::joined("", &name, "Result"), None),
            Mode::Owned => return (name, None),
        };
        match (borrows, owns) {
            (true, true) => (names::joined("", &name, "Param"), Some(lifetime)),
            (true, false) => (name, Some(lifetime)),
            (false, _) => (name, None),
        }
    }

    /// How the elements of what is passed by reference are passed.
    pub fn elements(&self, mode: Mode) -> Mode {
        match self.options.ownership {
            Ownership::Owning => Mode::Owned,
            Ownership::Borrowing { .. } => mode,
        }
    }
}
