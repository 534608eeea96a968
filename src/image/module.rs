//! A core module's description in an image, read and checked in one go.
//!
//! What validation of a binary guarantees is guaranteed here: that every index names something, that
//! constant expressions give what is asked of them, and that types are what instances rely on. The code
//! itself is `code::verify`'s. Types of references name a type of the module by its index.

use super::cells::Cells;
use super::error::{ImageError, lie};
use super::view::Source;
use crate::code::module::*;
use alloc::vec::Vec;
use core::ops::Range;
use spin::Once;

/// Values that a function may take or give: the limit of the validator.
const MOST_VALUES: usize = 1000;

/// A reader of one module.
struct Reading<'a, 'b> {
    cells: &'a mut Cells<'b>,
    source: &'a Source<'b>,
    data: ModuleData,
    /// Where the next name or segment begins: they lie one after the other.
    number_of: &'a dyn Fn(&FuncType) -> u32,
}

/// Reads a module. `number_of` gives the engine's number of a type.
pub(crate) fn read<'b>(
    cells: &mut Cells<'b>,
    source: &Source<'b>,
    number_of: &dyn Fn(&FuncType) -> u32,
) -> Result<ModuleData, ImageError> {
    let mut reading = Reading {
        cells,
        source,
        data: ModuleData::empty(source.bytes.clone()),
        number_of,
    };
    reading.rows("types", 2, Reading::ty)?;
    reading.rows("imports", 5, Reading::import)?;
    reading.rows("functions", 1, Reading::function)?;
    reading.rows("code", 2, Reading::code)?;
    reading.rows("tables", 4, Reading::table)?;
    reading.rows("memories", 4, Reading::memory)?;
    reading.rows("tags", 1, Reading::tag)?;
    reading.rows("globals", 3, Reading::global)?;
    reading.rows("exports", 4, Reading::export)?;
    reading.rows("elements", 3, Reading::element)?;
    reading.rows("data", 3, Reading::segment)?;
    reading.rows("names", 3, Reading::name)?;
    reading.rest().ok_or(lie("module", 0))?;
    Ok(reading.data)
}

impl Reading<'_, '_> {
    fn rows(
        &mut self,
        table: &'static str,
        words: usize,
        row: fn(&mut Self, usize) -> Option<()>,
    ) -> Result<(), ImageError> {
        let count = self.cells.count(words).ok_or(lie(table, 0))?;
        (0..count).try_for_each(|at| row(self, at).ok_or(lie(table, at)))
    }

    fn text(&mut self) -> Option<Text> {
        let (offset, len) = (self.cells.next()?, self.cells.next()?);
        self.source.text(offset, len)
    }

    fn val_type(&mut self) -> Option<ValType> {
        Some(match self.cells.next()? {
            0 => ValType::I32,
            1 => ValType::I64,
            2 => ValType::F32,
            3 => ValType::F64,
            4 if cfg!(feature = "simd") => ValType::V128,
            packed => {
                let nullable = packed & 16 != 0;
                let heap = match packed & !16 {
                    8 => HeapType::Func,
                    9 => HeapType::Extern,
                    10 => HeapType::Exn,
                    concrete if packed & 32 != 0 => {
                        let number = self.data.type_ids.get((concrete >> 6) as usize)?;
                        (concrete & 63 == 32).then_some(HeapType::Concrete(*number))?
                    }
                    _ => return None,
                };
                ValType::reference(nullable, heap)
            }
        })
    }

    fn reference_type(&mut self) -> Option<ValType> {
        self.val_type().filter(|ty| ty.as_reference().is_some())
    }

    fn ty(&mut self, _: usize) -> Option<()> {
        let (params, results) = (self.cells.count(1)?, self.cells.count(1)?);
        if params > MOST_VALUES || results > MOST_VALUES {
            return None;
        }
        let mut types = Vec::with_capacity(params + results);
        for _ in 0..params + results {
            types.push(self.val_type()?);
        }
        let results = types.split_off(params);
        let ty = FuncType::new(types, results);
        self.data.type_ids.push((self.number_of)(&ty));
        self.data.types.push(ty);
        Some(())
    }

    fn index(&mut self) -> Option<ExternIndex> {
        let kind = self.cells.next()?;
        let at = self.cells.next()?;
        let index: fn(u32) -> ExternIndex = match kind {
            0 => ExternIndex::Func,
            1 => ExternIndex::Table,
            2 => ExternIndex::Memory,
            3 => ExternIndex::Global,
            4 => ExternIndex::Tag,
            _ => return None,
        };
        Some(index(at))
    }

    /// Imports count up in each index space; their types are the first of it.
    fn import(&mut self, _: usize) -> Option<()> {
        let (module, name) = (self.text()?, self.text()?);
        let kind = self.cells.next()?;
        let data = &mut self.data;
        let (count, index): (&mut u32, fn(u32) -> ExternIndex) = match kind {
            0 => (&mut data.imported_funcs, ExternIndex::Func),
            1 => (&mut data.imported_tables, ExternIndex::Table),
            2 => (&mut data.imported_memories, ExternIndex::Memory),
            3 => (&mut data.imported_globals, ExternIndex::Global),
            4 => (&mut data.imported_tags, ExternIndex::Tag),
            _ => return None,
        };
        let index = index(*count);
        *count += 1;
        data.imports.push(Import {
            module,
            name,
            index,
        });
        Some(())
    }

    fn function(&mut self, at: usize) -> Option<()> {
        let ty = self.cells.next()?;
        self.data.types.get(ty as usize)?;
        self.data.func_types.push(ty);
        if at >= self.data.imported_funcs as usize {
            self.data.funcs.push(FuncDecl {
                ty,
                body: 0..0,
                facts: Once::new(),
                code: Once::new(),
            });
        }
        Some(())
    }

    fn code(&mut self, at: usize) -> Option<()> {
        let (start, len) = (self.cells.next()? as usize, self.cells.next()? as usize);
        let code = self.source.code(start..start.checked_add(len)?)?;
        let decl = self.data.funcs.get(at)?;
        // What a call reads before anything is checked again.
        if code.len() <= crate::code::HEADER_WORDS {
            return None;
        }
        decl.code.call_once(|| code);
        Some(())
    }

    /// Flags, the minimum, and the maximum if there is one.
    fn limits(&mut self, flags: u32) -> Option<(u64, Option<u64>)> {
        let minimum = self.cells.wide()?;
        let maximum = match flags & 1 {
            0 => None,
            _ => Some(self.cells.wide()?),
        };
        maximum
            .is_none_or(|maximum| minimum <= maximum)
            .then_some((minimum, maximum))
    }

    fn table(&mut self, at: usize) -> Option<()> {
        let element = self.reference_type()?;
        let flags = self.cells.next()?;
        let (minimum, maximum) = self.limits(flags)?;
        let ty = TableType {
            element,
            minimum,
            maximum,
            table64: flags & 2 != 0,
        };
        let init = match flags & 4 {
            0 => None,
            _ => Some(self.expr(element)?),
        };
        let small = |size: u64| ty.table64 || size <= u32::MAX.into();
        if flags > 7 || !small(minimum) || !maximum.is_none_or(small) {
            return None;
        }
        if at < self.data.imported_tables as usize && init.is_some() {
            return None;
        }
        self.data.tables.push((ty, init));
        Some(())
    }

    fn memory(&mut self, _: usize) -> Option<()> {
        let flags = self.cells.next()?;
        let page_size_log2 = u8::try_from(self.cells.next()?).ok()?;
        let (minimum, maximum) = self.limits(flags)?;
        let ty = MemoryType {
            minimum,
            maximum,
            memory64: flags & 2 != 0,
            page_size_log2,
        };
        if flags > 3 || !matches!(page_size_log2, 0 | 16) {
            return None;
        }
        let most = MemoryType {
            maximum: None,
            ..ty
        };
        let most = most.most_pages();
        (minimum <= most && maximum.is_none_or(|maximum| maximum <= most)).then_some(())?;
        self.data.memories.push(ty);
        Some(())
    }

    fn tag(&mut self, _: usize) -> Option<()> {
        let ty = self.cells.next()?;
        let carries = self.data.types.get(ty as usize)?;
        carries.results().is_empty().then_some(())?;
        self.data.tags.push(ty);
        Some(())
    }

    fn global(&mut self, at: usize) -> Option<()> {
        let content = self.val_type()?;
        let mutable = match self.cells.next()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        if at >= self.data.imported_globals as usize {
            let init = self.expr(content)?;
            self.data.global_inits.push(init);
        } else if self.cells.next()? != 0 {
            return None;
        }
        self.data.globals.push(GlobalType { content, mutable });
        Some(())
    }

    fn has(&self, index: ExternIndex) -> bool {
        let data = &self.data;
        let (at, len) = match index {
            ExternIndex::Func(at) => (at, data.func_types.len()),
            ExternIndex::Table(at) => (at, data.tables.len()),
            ExternIndex::Memory(at) => (at, data.memories.len()),
            ExternIndex::Global(at) => (at, data.globals.len()),
            ExternIndex::Tag(at) => (at, data.tags.len()),
        };
        (at as usize) < len
    }

    fn export(&mut self, _: usize) -> Option<()> {
        let name = self.text()?;
        let index = self.index()?;
        self.has(index).then_some(())?;
        self.data.exports.push(Export { name, index });
        Some(())
    }

    /// A segment's mode; what is active goes where `fits` says, at an offset that is a number.
    fn mode(&mut self, fits: impl Fn(&ModuleData, u32) -> bool) -> Option<SegmentMode> {
        Some(match self.cells.next()? {
            0 => SegmentMode::Passive,
            1 => {
                let index = self.cells.next()?;
                fits(&self.data, index).then_some(())?;
                let offset = self.expr(ValType::I64)?;
                SegmentMode::Active { index, offset }
            }
            2 => SegmentMode::Declared,
            _ => return None,
        })
    }

    fn element(&mut self, _: usize) -> Option<()> {
        let element = self.reference_type()?;
        let mode = self.mode(|data, index| {
            let table = data.tables.get(index as usize);
            table.is_some_and(|(ty, _)| element.matches(ty.element))
        })?;
        let count = self.cells.count(2)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.expr(element)?);
        }
        self.data.elements.push(ElementSegment {
            element,
            mode,
            items: items.into(),
        });
        Some(())
    }

    fn segment(&mut self, _: usize) -> Option<()> {
        let mode = self.mode(|data, index| (index as usize) < data.memories.len())?;
        let (start, len) = (self.cells.next()? as usize, self.cells.next()? as usize);
        let bytes: Range<usize> = start..start.checked_add(len)?;
        self.source.bytes.get(bytes.clone())?;
        let declared = matches!(mode, SegmentMode::Declared);
        (!declared).then_some(())?;
        self.data.data.push(DataSegment { mode, bytes });
        Some(())
    }

    fn name(&mut self, _: usize) -> Option<()> {
        let func = self.cells.next()?;
        let name = self.text()?;
        self.data.names.push((func, name));
        Some(())
    }

    /// The start function and the module's name, and that there is neither too much nor too little of
    /// anything.
    fn rest(&mut self) -> Option<()> {
        let start = self.cells.next()?;
        let named = self.cells.next()?;
        let name = self.text()?;
        let data = &mut self.data;
        data.name = (named != 0).then_some(name);
        if start != u32::MAX {
            let ty = *data.func_types.get(start as usize)?;
            let ty = data.types.get(ty as usize)?;
            (ty.params().is_empty() && ty.results().is_empty()).then_some(())?;
            data.start = Some(start);
        }
        let complete = data.func_types.len() >= data.imported_funcs as usize
            && data.tables.len() >= data.imported_tables as usize
            && data.memories.len() >= data.imported_memories as usize
            && data.globals.len() >= data.imported_globals as usize
            && data.tags.len() >= data.imported_tags as usize
            && data.funcs.iter().all(|decl| decl.code.get().is_some());
        complete.then_some(())
    }

    /// A constant expression that gives what a global, table or segment of this type needs.
    fn expr(&mut self, wanted: ValType) -> Option<ConstExpr> {
        let count = self.cells.count(1)?;
        let mut ops = Vec::with_capacity(count);
        // Numbers of one cell are `I64` here: constants don't say which they are.
        let mut stack: Vec<ValType> = Vec::new();
        for _ in 0..count {
            let op = self.op(&mut stack)?;
            ops.push(op);
        }
        let [given] = stack[..] else {
            return None;
        };
        let fits = match wanted.as_reference() {
            Some(_) => given.kind() == wanted.kind(),
            None => given == as_number(wanted),
        };
        fits.then(|| ops.into())
    }

    fn op(&mut self, stack: &mut Vec<ValType>) -> Option<ConstOp> {
        let op = match self.cells.next()? {
            0 => ConstOp::Const(self.cells.wide()?),
            1 => ConstOp::High(self.cells.wide()?),
            2 => ConstOp::GlobalGet(self.cells.next()?),
            3 => ConstOp::RefNull,
            4 => ConstOp::RefFunc(self.cells.next()?),
            5 => ConstOp::I32Add,
            6 => ConstOp::I32Sub,
            7 => ConstOp::I32Mul,
            8 => ConstOp::I64Add,
            9 => ConstOp::I64Sub,
            10 => ConstOp::I64Mul,
            // A null reference says of what, so that it can be told from the others'.
            _ => return None,
        };
        let gives = match op {
            ConstOp::Const(_) => ValType::I64,
            ConstOp::High(_) if stack.pop()? == ValType::I64 => ValType::V128,
            ConstOp::High(_) => return None,
            ConstOp::GlobalGet(at) => {
                let global = self.data.globals.get(at as usize)?;
                (!global.mutable).then_some(())?;
                as_number(global.content)
            }
            ConstOp::RefNull => self.reference_type()?,
            ConstOp::RefFunc(func) => {
                self.data.func_types.get(func as usize)?;
                ValType::FuncRef
            }
            _ => {
                let two = (stack.pop()?, stack.pop()?) == (ValType::I64, ValType::I64);
                two.then_some(ValType::I64)?
            }
        };
        stack.push(gives);
        Some(op)
    }
}

/// Numbers of one cell as one type; what else there is as it is.
fn as_number(ty: ValType) -> ValType {
    match ty {
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => ValType::I64,
        other => other,
    }
}
