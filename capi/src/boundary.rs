//! What every function of the boundary does: catch panics, read what C lends, write what it asks for.
//!
//! Assumes what the header asks of its user: a pointer that isn't null is valid, and a length is the length
//! of what the pointer points to.

use crate::error::{Failure, FailureKind};
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What goes wrong inside a function of the boundary.
pub type Result<T, E = Box<Failure>> = std::result::Result<T, E>;

/// Runs the work of a function that can fail: its error, or null if it didn't.
pub fn guarded(work: impl FnOnce() -> Result<()>) -> Option<Box<Failure>> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(panic) => Some(Failure::panicked(&*panic)),
    }
}

/// Runs the work of a function that answers something even if it can't answer right.
pub fn quiet<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

/// What a pointer points to, or an error that names the parameter.
pub fn given<T>(pointer: Option<T>, name: &str) -> Result<T> {
    pointer.ok_or_else(|| null(name))
}

/// The error of a parameter that is null.
pub fn null(name: &str) -> Box<Failure> {
    Failure::new(FailureKind::Null, format!("`{name}` is NULL"))
}

/// Where a function puts what it makes; null until it has made it.
pub struct Place<'a, T>(&'a mut MaybeUninit<Option<Box<T>>>);

impl<'a, T> Place<'a, T> {
    /// The place that C names.
    pub fn new(out: Option<&'a mut MaybeUninit<Option<Box<T>>>>) -> Result<Place<'a, T>> {
        let out = given(out, "out")?;
        out.write(None);
        Ok(Place(out))
    }

    /// Puts something there, which is C's from now on.
    pub fn put(self, value: T) {
        self.0.write(Some(Box::new(value)));
    }
}

/// Bytes that C lends; none if there is a length and no pointer.
///
/// # Safety
/// `data` is null or points to `len` bytes that nobody writes to during `'a`.
pub unsafe fn bytes<'a>(data: *const u8, len: usize) -> Option<&'a [u8]> {
    if len == 0 {
        return Some(&[]);
    }
    if data.is_null() || isize::try_from(len).is_err() {
        return None;
    }
    // SAFETY: not null, and the caller says that so many bytes are there and stay.
    Some(unsafe { std::slice::from_raw_parts(data, len) })
}

/// Elements that C lends, as [`bytes`]; none as well if they aren't aligned.
///
/// # Safety
/// `data` is null or points to `len` elements, which nobody writes to during `'a`.
pub unsafe fn elements<'a, T: Copy>(data: *const T, len: usize) -> Option<&'a [T]> {
    if len == 0 {
        return Some(&[]);
    }
    let size = len.checked_mul(size_of::<T>())?;
    if data.is_null() || !data.is_aligned() || isize::try_from(size).is_err() {
        return None;
    }
    // SAFETY: not null, aligned, no larger than an object can be, and the caller says that so many are there.
    Some(unsafe { std::slice::from_raw_parts(data, len) })
}

/// Text of a length that C lends; none if it isn't UTF-8.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn text<'a>(data: *const c_char, len: usize) -> Option<&'a str> {
    // SAFETY: the caller promises the same.
    let bytes = unsafe { bytes(data.cast(), len) }?;
    std::str::from_utf8(bytes).ok()
}

/// Text that C lends and that ends with a NUL; none if it is null or not UTF-8.
///
/// # Safety
/// `data` is null or points to bytes of which one is 0, which nobody writes to during `'a`.
pub unsafe fn name<'a>(data: *const c_char) -> Option<&'a str> {
    if data.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller says that it ends.
    unsafe { CStr::from_ptr(data) }.to_str().ok()
}

/// As [`name`], with an error that says which parameter it is about.
///
/// # Safety
/// As for [`name`].
pub unsafe fn named<'a>(data: *const c_char, parameter: &str) -> Result<&'a str> {
    given((!data.is_null()).then_some(()), parameter)?;
    // SAFETY: the caller promises the same.
    let text = unsafe { name(data) };
    text.ok_or_else(|| {
        let why = format!("`{parameter}` isn't UTF-8");
        Failure::new(FailureKind::Type, why)
    })
}
