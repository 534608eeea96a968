//! Components, from a `.wasm` or an image.

use crate::boundary::{Place, bytes, given, guarded, null, quiet};
use crate::engine::{EngineHandle, engine};
use crate::error::Failure;
use cellule::component::Component;
use std::mem::MaybeUninit;

/// A component that is ready to be instantiated, any number of times. Opaque; yours to delete, also before
/// its instances.
pub struct ComponentHandle(pub(crate) Component);

/// A component from the bytes of a `.wasm`, which may go afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_component_new(
    engine: Option<&EngineHandle>,
    wasm: *const u8,
    len: usize,
    out: Option<&mut MaybeUninit<Option<Box<ComponentHandle>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = Place::new(out)?;
        let engine = self::engine(engine)?;
        // SAFETY: the caller says that `len` bytes are there.
        let wasm = unsafe { bytes(wasm, len) }.ok_or_else(|| null("wasm"))?;
        out.put(ComponentHandle(load(engine, wasm)?));
        Ok(())
    })
}

#[cfg(feature = "compile")]
fn load(engine: &cellule::Engine, wasm: &[u8]) -> Result<Component, Box<Failure>> {
    Ok(Component::new(engine, wasm)?)
}

#[cfg(not(feature = "compile"))]
fn load(_engine: &cellule::Engine, _wasm: &[u8]) -> Result<Component, Box<Failure>> {
    let why = "this library was built without the feature `compile`, so that it loads no `.wasm`";
    let kind = crate::error::FailureKind::Unsupported;
    Err(Failure::new(kind, why.into()))
}

/// A component from an image, as `cellule compile` makes it, in builds without the feature `compile` as well. What is
/// needed of it is copied, so that the bytes may go afterwards. Images may come from anyone: they are checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_component_from_image(
    engine: Option<&EngineHandle>,
    image: *const u8,
    len: usize,
    out: Option<&mut MaybeUninit<Option<Box<ComponentHandle>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = Place::new(out)?;
        let engine = self::engine(engine)?;
        // SAFETY: the caller says that `len` bytes are there.
        let image = unsafe { bytes(image, len) }.ok_or_else(|| null("image"))?;
        out.put(ComponentHandle(Component::from_image_vec(
            engine,
            image.to_vec(),
        )?));
        Ok(())
    })
}

/// As `cellule_component_from_image`, without copying: code and names stay where they are. The bytes begin at a
/// multiple of 8, and **stay, unchanged, as long as the program runs**: a constant of the program's, or a
/// file that is mapped and never unmapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_component_from_static_image(
    engine: Option<&EngineHandle>,
    image: *const u8,
    len: usize,
    out: Option<&mut MaybeUninit<Option<Box<ComponentHandle>>>>,
) -> Option<Box<Failure>> {
    guarded(|| {
        let out = Place::new(out)?;
        let engine = self::engine(engine)?;
        // SAFETY: the caller says that `len` bytes are there, and stay.
        let image: &'static [u8] = unsafe { bytes(image, len) }.ok_or_else(|| null("image"))?;
        out.put(ComponentHandle(Component::from_image(engine, image)?));
        Ok(())
    })
}

/// Deletes a component. `NULL` is fine.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_component_delete(component: Option<Box<ComponentHandle>>) {
    quiet((), || drop(component));
}

/// The component that a parameter names.
pub(crate) fn component(handle: Option<&ComponentHandle>) -> Result<&Component, Box<Failure>> {
    Ok(&given(handle, "component")?.0)
}
