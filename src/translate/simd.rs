//! Operators on vectors: which instruction each is, and its operands in pairs of slots.
//!
//! A vector is two operands, which name two slots in a row or are the halves of a constant. What makes a
//! vector writes it to its home; a `local.set` behind it changes that.

use super::Translator;
use super::stack::Place;
use crate::code::module::ValType;
use crate::code::simd::{self, Simd, for_each_simd};
use crate::code::{info, op_of, operands, word, word_u32};
use crate::error::Result;
use wasmparser::{MemArg, Operator as O};

/// What an operator takes besides its row.
enum Takes<'a> {
    Unary,
    Binary,
    /// The same with its operands exchanged.
    Exchanged,
    Ternary,
    Shift,
    Splat,
    Test,
    Extract(u8, ValType),
    Replace(u8),
    Load(&'a MemArg),
    LoadLane(&'a MemArg, u8),
    StoreLane(&'a MemArg, u8),
    Store(&'a MemArg),
    Constant([u8; 16]),
    Shuffle([u8; 16]),
}

macro_rules! rows {
    (
        unary { $($unary:ident $um:literal $un:literal;)* }
        binary { $($binary:ident $bm:literal $bn:literal;)* }
        ternary { $($ternary:ident $tm:literal $tn:literal;)* }
        shift { $($shift:ident $sm:literal $sn:literal;)* }
        splat { $($splat:ident $pm:literal $pn:literal;)* }
        test { $($test:ident $em:literal $en:literal;)* }
        extract { $($extract:ident $xm:literal $xn:literal;)* }
        replace { $($replace:ident $rm:literal $rn:literal;)* }
        load { $($load:ident $lm:literal $ln:literal;)* }
        near_load { $($near:ident $nm:literal $nn:literal;)* }
        load_lane { $($load_lane:ident $llm:literal $lln:literal;)* }
        store_lane { $($store_lane:ident $slm:literal $sln:literal;)* }
        store { $($store:ident $stm:literal $stn:literal;)* }
        $($group:ident { $row:ident $mnemonic:literal $bytes:literal; })*
    ) => {
        /// The row of the same name as the operator, if there is one.
        fn same_name<'a>(operator: &'a O) -> Option<(Simd, Takes<'a>)> {
            Some(match operator {
                $(O::$unary => (Simd::$unary, Takes::Unary),)*
                $(O::$binary => (Simd::$binary, Takes::Binary),)*
                $(O::$ternary => (Simd::$ternary, Takes::Ternary),)*
                $(O::$shift => (Simd::$shift, Takes::Shift),)*
                $(O::$splat => (Simd::$splat, Takes::Splat),)*
                $(O::$test => (Simd::$test, Takes::Test),)*
                $(O::$extract { lane } => (Simd::$extract, Takes::Extract(*lane, lane_type(Simd::$extract))),)*
                $(O::$replace { lane } => (Simd::$replace, Takes::Replace(*lane)),)*
                $(O::$load { memarg } => (Simd::$load, Takes::Load(memarg)),)*
                $(O::$load_lane { memarg, lane } => (Simd::$load_lane, Takes::LoadLane(memarg, *lane)),)*
                $(O::$store_lane { memarg, lane } => (Simd::$store_lane, Takes::StoreLane(memarg, *lane)),)*
                $(O::$store { memarg } => (Simd::$store, Takes::Store(memarg)),)*
                O::V128Const { value } => (Simd::V128Const, Takes::Constant(*value.bytes())),
                O::I8x16Shuffle { lanes } => (Simd::I8x16Shuffle, Takes::Shuffle(*lanes)),
                _ => return None,
            })
        }
    };
}
for_each_simd!(rows);

/// The type of an integer lane that is extracted.
fn lane_type(row: Simd) -> ValType {
    match row {
        Simd::I64x2ExtractLane => ValType::I64,
        _ => ValType::I32,
    }
}

/// Operators that are others under another name: with operands exchanged, because a slot has no type, or by
/// the choices of the deterministic profile.
fn other_name<'a>(operator: &'a O) -> Option<(Simd, Takes<'a>)> {
    use Takes::{Binary, Exchanged, Extract, Replace, Splat, Ternary, Unary};
    macro_rules! other {
        ($($operator:ident is $row:ident $takes:ident;)*) => {
            match operator {
                $(O::$operator => (Simd::$row, $takes),)*
                O::F32x4ExtractLane { lane } => (Simd::I32x4ExtractLane, Extract(*lane, ValType::F32)),
                O::F64x2ExtractLane { lane } => (Simd::I64x2ExtractLane, Extract(*lane, ValType::F64)),
                O::F32x4ReplaceLane { lane } => (Simd::I32x4ReplaceLane, Replace(*lane)),
                O::F64x2ReplaceLane { lane } => (Simd::I64x2ReplaceLane, Replace(*lane)),
                _ => return None,
            }
        };
    }
    Some(other! {
        I8x16GtS is I8x16LtS Exchanged;
        I8x16GtU is I8x16LtU Exchanged;
        I8x16LeS is I8x16GeS Exchanged;
        I8x16LeU is I8x16GeU Exchanged;
        I16x8GtS is I16x8LtS Exchanged;
        I16x8GtU is I16x8LtU Exchanged;
        I16x8LeS is I16x8GeS Exchanged;
        I16x8LeU is I16x8GeU Exchanged;
        I32x4GtS is I32x4LtS Exchanged;
        I32x4GtU is I32x4LtU Exchanged;
        I32x4LeS is I32x4GeS Exchanged;
        I32x4LeU is I32x4GeU Exchanged;
        I64x2GtS is I64x2LtS Exchanged;
        I64x2LeS is I64x2GeS Exchanged;
        F32x4Gt is F32x4Lt Exchanged;
        F32x4Ge is F32x4Le Exchanged;
        F64x2Gt is F64x2Lt Exchanged;
        F64x2Ge is F64x2Le Exchanged;
        F32x4Splat is I32x4Splat Splat;
        F64x2Splat is I64x2Splat Splat;
        I8x16RelaxedSwizzle is I8x16Swizzle Binary;
        I32x4RelaxedTruncF32x4S is I32x4TruncSatF32x4S Unary;
        I32x4RelaxedTruncF32x4U is I32x4TruncSatF32x4U Unary;
        I32x4RelaxedTruncF64x2SZero is I32x4TruncSatF64x2SZero Unary;
        I32x4RelaxedTruncF64x2UZero is I32x4TruncSatF64x2UZero Unary;
        I8x16RelaxedLaneselect is V128Bitselect Ternary;
        I16x8RelaxedLaneselect is V128Bitselect Ternary;
        I32x4RelaxedLaneselect is V128Bitselect Ternary;
        I64x2RelaxedLaneselect is V128Bitselect Ternary;
        F32x4RelaxedMin is F32x4Min Binary;
        F32x4RelaxedMax is F32x4Max Binary;
        F64x2RelaxedMin is F64x2Min Binary;
        F64x2RelaxedMax is F64x2Max Binary;
        I16x8RelaxedQ15mulrS is I16x8Q15MulrSatS Binary;
    })
}

/// The two words of a vector.
fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let all = u128::from_le_bytes(bytes);
    [all as u64, (all >> 64) as u64]
}

impl Translator<'_> {
    pub(super) fn on_vectors(&mut self, operator: &O) -> Result<bool> {
        let Some((row, takes)) = same_name(operator).or_else(|| other_name(operator)) else {
            return Ok(false);
        };
        let op = row.op();
        match takes {
            Takes::Unary => {
                let ([x], []) = self.operands()?;
                self.make(word(op, 0, x, 0), &[])?;
            }
            Takes::Binary => {
                let ([x, y], []) = self.operands()?;
                self.make(word(op, 0, x, y), &[])?;
            }
            Takes::Exchanged => {
                let ([x, y], []) = self.operands()?;
                self.make(word(op, 0, y, x), &[])?;
            }
            Takes::Ternary => {
                let ([x, y, z], []) = self.operands()?;
                self.make(word(op, 0, x, y), &[z.into()])?;
            }
            Takes::Shift => {
                let ([x], [count]) = self.operands()?;
                self.make(word(op, 0, x, count), &[])?;
            }
            Takes::Splat => {
                let ([], [x]) = self.operands()?;
                self.make(word(op, 0, x, 0), &[])?;
            }
            Takes::Test => {
                let ([x], []) = self.operands()?;
                self.produce_plain(op, x, 0, None, ValType::I32)?;
            }
            Takes::Extract(lane, ty) => {
                let ([x], []) = self.operands()?;
                self.produce_plain(op, x, lane.into(), None, ty)?;
            }
            Takes::Replace(lane) => {
                let ([x], [value]) = self.operands()?;
                self.make(word(op, 0, x, value), &[lane.into()])?;
            }
            Takes::Constant(bytes) => {
                for half in halves(bytes) {
                    self.push(ValType::V128, Place::Const(half))?;
                }
            }
            Takes::Shuffle(lanes) => {
                let ([x, y], []) = self.operands()?;
                self.make(word(op, 0, x, y), &halves(lanes))?;
            }
            takes => self.on_memory(row, &takes)?,
        }
        Ok(true)
    }

    /// Loads and stores.
    fn on_memory(&mut self, row: Simd, takes: &Takes) -> Result<()> {
        let op = row.op();
        match *takes {
            Takes::Load(memarg) => {
                let ([], [address]) = self.operands()?;
                match self.short_field(memarg) {
                    Some(offset) => self.make(word(simd::near(row), 0, address, offset), &[]),
                    None => {
                        let first = word(op, 0, address, self.memory_field(memarg));
                        self.make(first, &[memarg.offset])
                    }
                }
            }
            Takes::LoadLane(memarg, lane) => {
                let (address, x) = self.address_and_vector()?;
                let first = word(op, 0, address, self.memory_field(memarg));
                let second = u64::from(lane) | u64::from(x) << 32;
                self.make(first, &[memarg.offset, second])
            }
            Takes::StoreLane(memarg, lane) => {
                let (address, x) = self.address_and_vector()?;
                let memory = self.memory_field(memarg);
                self.emit2(word(op, x, address, memory), memarg.offset);
                self.code.push(u64::from(lane).to_le());
                Ok(())
            }
            Takes::Store(memarg) => {
                let (address, x) = self.address_and_vector()?;
                match self.short_field(memarg) {
                    Some(offset) => self.emit(word(Simd::NearStore.op(), x, address, offset)),
                    None => {
                        let memory = self.memory_field(memarg);
                        self.emit2(word(op, x, address, memory), memarg.offset);
                    }
                }
                Ok(())
            }
            _ => Err(self.no_form()),
        }
    }

    /// `select` between vectors.
    pub(super) fn select_vector(&mut self) -> Result<()> {
        let ([yes, no], [condition]) = self.operands()?;
        self.make(word(Simd::V128Select.op(), 0, yes, no), &[condition.into()])
    }

    pub(super) fn global_get_vector(&mut self, index: u32) -> Result<()> {
        self.make(word_u32(Simd::V128GlobalGet.op(), 0, index), &[])
    }

    pub(super) fn global_set_vector(&mut self, index: u32) -> Result<()> {
        let ([x], []) = self.operands()?;
        self.emit(word_u32(Simd::V128GlobalSet.op(), x, index));
        Ok(())
    }

    /// Pops vectors and, above them, numbers into slots.
    fn operands<const V: usize, const N: usize>(&mut self) -> Result<([u16; V], [u16; N])> {
        let numbers = self.slots()?;
        let from = self.stack.len() - 2 * V;
        let mut vectors = [0; V];
        for at in (0..V).rev() {
            vectors[at] = self.pair(from + 2 * at)?;
        }
        self.truncate(from);
        Ok((vectors, numbers))
    }

    /// Pops a vector and, below it, an address.
    fn address_and_vector(&mut self) -> Result<(u16, u16)> {
        let ([x], []) = self.operands()?;
        let [address] = self.slots()?;
        Ok((address, x))
    }

    /// The first of the two slots in a row where the vector at `height` is.
    fn pair(&mut self, height: usize) -> Result<u16> {
        let home = self.home(height)?;
        match [self.stack[height].place, self.stack[height + 1].place] {
            [Place::Home, Place::Home] => return Ok(home),
            [Place::Local(low), Place::Local(high)] if low.checked_add(1) == Some(high) => {
                return Ok(low);
            }
            [Place::Const(low), Place::Const(high)] => self.constant(home, [low, high])?,
            places => {
                for (half, place) in places.into_iter().enumerate().rev() {
                    if place != Place::Home {
                        let operand = self.stack[height + half];
                        let slot = self.home(height + half)?;
                        self.move_to(slot, height + half, operand)?;
                    }
                }
            }
        }
        Ok(home)
    }

    /// Brings a constant into two slots.
    fn constant(&mut self, slot: u16, halves: [u64; 2]) -> Result<()> {
        self.emit(word(Simd::V128Const.op(), slot, 0, 0));
        self.code.extend(halves.map(u64::to_le));
        self.wrote_pair(slot);
        Ok(())
    }

    fn wrote_pair(&mut self, slot: u16) {
        self.wrote(slot);
        self.wrote(slot + 1);
        self.use_slots(usize::from(slot) + 2);
    }

    /// Emits an instruction whose operands have been popped, with its result where it is at home.
    fn make(&mut self, first: u64, behind: &[u64]) -> Result<()> {
        let height = self.stack.len();
        let home = self.home(height)?;
        self.vector = Some((self.code.len(), height));
        self.emit(first | u64::from(home) << 16);
        self.code.extend(behind.iter().map(|word| word.to_le()));
        self.push_home(ValType::V128)?;
        self.wrote_pair(home);
        Ok(())
    }

    /// `local.set` of a vector.
    pub(super) fn assign_vector(&mut self, slot: u16) -> Result<()> {
        let (high, low) = (self.pop(), self.pop());
        let height = self.stack.len();
        let places = [low.place, high.place];
        if places == [Place::Local(slot), Place::Local(slot + 1)] {
            return Ok(());
        }
        self.save_named(slot)?;
        self.save_named(slot + 1)?;
        match places {
            [Place::Home, Place::Home] if self.redirect(height, slot) => {}
            [Place::Const(low), Place::Const(high)] => self.constant(slot, [low, high])?,
            _ => {
                self.move_to(slot + 1, height + 1, high)?;
                self.move_to(slot, height, low)?;
            }
        }
        Ok(())
    }

    /// Lets the newest instruction write the vector at `height`, if it made that, to another place.
    fn redirect(&mut self, height: usize, slot: u16) -> bool {
        let Some((at, made)) = self.vector.take() else {
            return false;
        };
        if made != height || at < self.label {
            return false;
        }
        let first = self.code.get(at).map_or(0, |word| u64::from_le(*word));
        let words = info(op_of(first)).map_or(0, |info| operands::length(&info.operands, first));
        if at + words as usize != self.code.len() {
            return false;
        }
        let first = first & !(0xffff << 16) | u64::from(slot) << 16;
        self.code[at] = first.to_le();
        self.last = None;
        self.wrote_pair(slot);
        true
    }
}
