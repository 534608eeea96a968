//! Resources: the host's, which numbers stand for, and handles to any.

use crate::boundary::{Place, given, guarded};
use crate::error::{Failure, FailureKind};
use crate::store::StoreHandle;
use crate::value::Value;
use cellule::component::{ResourceAny, ResourceDynamic, Val};
use std::mem::MaybeUninit;

fn resource(value: Option<&Value>) -> Result<ResourceAny, Box<Failure>> {
    match given(value, "value")?.0 {
        Val::Resource(resource) => Ok(resource),
        _ => {
            let why = "`value` is no resource";
            Err(Failure::new(FailureKind::Type, why.into()))
        }
    }
}

/// A resource of a type that was defined with `cellule_linker_resource`, for a guest to own: `rep` is the
/// number that stands for it. Pass it on, or drop it with `cellule_resource_drop`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_resource_new(
    store: Option<&StoreHandle>,
    r#type: u32,
    rep: u32,
    out: Option<&mut MaybeUninit<Option<Box<Value>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = Place::new(out)?;
        given(store, "store")?.enter(|store| {
            let made = ResourceDynamic::new_own(rep, r#type);
            out.put(Value(Val::Resource(made.try_into_resource_any(store)?)));
            Ok(())
        })
    })
}

/// What a handle to a resource of the host's names: its type and the number that stands for it; either may be
/// `NULL`. If the handle owned the resource, that is yours now, without its destructor having run, and the
/// value is of no more use; if it was borrowed, the guest keeps it.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_resource_take(
    store: Option<&StoreHandle>,
    value: Option<&Value>,
    r#type: Option<&mut MaybeUninit<u32>>,
    rep: Option<&mut MaybeUninit<u32>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let resource = resource(value)?;
        given(store, "store")?.enter(|store| {
            let taken = resource.try_into_resource_dynamic(store)?;
            if let Some(place) = r#type {
                place.write(taken.ty());
            }
            if let Some(place) = rep {
                place.write(taken.rep());
            }
            Ok(())
        })
    })
}

/// Drops a resource, a guest's or the host's: its destructor runs if the handle owns it. The value itself is
/// still yours to delete, and of no more use.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_resource_drop(
    store: Option<&StoreHandle>,
    value: Option<&Value>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let resource = resource(value)?;
        given(store, "store")?.enter(|store| Ok(resource.resource_drop(store)?))
    })
}

/// Whether a value is a handle that owns its resource.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_resource_is_owned(value: Option<&Value>) -> bool {
    matches!(value, Some(Value(Val::Resource(resource))) if resource.owned())
}
