//! Cases on cellule.

// Once for each engine on purpose.
#[allow(clippy::duplicate_mod)]
#[path = "drive.rs"]
pub mod drive;

use super::flags::flag_types;
use cellule as engine;
use cellule::component::{List, Val};

flag_types!(cellule);

/// The engine, with everything that cases use.
pub fn engine() -> cellule::Result<cellule::Engine> {
    let mut config = cellule::Config::new();
    config.wasm_component_model_map(true);
    config.wasm_component_model_fixed_length_lists(true);
    cellule::Engine::new(&config)
}

fn list(items: Vec<Val>) -> Val {
    Val::List(List::Vals(items))
}

fn fixed(items: Vec<Val>) -> Val {
    Val::FixedLengthList(List::Vals(items))
}

fn items(list: &List) -> Vec<Val> {
    list.iter().collect()
}
