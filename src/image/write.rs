//! Writing images: what `module::read` and `rows::tables` read.

use super::header::{FAST, FUEL, Header, Kind};
use super::rows;
use crate::code::module::*;
use crate::error::{Error, ErrorKind, Result};
use crate::tables::ComponentTables;
use alloc::vec::Vec;

/// An image that is being written.
#[derive(Default)]
pub(crate) struct Writer {
    code: Vec<u8>,
    tables: Vec<u32>,
    modules: Vec<u32>,
    bytes: Vec<u8>,
    count: u32,
}

impl Writer {
    /// The image of a core module, all of whose functions have been translated.
    pub fn module(data: &ModuleData, fast: bool, fuel: bool) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        writer.add(data)?;
        writer.finish(Kind::Module, fast, fuel)
    }

    /// The image of a component.
    pub fn component<'a>(
        tables: &ComponentTables,
        modules: impl Iterator<Item = &'a ModuleData>,
        fast: bool,
        fuel: bool,
    ) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        writer.bytes.extend_from_slice(tables.strings.as_bytes());
        writer.tables.push(tables.strings.len() as u32);
        rows::write(tables, &mut writer.tables);
        modules.into_iter().try_for_each(|data| writer.add(data))?;
        writer.finish(Kind::Component, fast, fuel)
    }

    fn finish(mut self, kind: Kind, fast: bool, fuel: bool) -> Result<Vec<u8>> {
        // Vectors are used as words of eight bytes.
        for words in [&mut self.tables, &mut self.modules] {
            words.resize(words.len().next_multiple_of(2), 0);
        }
        let [tables, modules] = [&self.tables, &self.modules]
            .map(|words| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() });
        let sections = [&self.code[..], &tables, &modules, &self.bytes];
        let length: usize = sections.iter().map(|section| section.len()).sum();
        if length > (u32::MAX / 2) as usize {
            return Err(Error::of(ErrorKind::Limit, "an image of more than 2 GiB"));
        }
        let flags = if fast { FAST } else { 0 } | if fuel { FUEL } else { 0 };
        Ok(Header::image(kind, flags, self.count, sections))
    }

    fn put(&mut self, word: u32) {
        self.modules.push(word);
    }

    fn wide(&mut self, word: u64) {
        self.put(word as u32);
        self.put((word >> 32) as u32);
    }

    fn text(&mut self, text: &str) {
        self.put(self.bytes.len() as u32);
        self.put(text.len() as u32);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn add(&mut self, data: &ModuleData) -> Result<()> {
        self.count += 1;
        self.put(data.types.len() as u32);
        for ty in &data.types {
            self.put(ty.params().len() as u32);
            self.put(ty.results().len() as u32);
            let all = ty.params().iter().chain(ty.results());
            all.for_each(|ty| self.val_type(data, *ty));
        }
        self.put(data.imports.len() as u32);
        for import in &data.imports {
            self.text(&import.module);
            self.text(&import.name);
            self.put(split(import.index).0);
        }
        self.put(data.func_types.len() as u32);
        data.func_types.iter().for_each(|ty| self.put(*ty));
        self.put(data.funcs.len() as u32);
        for decl in &data.funcs {
            let Some(code) = decl.code.get() else {
                let why = "a function of an image that hasn't been translated";
                return Err(Error::of(ErrorKind::Unsupported, why));
            };
            self.put((self.code.len() / 8) as u32);
            self.put(code.len() as u32);
            // Words are little-endian in memory, whatever the machine.
            self.code
                .extend(code.iter().flat_map(|word| word.to_ne_bytes()));
        }
        self.entities(data);
        self.put(data.names.len() as u32);
        for (func, name) in &data.names {
            self.put(*func);
            self.text(name);
        }
        self.put(data.start.unwrap_or(u32::MAX));
        self.put(data.name.is_some().into());
        self.text(data.name.as_deref().unwrap_or_default());
        Ok(())
    }

    fn entities(&mut self, data: &ModuleData) {
        self.put(data.tables.len() as u32);
        for (ty, init) in &data.tables {
            self.val_type(data, ty.element);
            let flags = u32::from(ty.maximum.is_some())
                | u32::from(ty.table64) << 1
                | u32::from(init.is_some()) << 2;
            self.put(flags);
            self.wide(ty.minimum);
            ty.maximum.into_iter().for_each(|most| self.wide(most));
            if let Some(init) = init {
                self.expr(init, ty.element, data);
            }
        }
        self.put(data.memories.len() as u32);
        for ty in &data.memories {
            self.put(u32::from(ty.maximum.is_some()) | u32::from(ty.memory64) << 1);
            self.put(ty.page_size_log2.into());
            self.wide(ty.minimum);
            ty.maximum.into_iter().for_each(|most| self.wide(most));
        }
        self.put(data.tags.len() as u32);
        data.tags.iter().for_each(|ty| self.put(*ty));
        self.put(data.globals.len() as u32);
        for (at, ty) in data.globals.iter().enumerate() {
            self.val_type(data, ty.content);
            self.put(ty.mutable.into());
            match at.checked_sub(data.imported_globals as usize) {
                Some(own) => self.expr(&data.global_inits[own], ty.content, data),
                None => self.put(0),
            }
        }
        self.put(data.exports.len() as u32);
        for export in &data.exports {
            self.text(&export.name);
            let (kind, at) = split(export.index);
            self.put(kind);
            self.put(at);
        }
        self.segments(data);
    }

    fn segments(&mut self, data: &ModuleData) {
        self.put(data.elements.len() as u32);
        for segment in &data.elements {
            self.val_type(data, segment.element);
            self.mode(&segment.mode, data);
            self.put(segment.items.len() as u32);
            for item in &segment.items {
                self.expr(item, segment.element, data);
            }
        }
        self.put(data.data.len() as u32);
        for segment in &data.data {
            self.mode(&segment.mode, data);
            self.put(self.bytes.len() as u32);
            self.put(segment.bytes.len() as u32);
            self.bytes
                .extend_from_slice(&data.bytes[segment.bytes.clone()]);
        }
    }

    fn val_type(&mut self, data: &ModuleData, ty: ValType) {
        let word = match ty {
            ValType::I32 => 0,
            ValType::I64 => 1,
            ValType::F32 => 2,
            ValType::F64 => 3,
            ValType::V128 => 4,
            _ => {
                let (nullable, heap) = ty.as_reference().unwrap_or((true, HeapType::Func));
                let heap = match heap {
                    HeapType::Func => 8,
                    HeapType::Extern => 9,
                    HeapType::Exn => 10,
                    HeapType::Concrete(number) => {
                        let own = data.type_ids.iter().position(|own| *own == number);
                        32 | (own.unwrap_or(usize::MAX >> 8) as u32) << 6
                    }
                };
                heap | u32::from(nullable) << 4
            }
        };
        self.put(word);
    }

    fn mode(&mut self, mode: &SegmentMode, data: &ModuleData) {
        match mode {
            SegmentMode::Passive => self.put(0),
            SegmentMode::Active { index, offset } => {
                self.put(1);
                self.put(*index);
                self.expr(offset, ValType::I64, data);
            }
            SegmentMode::Declared => self.put(2),
        }
    }

    /// An expression; `ty` is what its null references are of.
    fn expr(&mut self, expr: &ConstExpr, ty: ValType, data: &ModuleData) {
        self.put(expr.len() as u32);
        for op in expr {
            match op {
                ConstOp::Const(value) => {
                    self.put(0);
                    self.wide(*value);
                }
                ConstOp::High(value) => {
                    self.put(1);
                    self.wide(*value);
                }
                ConstOp::GlobalGet(at) => {
                    self.put(2);
                    self.put(*at);
                }
                ConstOp::RefNull => {
                    self.put(3);
                    self.val_type(data, ty);
                }
                ConstOp::RefFunc(func) => {
                    self.put(4);
                    self.put(*func);
                }
                ConstOp::I32Add => self.put(5),
                ConstOp::I32Sub => self.put(6),
                ConstOp::I32Mul => self.put(7),
                ConstOp::I64Add => self.put(8),
                ConstOp::I64Sub => self.put(9),
                ConstOp::I64Mul => self.put(10),
            }
        }
    }
}

fn split(index: ExternIndex) -> (u32, u32) {
    match index {
        ExternIndex::Func(at) => (0, at),
        ExternIndex::Table(at) => (1, at),
        ExternIndex::Memory(at) => (2, at),
        ExternIndex::Global(at) => (3, at),
        ExternIndex::Tag(at) => (4, at),
    }
}
