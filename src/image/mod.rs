//! Images: a component or core module with its code, to be run where the bytes lie.
//!
//! `docs/image-format.md` describes the format. [`header`] has what comes first, [`cells`] how a row is
//! written as 32-bit words, [`rows`] a component's tables,
//! [`module`] a core module, [`view`] the one cast of bytes to code. What makes a component's tables safe to use is
//! checked in `component::image`.
//!
//! # Contract
//!
//! From any bytes: something that runs as safely as what was compiled here, or an [`ImageError`].

pub(crate) mod cells;
mod error;
pub(crate) mod header;
pub(crate) mod module;
pub(crate) mod open;
pub(crate) mod rows;
mod view;

pub use error::ImageError;
pub(crate) use error::lie;
#[cfg(feature = "compile")]
pub(crate) mod write;

/// The bytes of an image in a file, aligned as an image has to be.
///
/// The path is relative to the source file, as for [`include_bytes!`].
///
/// ```ignore
/// static APP: &[u8] = cellule::include_image!("app.cell");
/// let component = Component::from_image(&engine, APP)?;
/// ```
#[macro_export]
macro_rules! include_image {
    ($path:expr $(,)?) => {{
        #[repr(C, align(16))]
        struct Aligned<B: ?Sized> {
            bytes: B,
        }
        const ALIGNED: &Aligned<[u8]> = &Aligned {
            bytes: *include_bytes!($path),
        };
        &ALIGNED.bytes
    }};
}
