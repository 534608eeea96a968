//! Allocation that may fail: boxes, shared values, vectors and texts for which the host may have no memory.
//!
//! `alloc` ends the program where an allocator has nothing left. What a guest or an embedder makes the runtime allocate is
//! asked for here, and is an [`OutOfMemory`] instead. `alloc` has this for vectors; boxes and shared values it has not,
//! so the former are allocated here, and the latter are a type of this module. Vectors of zeros are in `zeroed`.
#![allow(unsafe_code)]

mod zeroed;

use crate::error::OutOfMemory;
use alloc::alloc::{Layout, alloc};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::{self, Write};
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{self, AtomicUsize, fence};
pub(crate) use zeroed::Zeroed;

/// Room for a value on the heap; [`Box::write`] fills it.
pub(crate) fn room<T>() -> Result<Box<MaybeUninit<T>>, OutOfMemory> {
    let layout = Layout::new::<T>();
    if layout.size() == 0 {
        return Ok(Box::new_uninit());
    }
    // SAFETY: the layout's size isn't zero.
    let place = unsafe { alloc(layout) }.cast::<MaybeUninit<T>>();
    if place.is_null() {
        return Err(OutOfMemory);
    }
    // SAFETY: the global allocator gave it with the layout of `T`, which is that of `MaybeUninit<T>`, and nothing else
    // has it. A value that may be uninitialised is whatever is there.
    Ok(unsafe { Box::from_raw(place) })
}

/// A value on the heap.
pub(crate) fn boxed<T>(value: T) -> Result<Box<T>, OutOfMemory> {
    Ok(Box::write(room()?, value))
}

/// A box, or nothing, in a word that is never zero: so an `Option` of it is one word too.
pub(crate) struct BoxOrNothing<T> {
    place: NonNull<T>,
    owns: PhantomData<Box<T>>,
}

/// What stands for nothing is its address, at which no box is.
static NOTHING: u8 = 0;

// SAFETY: it owns what a box owns, and gives access to it as a box does.
unsafe impl<T: Send> Send for BoxOrNothing<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for BoxOrNothing<T> {}

impl<T> BoxOrNothing<T> {
    pub fn new(value: Option<Box<T>>) -> BoxOrNothing<T> {
        let place = match value {
            // SAFETY: a box's pointer isn't null.
            Some(value) => unsafe { NonNull::new_unchecked(Box::into_raw(value)) },
            None => NonNull::from(&NOTHING).cast(),
        };
        BoxOrNothing {
            place,
            owns: PhantomData,
        }
    }

    fn is_nothing(&self) -> bool {
        self.place == NonNull::from(&NOTHING).cast()
    }

    pub fn as_ref(&self) -> Option<&T> {
        match self.is_nothing() {
            true => None,
            // SAFETY: it comes from a box, which this has instead, and `self` is borrowed as long as the value.
            false => Some(unsafe { self.place.as_ref() }),
        }
    }

    pub fn as_mut(&mut self) -> Option<&mut T> {
        match self.is_nothing() {
            true => None,
            // SAFETY: as above, and `self` is borrowed mutably.
            false => Some(unsafe { self.place.as_mut() }),
        }
    }

    pub fn into_box(self) -> Option<Box<T>> {
        let this = ManuallyDrop::new(self);
        match this.is_nothing() {
            true => None,
            // SAFETY: it comes from a box, and isn't dropped after this.
            false => Some(unsafe { Box::from_raw(this.place.as_ptr()) }),
        }
    }
}

impl<T> Drop for BoxOrNothing<T> {
    fn drop(&mut self) {
        if !self.is_nothing() {
            // SAFETY: it comes from a box, and this is the end of it.
            drop(unsafe { Box::from_raw(self.place.as_ptr()) });
        }
    }
}

/// A value that several own; [`alloc::sync::Arc`], but for weak references and with a constructor that can fail.
pub(crate) struct Shared<T> {
    node: NonNull<Node<T>>,
    owns: PhantomData<Node<T>>,
}

struct Node<T> {
    owners: AtomicUsize,
    value: T,
}

// SAFETY: an owner in another thread can reach the value there and, being the last one, drop it there, which is what the
// bounds allow. The count is atomic.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above: who has a reference can clone it.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn new(value: T) -> Result<Shared<T>, OutOfMemory> {
        let owners = AtomicUsize::new(1);
        let node = Box::into_raw(boxed(Node { owners, value })?);
        // SAFETY: a box's pointer isn't null.
        let node = unsafe { NonNull::new_unchecked(node) };
        Ok(Shared {
            node,
            owns: PhantomData,
        })
    }

    fn node(&self) -> &Node<T> {
        // SAFETY: the node lives as long as it has owners, of which this is one, and nothing refers to it mutably.
        unsafe { self.node.as_ref() }
    }

    /// Whether both are the same value.
    pub fn ptr_eq(a: &Shared<T>, b: &Shared<T>) -> bool {
        a.node == b.node
    }

    /// A number that no other shared value has as long as this one lives.
    pub fn address(this: &Shared<T>) -> usize {
        this.node.as_ptr() as usize
    }

    /// How many own it.
    pub fn owners(this: &Shared<T>) -> usize {
        this.node().owners.load(atomic::Ordering::Relaxed)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        // Whoever clones has a reference already, so nothing has to be seen by it that it doesn't see.
        let before = self.node().owners.fetch_add(1, atomic::Ordering::Relaxed);
        // That many can't be held in memory, but forgotten: they must not make the count begin again.
        assert!(before < isize::MAX as usize, "too many owners");
        Shared {
            node: self.node,
            owns: PhantomData,
        }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // What other owners did with the value has to be done before it is dropped: they release it, the last acquires.
        if self.node().owners.fetch_sub(1, atomic::Ordering::Release) != 1 {
            return;
        }
        fence(atomic::Ordering::Acquire);
        // SAFETY: it came from a box in `new`, and its last owner is gone.
        drop(unsafe { Box::from_raw(self.node.as_ptr()) });
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.node().value
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Shared<T>) -> bool {
        Shared::ptr_eq(self, other) || **self == **other
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: PartialOrd> PartialOrd for Shared<T> {
    fn partial_cmp(&self, other: &Shared<T>) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: Ord> Ord for Shared<T> {
    fn cmp(&self, other: &Shared<T>) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Vectors that grow where there is room.
pub(crate) trait Grow<T>: Sized {
    /// An empty one with room for so many.
    fn with_room(count: usize) -> Result<Self, OutOfMemory>;
    fn try_push(&mut self, value: T) -> Result<(), OutOfMemory>;
    fn try_extend(&mut self, values: impl IntoIterator<Item = T>) -> Result<(), OutOfMemory>;
}

impl<T> Grow<T> for Vec<T> {
    fn with_room(count: usize) -> Result<Vec<T>, OutOfMemory> {
        let mut made = Vec::new();
        made.try_reserve_exact(count)?;
        Ok(made)
    }

    #[inline]
    fn try_push(&mut self, value: T) -> Result<(), OutOfMemory> {
        self.try_reserve(1)?;
        self.push(value);
        Ok(())
    }

    fn try_extend(&mut self, values: impl IntoIterator<Item = T>) -> Result<(), OutOfMemory> {
        let values = values.into_iter();
        let (least, most) = values.size_hint();
        self.try_reserve(least)?;
        if most == Some(least) {
            // There is room for all of them, so this takes none.
            self.extend(values);
            return Ok(());
        }
        for value in values {
            self.try_push(value)?;
        }
        Ok(())
    }
}

/// What an iterator gives, as a vector.
pub(crate) fn collect<T>(values: impl IntoIterator<Item = T>) -> Result<Vec<T>, OutOfMemory> {
    let values = values.into_iter();
    let mut made = Vec::with_room(values.size_hint().0)?;
    made.try_extend(values)?;
    Ok(made)
}

/// A copy of a slice.
pub(crate) fn copied<T: Copy>(items: &[T]) -> Result<Vec<T>, OutOfMemory> {
    let mut made = Vec::with_room(items.len())?;
    made.extend_from_slice(items);
    Ok(made)
}

/// The same of an iterator that may fail.
pub(crate) fn try_collect<T, E: From<OutOfMemory>>(
    values: impl IntoIterator<Item = Result<T, E>>,
) -> Result<Vec<T>, E> {
    let values = values.into_iter();
    let mut made = Vec::with_room(values.size_hint().0)?;
    for value in values {
        made.try_push(value?)?;
    }
    Ok(made)
}

/// So many copies of a value.
pub(crate) fn filled<T: Clone>(value: T, count: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut made = Vec::with_room(count)?;
    made.resize(count, value);
    Ok(made)
}

/// A copy of a text.
pub(crate) fn text(text: &str) -> Result<String, OutOfMemory> {
    let mut made = String::new();
    made.try_reserve_exact(text.len())?;
    made.push_str(text);
    Ok(made)
}

/// A text without room to grow.
pub(crate) fn boxed_str(text: String) -> Result<Box<str>, OutOfMemory> {
    let exact = text.len() == text.capacity();
    let text = if exact { text } else { self::text(&text)? };
    Ok(text.into_boxed_str())
}

/// A vector without room to grow.
pub(crate) fn boxed_slice<T>(mut items: Vec<T>) -> Result<Box<[T]>, OutOfMemory> {
    if items.len() != items.capacity() {
        let mut exact = Vec::with_room(items.len())?;
        exact.append(&mut items);
        items = exact;
    }
    Ok(items.into_boxed_slice())
}

/// A text from its parts.
pub(crate) fn format(parts: fmt::Arguments<'_>) -> Result<String, OutOfMemory> {
    if let Some(whole) = parts.as_str() {
        return text(whole);
    }
    let mut made = Text(String::new());
    made.write_fmt(parts).map_err(|_| OutOfMemory)?;
    Ok(made.0)
}

/// A text that is being written. Its error is that there is no room: what is written to it is the runtime's own, or a
/// message whose `Display` has nothing else to fail for.
struct Text(String);

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.0.try_reserve(more.len()).map_err(|_| fmt::Error)?;
        self.0.push_str(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use core::cell::Cell;

    /// Counts how often one of its kind is dropped.
    struct Counted<'a>(&'a Cell<u32>);

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn a_shared_value_is_dropped_once_with_its_last_owner() {
        let dropped = Cell::new(0);
        let first = Shared::new(Counted(&dropped)).unwrap();
        let second = first.clone();
        assert!(Shared::ptr_eq(&first, &second));
        assert_eq!(Shared::owners(&first), 2);
        drop(first);
        assert_eq!(dropped.get(), 0);
        drop(second);
        assert_eq!(dropped.get(), 1);
    }

    #[test]
    fn a_box_or_nothing_is_a_word_and_drops_what_it_has_once() {
        type Slim<'a> = BoxOrNothing<Counted<'a>>;
        assert_eq!(size_of::<Option<Slim<'_>>>(), size_of::<usize>());
        let dropped = Cell::new(0);
        let boxed = || BoxOrNothing::new(Some(Box::new(Counted(&dropped))));
        drop(boxed());
        assert_eq!(dropped.get(), 1);
        let mut taken = boxed();
        assert!(taken.as_ref().is_some() && taken.as_mut().is_some());
        drop(taken.into_box());
        assert_eq!(dropped.get(), 2);
        let mut nothing = Slim::new(None);
        assert!(nothing.as_ref().is_none() && nothing.as_mut().is_none());
        assert!(nothing.into_box().is_none());
    }

    #[test]
    fn owners_in_several_threads_see_the_value_and_drop_it_once() {
        let shared = Shared::new(alloc::vec![7u8; 100]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let own = shared.clone();
                scope.spawn(move || {
                    for _ in 0..1_000 {
                        assert_eq!(own.clone()[99], 7);
                    }
                });
            }
        });
        assert_eq!(Shared::owners(&shared), 1);
    }

    #[test]
    fn boxes_hold_values_with_and_without_a_size() {
        assert_eq!(*boxed([1u64, 2]).unwrap(), [1, 2]);
        assert_eq!(*boxed(()).unwrap(), ());
    }

    #[test]
    fn more_than_there_is_is_an_error() {
        assert!(Vec::<u64>::with_room(usize::MAX / 8).is_err());
        assert!(room::<[u8; 1 << 46]>().is_err());
    }

    #[test]
    fn texts_and_vectors_are_what_their_parts_say() {
        assert_eq!(format(format_args!("{}-{:?}", 1, "a")).unwrap(), "1-\"a\"");
        assert_eq!(format(format_args!("whole")).unwrap(), "whole");
        assert_eq!(
            collect((0..9).filter(|n| n % 2 == 0)).unwrap(),
            [0, 2, 4, 6, 8]
        );
        let halves = |n: u32| {
            if n < 3 {
                Ok(n)
            } else {
                Err(crate::Error::msg("three"))
            }
        };
        assert_eq!(try_collect((0..3).map(halves)).unwrap(), [0, 1, 2]);
        assert_eq!(
            try_collect((0..9).map(halves)).unwrap_err().to_string(),
            "three"
        );
    }
}
