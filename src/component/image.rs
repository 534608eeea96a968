//! Components to and from images.

mod check;
mod signatures;

use super::load::Component;
use super::template::{Assembled, Template};
use crate::error::Result;
#[cfg(feature = "compile")]
use crate::error::{Error, ErrorKind};
use crate::fallible::Shared;
use crate::image::cells::Cells;
use crate::image::header::Kind;
use crate::image::open::{self, Opened};
use crate::image::{ImageError, lie, rows};
use crate::tables::ComponentTables;
use crate::wasm::{Engine, Module, image};
use alloc::vec::Vec;

/// Sections of an image.
const TABLES: usize = 1;

impl Component {
    /// The component as an image: its tables, and the code of every function, to be run by
    /// [`Component::from_image`] where the bytes lie. See `docs/image-format.md`.
    ///
    /// An image counts fuel if the engine does, and needs the feature `fast` where it runs unless
    /// [`Config::fast_tier`](crate::Config::fast_tier) was switched off.
    ///
    /// # Errors
    /// What translating a function fails with. Components that import or export components are not
    /// supported.
    ///
    /// ```
    /// use cellule::component::{Component, Linker};
    /// use cellule::{Engine, Store};
    ///
    /// # fn main() -> cellule::Result<()> {
    /// let engine = Engine::default();
    /// let component = Component::new(&engine, wat::parse_str(
    ///     r#"(component
    ///         (core module $m (func (export "add") (param i32 i32) (result i32)
    ///             (i32.add (local.get 0) (local.get 1))))
    ///         (core instance $i (instantiate $m))
    ///         (func (export "add") (param "a" u32) (param "b" u32) (result u32)
    ///             (canon lift (core func $i "add"))))"#,
    /// ).expect("valid text"))?;
    /// let image = component.to_image()?;
    /// // On the device, `include_image!` puts the image into flash, where `from_image` leaves it.
    /// let component = Component::from_image_vec(&engine, image)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    /// let add = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, "add")?;
    /// assert_eq!(add.call(&mut store, (1, 2))?, (3,));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "compile")]
    pub fn to_image(&self) -> Result<Vec<u8>> {
        let tables = self.tables();
        if tables.open || !tables.templates.is_empty() {
            let why = "images of components that import or export components";
            return Err(Error::of(ErrorKind::Unsupported, why));
        }
        self.modules().iter().try_for_each(Module::translate_all)?;
        let modules = self.modules().iter().map(|module| &*module.data);
        let config = self.engine().config();
        crate::image::write::Writer::component(tables, modules, config.fast, config.fuel)
    }

    /// A component from an image, whose code, names and data segments stay where they are. The image may
    /// come from anyone: it is checked.
    ///
    /// # Errors
    /// An [`ImageError`].
    pub fn from_image(engine: &Engine, image: &'static [u8]) -> Result<Component> {
        Component::of_image(engine, open::in_place(image, Kind::Component, false)?)
    }

    /// As [`Component::from_image`], of bytes that don't stay: code and names are copied.
    ///
    /// # Errors
    /// An [`ImageError`].
    pub fn from_image_vec(engine: &Engine, image: Vec<u8>) -> Result<Component> {
        Component::of_image(engine, open::copied(&image, Kind::Component)?)
    }

    pub(crate) fn of_image(engine: &Engine, image: Opened<'_>) -> Result<Component> {
        image.check_fuel(engine.config().fuel)?;
        let modules = image::read_all(engine, &image)?;
        let tables = read(&image, &modules).map_err(|error| image.refuse(TABLES, error))?;
        let assembled = Assembled {
            tables: Shared::new(tables)?,
            modules,
            sources: Vec::new(),
        };
        Component::of(engine, Template::of_image()?, assembled, None)
    }
}

fn read(
    image: &Opened<'_>,
    modules: &[Module],
) -> core::result::Result<ComponentTables, ImageError> {
    let mut cells = Cells::new(image.tables);
    let strings = cells.next().and_then(|len| image.source.text(0, len));
    let tables = rows::tables(&mut cells, strings.ok_or(lie("names", 0))?)?;
    let modules: Vec<_> = modules.iter().map(|module| &*module.data).collect();
    check::tables(&tables, &modules)?;
    Ok(tables)
}
