//! The calls of `components` for cellule.

// Once for each engine on purpose.
#[allow(clippy::duplicate_mod)]
#[path = "calls.rs"]
pub mod calls;

use cellule as engine;
use cellule::component::{List, Val};

fn list(items: Vec<Val>) -> Val {
    Val::List(List::Vals(items))
}

fn byte_list(bytes: &[u8]) -> Val {
    Val::List(List::U8(bytes.to_vec()))
}
