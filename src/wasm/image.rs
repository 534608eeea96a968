//! Core modules to and from images.

use super::engine::Engine;
use super::module::Module;
use crate::code::module::ModuleData;
use crate::error::Result;
use crate::fallible::Shared;
use crate::image::cells::Cells;
use crate::image::header::Kind;
use crate::image::open::{self, Opened};
use crate::image::{ImageError, lie};
use alloc::vec::Vec;

/// Sections of an image.
const MODULES: usize = 2;

impl Module {
    /// The module as an image: every function translated, to be run by [`Module::from_image`] where the bytes
    /// lie. See `docs/image-format.md`.
    ///
    /// # Errors
    /// What translating a function fails with.
    ///
    /// ```
    /// use cellule::{Engine, Instance, Module, Store};
    ///
    /// # fn main() -> cellule::Result<()> {
    /// let engine = Engine::default();
    /// let text = r#"(module (func (export "two") (result i32) (i32.const 2)))"#;
    /// let image = Module::new(&engine, wat::parse_str(text).expect("valid text"))?.to_image()?;
    /// let module = Module::from_image_vec(&engine, image)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let two = instance.get_typed_func::<(), i32>(&store, "two")?;
    /// assert_eq!(two.call(&mut store, ())?, 2);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "compile")]
    pub fn to_image(&self) -> Result<Vec<u8>> {
        self.translate_all()?;
        let config = self.engine.config();
        crate::image::write::Writer::module(&self.data, config.fast, config.fuel)
    }

    /// Translates every function that hasn't been.
    #[cfg(feature = "compile")]
    pub(crate) fn translate_all(&self) -> Result<()> {
        let mut funcs = 0..self.data.funcs.len() as u32;
        funcs.try_for_each(|func| super::module::translate_one(&self.engine, &self.data, func))
    }

    /// A module from an image, whose code, names and data segments stay where they are. The image may come
    /// from anyone: it is checked.
    ///
    /// # Errors
    /// An [`ImageError`].
    pub fn from_image(engine: &Engine, image: &'static [u8]) -> Result<Module> {
        Module::of_image(engine, open::in_place(image, Kind::Module, false)?)
    }

    /// As [`Module::from_image`], of bytes that don't stay: code and names are copied.
    ///
    /// # Errors
    /// An [`ImageError`].
    pub fn from_image_vec(engine: &Engine, image: Vec<u8>) -> Result<Module> {
        Module::of_image(engine, open::copied(&image, Kind::Module)?)
    }

    pub(crate) fn of_image(engine: &Engine, image: Opened<'_>) -> Result<Module> {
        image.check_fuel(engine.config().fuel)?;
        let mut modules = read_all(engine, &image)?;
        match (modules.pop(), modules.is_empty()) {
            (Some(module), true) => Ok(module),
            _ => Err(image.refuse(MODULES, ImageError::Section("modules"))),
        }
    }
}

/// All modules of an image, checked.
pub(crate) fn read_all(engine: &Engine, image: &Opened<'_>) -> Result<Vec<Module>> {
    let mut cells = Cells::new(image.modules);
    let mut modules = Vec::new();
    let number = |ty: &_| engine.type_id(ty).expect("memory for a type");
    let mut read = |at: u32| -> core::result::Result<ModuleData, ImageError> {
        let data = crate::image::module::read(&mut cells, &image.source, &number)?;
        image.check_code(&data, at)?;
        Ok(data)
    };
    for at in 0..image.header.modules {
        let data = read(at).map_err(|error| image.refuse(MODULES, error))?;
        modules.push(Module {
            engine: engine.clone(),
            data: Shared::new(data)?,
        });
    }
    match cells.is_done() {
        true => Ok(modules),
        false => Err(image.refuse(MODULES, lie("module", modules.len()))),
    }
}
