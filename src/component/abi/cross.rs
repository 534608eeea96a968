//! Values from one guest into another: neither host values nor host copies of them are made.
//!
//! Run time. A crossing walks a type with an explicit stack of [`Cursor`]s, in the thread, and stops
//! where it needs room in the destination: the caller has the guest's `realloc` run and goes on with
//! its result. So it can be suspended in the middle, and deep types and long lists cost no native
//! stack. Both sides see the same type; where pointers have 64 bits on one side only, the destination's is
//! the twin of the source's (see `tables::wide`), which takes as many core values.
//!
//! Lifting and lowering interleave: what the destination's `realloc` could observe of that is
//! excluded, because it can't leave its instance and, where both sides share a memory, the source is
//! a snapshot (see `run.rs`).

use super::strings::{self, Form, Source, Step, Transcode};
use super::{MAX_LIST_BYTES, aligned, bytes_cost, elements_cost, pointer, range};
use crate::error::{OutOfMemory, Result, Trap};
use crate::store::components::{BoundOptions, Cursor, CursorKind, GuestResource, Request};
use crate::store::error_contexts::ErrorContexts;
use crate::store::handles::{HandleError, HandleTable, ResourceTag, Scopes};
use crate::store::scalar::Scalar;
use crate::tables::{Class, ComponentTables, Encoding, TypeId, TypeKind, TypeRow};
use alloc::vec::Vec;

/// Everything that a crossing touches, borrowed from the store for one stretch of work.
pub(crate) struct Crossing<'a> {
    pub tables: &'a ComponentTables,
    pub resources: &'a [ResourceTag],
    pub guest_resources: &'a [GuestResource],
    pub from: &'a BoundOptions,
    pub to: &'a BoundOptions,
    /// Pointers have different widths: types of the destination are twins.
    mixed: bool,
    pub src: &'a [u8],
    pub dst: &'a mut [u8],
    /// The thread's stack, and where flat values are read from and written to on it.
    pub slots: &'a mut [u64],
    pub src_slots: usize,
    pub dst_slots: usize,
    pub cursors: &'a mut Vec<Cursor>,
    /// Where this crossing's cursors begin.
    pub floor: usize,
    pub handles: &'a mut [HandleTable],
    pub scopes: &'a mut Scopes,
    error_contexts: &'a mut ErrorContexts,
    string_bytes: u32,
    /// Fuel that was used.
    pub cost: i64,
    ask: Option<Request>,
}

/// The borrows that a crossing is made of.
pub(crate) struct Parts<'a> {
    pub tables: &'a ComponentTables,
    pub resources: &'a [ResourceTag],
    pub guest_resources: &'a [GuestResource],
    pub handles: &'a mut [HandleTable],
    pub scopes: &'a mut Scopes,
    pub error_contexts: &'a mut ErrorContexts,
    /// The longest string.
    pub string_bytes: u32,
}

impl<'a> Crossing<'a> {
    /// A stretch of a crossing between two sides.
    #[inline]
    pub fn new(
        parts: Parts<'a>,
        (from, to): (&'a BoundOptions, &'a BoundOptions),
        (src, dst): (&'a [u8], &'a mut [u8]),
        slots: &'a mut [u64],
        (src_slots, dst_slots): (usize, usize),
        (cursors, floor): (&'a mut Vec<Cursor>, usize),
    ) -> Crossing<'a> {
        Crossing {
            tables: parts.tables,
            resources: parts.resources,
            guest_resources: parts.guest_resources,
            from,
            to,
            mixed: from.wide != to.wide,
            src,
            dst,
            slots,
            src_slots,
            dst_slots,
            cursors,
            floor,
            handles: parts.handles,
            scopes: parts.scopes,
            error_contexts: parts.error_contexts,
            string_bytes: parts.string_bytes,
            cost: 0,
            ask: None,
        }
    }

    /// Begins with a value of the source's type: in flat slots, or at two addresses whose ranges were
    /// checked. Goes on until the crossing is done or needs room.
    pub fn begin(
        &mut self,
        mut ty: TypeId,
        flat: bool,
        src: usize,
        dst: usize,
    ) -> Result<Option<Request>> {
        self.cost += 1;
        // One parameter is as good as a record of it, and needs no cursor.
        let row = self.tables.ty(ty);
        if matches!(row.kind, TypeKind::Record | TypeKind::Tuple) && row.b == 1 {
            ty = self.tables.fields[row.a as usize].ty;
        }
        self.value(ty, flat, src, dst)?;
        match self.ask.take() {
            None => self.run(None),
            request => Ok(request),
        }
    }

    /// Goes on with the room that it needed, as [`begin`](Self::begin) does.
    pub fn resume(&mut self, room: u64) -> Result<Option<Request>> {
        self.run(Some(room))
    }

    fn run(&mut self, mut given: Option<u64>) -> Result<Option<Request>> {
        loop {
            if let Some(request) = self.ask.take() {
                return Ok(Some(request));
            }
            if self.cursors.len() <= self.floor {
                return Ok(None);
            }
            let top = self.cursors.len() - 1;
            let cursor = self.cursors[top];
            match cursor.kind {
                CursorKind::Payload => {
                    self.cursors.pop();
                    self.value(cursor.ty, cursor.flat, cursor.src, cursor.dst)?;
                }
                CursorKind::Pad => {
                    self.cursors.pop();
                    let (start, end) = (cursor.at as usize, cursor.count as usize);
                    self.slots[self.dst_slots + start..self.dst_slots + end].fill(0);
                }
                CursorKind::Fields => self.field(top, cursor)?,
                CursorKind::Elements => self.element(top, cursor)?,
                CursorKind::Repeat => self.repeat(top, cursor)?,
                CursorKind::ListRoom => {
                    let Some(ptr) = given.take() else {
                        return Err(Trap::UnreachableCodeReached.into());
                    };
                    self.list_room(top, cursor, ptr)?;
                }
                CursorKind::StringRoom => {
                    let Some(ptr) = given.take() else {
                        return Err(Trap::UnreachableCodeReached.into());
                    };
                    self.string_room(top, cursor, ptr)?;
                }
            }
        }
    }

    fn push(&mut self, cursor: Cursor) -> Result<()> {
        self.cursors.try_reserve(1).map_err(OutOfMemory::from)?;
        self.cursors.push(cursor);
        Ok(())
    }

    /// The next field of a record.
    fn field(&mut self, top: usize, cursor: Cursor) -> Result<()> {
        if cursor.at == cursor.count {
            self.cursors.pop();
            return Ok(());
        }
        let row = self.tables.ty(cursor.ty);
        let field = self.tables.fields[(row.a + cursor.at) as usize];
        let next = &mut self.cursors[top];
        next.at += 1;
        if cursor.flat {
            let count = usize::from(self.tables.ty(field.ty).flat_count);
            next.src += count;
            next.dst += count;
            self.value(field.ty, true, cursor.src, cursor.dst)
        } else {
            let offset = match self.mixed {
                true => self.twin_offset(cursor),
                false => field.offset,
            };
            let (src, dst) = (field.offset as usize, offset as usize);
            self.value(field.ty, false, cursor.src + src, cursor.dst + dst)
        }
    }

    /// The destination's row of a type of the source's.
    fn twin(&self, ty: TypeId, row: TypeRow) -> TypeRow {
        match self.mixed {
            true => self.other(ty),
            false => row,
        }
    }

    #[cold]
    fn other(&self, ty: TypeId) -> TypeRow {
        self.tables.ty(self.tables.twin(ty))
    }

    /// The offset of a record's next field in the destination.
    #[cold]
    fn twin_offset(&self, cursor: Cursor) -> u32 {
        let row = self.other(cursor.ty);
        self.tables.fields[(row.a + cursor.at) as usize].offset
    }

    /// The next element of a fixed-length list.
    fn repeat(&mut self, top: usize, cursor: Cursor) -> Result<()> {
        if cursor.at == cursor.count {
            self.cursors.pop();
            return Ok(());
        }
        let row = self.tables.ty(cursor.ty);
        let (src, dst) = match cursor.flat {
            true => (row.flat_count.into(), row.flat_count.into()),
            false => (row.size, self.twin(cursor.ty, row).size),
        };
        let next = &mut self.cursors[top];
        next.at += 1;
        next.src += src as usize;
        next.dst += dst as usize;
        self.value(cursor.ty, cursor.flat, cursor.src, cursor.dst)
    }

    /// The next element of a list.
    fn element(&mut self, top: usize, cursor: Cursor) -> Result<()> {
        if cursor.at == cursor.count {
            self.cursors.pop();
            let start = cursor.dst - cursor.room as usize;
            self.set_pair(cursor.flat, cursor.out, start, cursor.count.into());
            return Ok(());
        }
        let row = self.tables.ty(cursor.ty);
        let size = self.twin(cursor.ty, row).size;
        let next = &mut self.cursors[top];
        next.at += 1;
        next.src += row.size as usize;
        next.dst += size as usize;
        next.room += size;
        self.value(cursor.ty, false, cursor.src, cursor.dst)
    }

    /// Moves a value, or begins to.
    fn value(&mut self, ty: TypeId, flat: bool, src: usize, dst: usize) -> Result<()> {
        let row = self.tables.ty(ty);
        if !flat && is_bytes(row) {
            self.copy(src, dst, row.size as usize);
            return Ok(());
        }
        match row.kind {
            TypeKind::Record | TypeKind::Tuple => {
                self.push(fields_from(0, (ty, row), flat, (src, dst)))
            }
            TypeKind::Variant | TypeKind::Enum | TypeKind::Option | TypeKind::Result => {
                self.variant((ty, row), flat, src, dst)
            }
            TypeKind::String => self.string(flat, src, dst),
            TypeKind::List | TypeKind::Map => self.list(row, flat, src, dst),
            TypeKind::FixedList => self.fixed_list(row, flat, src, dst),
            TypeKind::Own | TypeKind::Borrow => self.handle(row, flat, src, dst),
            TypeKind::ErrorContext => self.error_context(flat, src, dst),
            TypeKind::Flags => {
                let bits = self.get(flat, src, row.size) as u32 & flags_mask(row.b);
                self.set(flat, dst, row.size, bits.into());
                Ok(())
            }
            kind => {
                // Loading refuses components with other types.
                let rule = scalar_rule(kind).ok_or(Trap::UnreachableCodeReached)?;
                let value = rule.apply(self.get(flat, src, row.size))?;
                self.set(flat, dst, row.size, value);
                Ok(())
            }
        }
    }

    fn variant(
        &mut self,
        (ty, row): (TypeId, TypeRow),
        flat: bool,
        src: usize,
        dst: usize,
    ) -> Result<()> {
        let width = if flat { 4 } else { u32::from(row.discriminant) };
        let case = self.get(flat, src, width) as u32;
        if case >= row.b {
            return Err(Trap::InvalidDiscriminant.into());
        }
        self.set(flat, dst, width, case.into());
        let payload = self.tables.cases[(row.a + case) as usize].ty;
        let (src_step, dst_step) = match flat {
            true => (1, 1),
            false => (row.payload, self.twin(ty, row).payload),
        };
        if flat {
            let used = payload
                .some()
                .map_or(0, |ty| u32::from(self.tables.ty(ty).flat_count));
            let dst = dst as u32;
            let end = dst + u32::from(row.flat_count);
            self.push(Cursor {
                at: dst + 1 + used,
                count: end,
                ..cursor(CursorKind::Pad, TypeId::NONE, true, 0, 0)
            })?;
        }
        match payload.some() {
            Some(ty) => {
                let (src, dst) = (src + src_step as usize, dst + dst_step as usize);
                self.push(cursor(CursorKind::Payload, ty, flat, src, dst))
            }
            None => Ok(()),
        }
    }

    fn string(&mut self, flat: bool, src: usize, dst: usize) -> Result<()> {
        let (ptr, tagged) = self.pair(flat, src);
        let source = checked_string(self.src, (ptr, tagged), self.from, self.string_bytes)?;
        self.cost += bytes_cost(source.bytes.into());
        let (transcode, request) = match self.from.encoding {
            Encoding::CompactUtf16 => Transcode::start_tagged(source, self.to.encoding),
            _ => Transcode::start(source, self.to.encoding),
        };
        self.push(waiting_string(&transcode, flat, ptr as usize, dst))?;
        self.ask_for_string(request)
    }

    fn ask_for_string(&mut self, request: Request) -> Result<()> {
        if request.new_size() > strings::MAX_BYTES {
            return Err(Trap::StringOutOfBounds.into());
        }
        self.ask = Some(request);
        Ok(())
    }

    fn string_room(&mut self, top: usize, cursor: Cursor, ptr: u64) -> Result<()> {
        let source = Source {
            form: Form::of(cursor.count),
            bytes: cursor.len,
        };
        let mut transcode = Transcode {
            source,
            to: self.to.encoding,
            at: cursor.at,
            room: cursor.room,
        };
        if !aligned(ptr, transcode.alignment()) {
            return Err(Trap::UnalignedPointer.into());
        }
        if range(self.dst, ptr, cursor.room.into()).is_none() {
            return Err(Trap::StringOutOfBounds.into());
        }
        let bytes = range(self.src, cursor.src as u64, source.bytes.into());
        let bytes = bytes.ok_or(Trap::StringOutOfBounds)?;
        match transcode.resume(ptr as usize, bytes, self.dst) {
            Step::Done { ptr, tagged } => {
                self.cursors.pop();
                let len = strings::length(tagged, self.to.wide);
                self.set_pair(cursor.flat, cursor.out, ptr, len);
            }
            Step::Room(request) => {
                let waiting = &mut self.cursors[top];
                waiting.at = transcode.at;
                waiting.room = transcode.room;
                self.ask_for_string(request)?;
            }
        }
        Ok(())
    }

    fn list(&mut self, row: TypeRow, flat: bool, src: usize, dst: usize) -> Result<()> {
        let (ptr, len) = self.pair(flat, src);
        let element = self.tables.ty(row.element());
        let (len, bytes) = checked_list(self.src, (ptr, len), element)?;
        // No type is without a size, and no twin more than twice as large: both are below 2³⁰.
        let twin = self.twin(row.element(), element);
        let room = match self.mixed {
            true => len * twin.size,
            false => bytes,
        };
        self.cost += list_cost(element, len, bytes.into());
        self.push(waiting_list(row, (len, room), flat, ptr as usize, dst))?;
        self.ask = Some(Request::new(0, 0, twin.align.into(), room));
        Ok(())
    }

    fn list_room(&mut self, top: usize, cursor: Cursor, ptr: u64) -> Result<()> {
        let element = self.tables.ty(cursor.ty);
        if !aligned(ptr, self.twin(cursor.ty, element).align.into()) {
            return Err(Trap::UnalignedPointer.into());
        }
        if range(self.dst, ptr, cursor.len.into()).is_none() {
            return Err(Trap::ListOutOfBounds.into());
        }
        let ptr = ptr as usize;
        if is_bytes(element) {
            self.copy(cursor.src, ptr, cursor.len as usize);
            self.cursors.pop();
            self.set_pair(cursor.flat, cursor.out, ptr, cursor.count.into());
        } else {
            let list = &mut self.cursors[top];
            list.kind = CursorKind::Elements;
            list.dst = ptr;
            list.room = 0;
        }
        Ok(())
    }

    fn fixed_list(&mut self, row: TypeRow, flat: bool, src: usize, dst: usize) -> Result<()> {
        let element = self.tables.ty(row.element());
        self.cost += list_cost(element, row.b, row.size.into());
        if !flat && is_bytes(element) {
            self.copy(src, dst, row.size as usize);
            return Ok(());
        }
        self.push(Cursor {
            count: row.b,
            ..cursor(CursorKind::Repeat, row.element(), flat, src, dst)
        })
    }

    fn handle(&mut self, row: TypeRow, flat: bool, src: usize, dst: usize) -> Result<()> {
        self.cost += 1;
        let index = self.get(flat, src, 4) as u32;
        let tag = self.resources[row.resource().index()];
        let (from, to) = (self.from.instance, self.to.instance);
        let index = if row.kind == TypeKind::Own {
            let rep = self.handles[from as usize].take_own(index, tag)?;
            self.handles[to as usize].insert_own(tag, rep)?
        } else {
            let rep = self.scopes.lend(self.handles, from, index, tag)?;
            lower_borrow(
                self.guest_resources,
                self.handles,
                self.scopes,
                (to, tag, rep),
            )?
        };
        self.set(flat, dst, 4, index.into());
        Ok(())
    }

    /// Another handle of the same error context.
    fn error_context(&mut self, flat: bool, src: usize, dst: usize) -> Result<()> {
        self.cost += 1;
        let index = self.get(flat, src, 4) as u32;
        let id = self.handles[self.from.instance as usize].error_context(index)?;
        let index = self.handles[self.to.instance as usize].insert_error_context(id)?;
        self.error_contexts.share(id).ok_or(HandleError::Full)?;
        self.set(flat, dst, 4, index.into());
        Ok(())
    }

    /// Moves bytes as they are, between ranges that were checked.
    fn copy(&mut self, src: usize, dst: usize, len: usize) {
        self.dst[dst..dst + len].copy_from_slice(&self.src[src..src + len]);
    }

    /// A pointer and a length of the source.
    fn pair(&self, flat: bool, at: usize) -> (u64, u64) {
        let wide = self.from.wide;
        if flat {
            let at = self.src_slots + at;
            let (ptr, len) = (self.slots[at], self.slots[at + 1]);
            return (pointer(ptr, wide), pointer(len, wide));
        }
        super::pair(&self.src[at..], wide)
    }

    fn set_pair(&mut self, flat: bool, at: usize, ptr: usize, len: u64) {
        if flat {
            let at = self.dst_slots + at;
            (self.slots[at], self.slots[at + 1]) = (ptr as u64, len);
        } else {
            super::set_pair(&mut self.dst[at..], (ptr as u64, len), self.to.wide);
        }
    }

    /// A scalar of the source. Addresses lie in ranges that were checked.
    fn get(&self, flat: bool, at: usize, width: u32) -> u64 {
        if flat {
            return self.slots[self.src_slots + at];
        }
        let mut bytes = [0; 8];
        let width = width as usize;
        bytes[..width].copy_from_slice(&self.src[at..at + width]);
        u64::from_le_bytes(bytes)
    }

    fn set(&mut self, flat: bool, at: usize, width: u32, value: u64) {
        if flat {
            self.slots[self.dst_slots + at] = value;
            return;
        }
        let width = width as usize;
        self.dst[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
}

fn cursor(kind: CursorKind, ty: TypeId, flat: bool, src: usize, dst: usize) -> Cursor {
    Cursor {
        kind,
        flat,
        ty,
        at: 0,
        count: 0,
        len: 0,
        room: 0,
        src,
        dst,
        out: 0,
    }
}

/// A record or tuple of which the fields before `at` have crossed.
pub(crate) fn fields_from(
    at: u32,
    (ty, row): (TypeId, TypeRow),
    flat: bool,
    (src, dst): (usize, usize),
) -> Cursor {
    Cursor {
        at,
        count: row.b,
        ..cursor(CursorKind::Fields, ty, flat, src, dst)
    }
}

/// A string at `src` that waits for its room; its pointer and length go to `out`.
pub(crate) fn waiting_string(transcode: &Transcode, flat: bool, src: usize, out: usize) -> Cursor {
    Cursor {
        at: transcode.at,
        count: transcode.source.form as u32,
        len: transcode.source.bytes,
        room: transcode.room,
        out,
        ..cursor(CursorKind::StringRoom, TypeId::NONE, flat, src, 0)
    }
}

/// A list at `src` that waits for its room of so many bytes; its pointer and length go to `out`.
pub(crate) fn waiting_list(
    row: TypeRow,
    (len, room): (u32, u32),
    flat: bool,
    src: usize,
    out: usize,
) -> Cursor {
    Cursor {
        count: len,
        len: room,
        out,
        ..cursor(CursorKind::ListRoom, row.element(), flat, src, 0)
    }
}

/// The string that a pointer and a length mean, if it is one.
#[inline]
pub(crate) fn checked_string(
    memory: &[u8],
    (ptr, tagged): (u64, u64),
    from: &BoundOptions,
    limit: u32,
) -> Result<Source> {
    let BoundOptions { encoding, wide, .. } = *from;
    let source = Source::of(encoding, tagged, wide, limit).ok_or(Trap::StringOutOfBounds)?;
    if !aligned(ptr, strings::alignment(encoding)) {
        return Err(Trap::UnalignedPointer.into());
    }
    let bytes = range(memory, ptr, source.bytes.into()).ok_or(Trap::StringOutOfBounds)?;
    strings::validate(source.form, bytes)?;
    Ok(source)
}

/// How many elements and bytes the list has that a pointer and a length mean, if it is one.
#[inline]
pub(crate) fn checked_list(
    memory: &[u8],
    (ptr, len): (u64, u64),
    element: TypeRow,
) -> Result<(u32, u32)> {
    let bytes = len.saturating_mul(element.size.into());
    if bytes > MAX_LIST_BYTES {
        return Err(Trap::ListOutOfBounds.into());
    }
    if !aligned(ptr, element.align.into()) {
        return Err(Trap::UnalignedPointer.into());
    }
    if range(memory, ptr, bytes).is_none() {
        return Err(Trap::ListOutOfBounds.into());
    }
    Ok((len as u32, bytes as u32))
}

/// Whether elements are moved as bytes.
pub(crate) fn is_bytes(element: TypeRow) -> bool {
    element.class == Class::Plain && !element.has(TypeRow::HAS_PADDING | TypeRow::HAS_FIXED)
}

/// Fuel for moving a list, whichever way it is moved.
pub(crate) fn list_cost(element: TypeRow, len: u32, bytes: u64) -> i64 {
    elements_cost(is_bytes(element), element.size, len, bytes)
}

/// Gives a borrow to a component instance: the one that implements the resource gets its
/// representation, another a handle for the length of the call.
pub(crate) fn lower_borrow(
    guest_resources: &[GuestResource],
    handles: &mut [HandleTable],
    scopes: &mut Scopes,
    (to, tag, rep): (u32, ResourceTag, u32),
) -> Result<u32> {
    let own = tag
        .guest_number()
        .and_then(|number| guest_resources.get(number as usize))
        .is_some_and(|resource| resource.instance == to);
    if own {
        return Ok(rep);
    }
    Ok(scopes.insert_borrow(&mut handles[to as usize], tag, rep)?)
}

/// The rule for a scalar's kind.
pub(crate) fn scalar_rule(kind: TypeKind) -> Option<Scalar> {
    Some(match kind {
        TypeKind::Bool => Scalar::Bool,
        TypeKind::S8 => Scalar::S8,
        TypeKind::U8 => Scalar::U8,
        TypeKind::S16 => Scalar::S16,
        TypeKind::U16 => Scalar::U16,
        TypeKind::S32 | TypeKind::U32 => Scalar::Bits32,
        TypeKind::S64 | TypeKind::U64 => Scalar::Bits64,
        TypeKind::F32 => Scalar::F32,
        TypeKind::F64 => Scalar::F64,
        TypeKind::Char => Scalar::Char,
        _ => return None,
    })
}

/// The bits that name flags; others are ignored.
pub(crate) fn flags_mask(count: u32) -> u32 {
    1u32.checked_shl(count).map_or(u32::MAX, |bit| bit - 1)
}
