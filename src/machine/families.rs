//! The handlers of instruction families: one generic function each, over what a row computes and
//! where a form finds its operands. A row or a form is a type; no handler is written twice.
// What only the fast tier has is dispatched to where that is built.
#![cfg_attr(not(feature = "fast"), allow(dead_code))]

use super::regs::{A, Dst, Exit, Flow, I, J, K, L, P, R, Regs, S, Src, T, Value};
use crate::error::Trap;
use crate::numeric::*;
use core::marker::PhantomData;

/// Advances by `$words` and goes on, or leaves with the trap.
macro_rules! done {
    ($r:ident, $words:expr, $dst:ty, $field:expr, $value:expr) => {
        match $value {
            Ok(value) => {
                let field = $field;
                <$dst>::put($r, field, value);
                $r.step($words);
                Flow::Next
            }
            Err(trap) => Flow::from(trap),
        }
    };
}

/// A binary operator.
pub(crate) trait BinOp {
    type In: Value;
    type Out: Value;
    fn eval(a: Self::In, b: Self::In) -> Result<Self::Out, Trap>;
}
/// The form of a binary operator or of a comparison.
pub(crate) trait Form3 {
    type D: Dst;
    type A: Src;
    type B: Src;
    const WORDS: usize = 1;
}
/// `dst := lhs op rhs`.
#[inline(always)]
pub(crate) fn bin<O: BinOp, F: Form3>(r: &mut Regs) -> Flow {
    let value = O::eval(F::A::get(r, r.b()), F::B::get(r, r.c()));
    done!(r, F::WORDS, F::D, r.a(), value)
}

/// A unary operator.
pub(crate) trait UnOp {
    type In: Value;
    type Out: Value;
    fn eval(a: Self::In) -> Result<Self::Out, Trap>;
}
/// The form of a unary operator.
pub(crate) trait Form2 {
    type D: Dst;
    type A: Src;
}
/// `dst := op src`.
#[inline(always)]
pub(crate) fn un<O: UnOp, F: Form2>(r: &mut Regs) -> Flow {
    let value = O::eval(F::A::get(r, r.b()));
    done!(r, 1, F::D, r.a(), value)
}

/// A branch's condition.
pub(crate) trait Cond {
    type In: Value;
    fn holds(a: Self::In, b: Self::In) -> bool;
}
/// The form of a conditional branch.
pub(crate) trait FormBr {
    type A: Src;
    type B: Src;
    const CHARGED: bool;
}
/// `if lhs op rhs { ip += offset }`.
#[inline(always)]
pub(crate) fn br<O: Cond, F: FormBr>(r: &mut Regs) -> Flow {
    let holds = O::holds(F::A::get(r, r.b()), F::B::get(r, r.c()));
    branch::<F>(r, holds)
}
#[inline(always)]
fn branch<F: FormBr>(r: &mut Regs, holds: bool) -> Flow {
    if holds {
        if F::CHARGED {
            charged_jump(r)
        } else {
            plain_jump(r)
        }
    } else {
        r.step(2);
        Flow::Next
    }
}

/// A condition on a number that was added to before.
pub(crate) trait StepOp {
    fn add(r: &Regs) -> u64;
    fn holds(value: u64, right: u64) -> bool;
}
/// `S[a], r0 := S[a] + c; if that op rhs { ip += offset }`.
#[inline(always)]
pub(crate) fn step<O: StepOp, F: FormBr>(r: &mut Regs) -> Flow {
    let right = F::B::get::<u64>(r, r.b());
    let value = O::add(r);
    T::put(r, r.a(), value);
    branch::<F>(r, O::holds(value, right))
}

#[inline(always)]
pub(crate) fn plain_jump(r: &mut Regs) -> Flow {
    r.jump(r.ext() as i32);
    Flow::Taken
}
/// Takes the fuel, completes the branch, then stops if there was too little.
#[inline(always)]
pub(crate) fn charged_jump(r: &mut Regs) -> Flow {
    let ext = r.ext();
    r.jump(ext as i32);
    let charge = i64::from((ext >> 32) as i32);
    let left = r.ctx().fuel - charge;
    r.ctx_mut().fuel = left;
    if left < 0 && charge > 0 {
        Exit::Fuel.into()
    } else {
        Flow::Taken
    }
}

/// What a load reads.
pub(crate) trait LoadOp<const N: usize> {
    type Out: Value;
    fn value(bytes: [u8; N]) -> Self::Out;
}
/// Where in memory an access is.
pub(crate) trait Place {
    const WORDS: usize;
    fn at<const N: usize>(r: &Regs) -> Result<*mut [u8; N], Trap>;
}
/// In memory 0, at the address and the offset in field `c`.
pub(crate) struct Near<A>(PhantomData<A>);
impl<A: Src> Place for Near<A> {
    const WORDS: usize = 1;
    #[inline(always)]
    fn at<const N: usize>(r: &Regs) -> Result<*mut [u8; N], Trap> {
        r.at(A::get::<u32>(r, r.b()), r.c().into())
    }
}
/// In any memory, at the address and the second word's offset.
pub(crate) struct Wide;
impl Place for Wide {
    const WORDS: usize = 2;
    #[inline(always)]
    fn at<const N: usize>(r: &Regs) -> Result<*mut [u8; N], Trap> {
        r.wide(r.c(), r.get(r.b()), r.ext())
    }
}
/// In memory 0, at the address that the instruction says.
pub(crate) struct Absolute;
impl Place for Absolute {
    const WORDS: usize = 1;
    #[inline(always)]
    fn at<const N: usize>(r: &Regs) -> Result<*mut [u8; N], Trap> {
        r.at(r.bc(), 0)
    }
}
/// In memory 0, at a sum of 32 bits and the offset in the second word's high half.
pub(crate) struct Sum<A, B>(PhantomData<(A, B)>);
impl<A: Src, B: Src> Place for Sum<A, B> {
    const WORDS: usize = 2;
    #[inline(always)]
    fn at<const N: usize>(r: &Regs) -> Result<*mut [u8; N], Trap> {
        let (a, b) = (A::get::<u32>(r, r.b()), B::get::<u32>(r, r.c()));
        r.at(a.wrapping_add(b), r.ext_high())
    }
}

/// The form of a load.
pub(crate) trait FormLoad {
    type D: Dst;
    type At: Place;
}
/// `dst := memory[place]`.
#[inline(always)]
pub(crate) fn load<const N: usize, O: LoadOp<N>, F: FormLoad>(r: &mut Regs) -> Flow {
    // SAFETY: a place is N readable bytes of linear memory.
    let value = F::At::at(r).map(|at: *mut [u8; N]| O::value(unsafe { at.read() }));
    done!(r, F::At::WORDS, F::D, r.a(), value)
}

/// A binary operator whose right operand is in memory.
pub(crate) trait MemOp {
    type Op: BinOp;
    fn right(r: &Regs) -> Result<<Self::Op as BinOp>::In, Trap>;
}
/// `dst := lhs op memory[place]`.
#[inline(always)]
pub(crate) fn mem<O: MemOp, F: Form2>(r: &mut Regs) -> Flow {
    let right = match O::right(r) {
        Ok(right) => right,
        Err(trap) => return trap.into(),
    };
    done!(r, 2, F::D, r.a(), O::Op::eval(F::A::get(r, r.b()), right))
}

/// What a store writes.
pub(crate) trait StoreOp<const N: usize> {
    type In: Value;
    fn bytes(value: Self::In) -> [u8; N];
}
/// The form of a store.
pub(crate) trait FormStore {
    type V: Src;
    type At: Place;
}
/// `memory[place] := value`.
#[inline(always)]
pub(crate) fn store<const N: usize, O: StoreOp<N>, F: FormStore>(r: &mut Regs) -> Flow {
    match F::At::at(r) {
        Ok(at) => {
            let bytes: [u8; N] = O::bytes(F::V::get(r, r.a()));
            // SAFETY: a place is N writable bytes of linear memory.
            unsafe { at.write(bytes) };
            r.step(F::At::WORDS);
            Flow::Next
        }
        Err(trap) => trap.into(),
    }
}

macro_rules! forms {
    ($trait:ident $($form:ident: $($item:ident = $ty:ty),*;)*) => { forms! { $trait {} $($form: $($item = $ty),*;)* } };
    ($trait:ident $more:tt $($form:ident: $($item:ident = $ty:ty),*;)*) => {
        $( forms! { @one $trait $more $form: $($item = $ty),*; } )*
    };
    (@one $trait:ident { $($more:tt)* } $form:ident: $($item:ident = $ty:ty),*;) => {
        pub(crate) struct $form; impl super::super::$trait for $form { $( type $item = $ty; )* $($more)* }
    };
}

/// The forms of the table as types.
pub(crate) mod forms {
    pub(crate) mod bin {
        use super::super::{I, K, P, R, S, T};
        forms! { Form3
            Sss: D = S, A = S, B = S; Ssi: D = S, A = S, B = I; Sis: D = S, A = I, B = S;
            Rss: D = R, A = S, B = S; Rsi: D = R, A = S, B = I; Ris: D = R, A = I, B = S;
            Rrs: D = R, A = R, B = S; Rsr: D = R, A = S, B = R; Rri: D = R, A = R, B = I; Rir: D = R, A = I, B = R;
            Tss: D = T, A = S, B = S; Tsi: D = T, A = S, B = I;
            Trs: D = T, A = R, B = S; Tsr: D = T, A = S, B = R; Tri: D = T, A = R, B = I;
            Rps: D = R, A = P, B = S; Rsp: D = R, A = S, B = P; Rpi: D = R, A = P, B = I;
            Rpr: D = R, A = P, B = R; Rrp: D = R, A = R, B = P;
            Pps: D = P, A = P, B = S; Ppi: D = P, A = P, B = I; Ppr: D = P, A = P, B = R;
        }
        forms! { Form3 { const WORDS: usize = 2; }
            Rsk: D = R, A = S, B = K; Rrk: D = R, A = R, B = K; Tsk: D = T, A = S, B = K; Trk: D = T, A = R, B = K;
            Rks: D = R, A = K, B = S; Rkr: D = R, A = K, B = R;
        }
        forms! { Form3
            Pss: D = P, A = S, B = S; Psi: D = P, A = S, B = I; Prs: D = P, A = R, B = S; Pri: D = P, A = R, B = I;
        }
    }
    pub(crate) mod un {
        use super::super::{R, S, T};
        forms! { Form2
            Ss: D = S, A = S; Rs: D = R, A = S; Rr: D = R, A = R; Tr: D = T, A = R; Ts: D = T, A = S;
        }
    }
    pub(crate) mod mem {
        use super::super::{R, S, T};
        forms! { Form2
            Rs: D = R, A = S; Rr: D = R, A = R; Ts: D = T, A = S; Tr: D = T, A = R;
        }
    }
    pub(crate) mod br {
        use super::super::{A, I, J, P, R, S};
        forms! { FormBr { const CHARGED: bool = false; }
            Bss: A = S, B = S; Bsi: A = S, B = I; Brs: A = R, B = S; Bsr: A = S, B = R; Bri: A = R, B = I;
            Bps: A = P, B = S; Bsp: A = S, B = P; Bpi: A = P, B = I; Bsj: A = A, B = J; Brj: A = R, B = J;
        }
        forms! { FormBr { const CHARGED: bool = true; }
            Css: A = S, B = S; Csi: A = S, B = I; Crs: A = R, B = S; Csr: A = S, B = R; Cri: A = R, B = I;
            Cps: A = P, B = S; Csp: A = S, B = P; Cpi: A = P, B = I; Csj: A = A, B = J; Crj: A = R, B = J;
        }
    }
    pub(crate) mod step {
        use super::super::{I, S};
        forms! { FormBr { const CHARGED: bool = false; }
            Bs: A = S, B = S; Bi: A = S, B = I;
        }
        forms! { FormBr { const CHARGED: bool = true; }
            Cs: A = S, B = S; Ci: A = S, B = I;
        }
    }
    pub(crate) mod load {
        use super::super::{Absolute, L, Near, P, R, S, Sum, T, Wide};
        forms! { FormLoad
            Ss: D = S, At = Near<S>; Rs: D = R, At = Near<S>; Ts: D = T, At = Near<S>;
            Rr: D = R, At = Near<R>; Tr: D = T, At = Near<R>; Rp: D = R, At = Near<P>; Sp: D = S, At = Near<P>;
            W: D = S, At = Wide; Sa: D = S, At = Absolute; Ra: D = R, At = Absolute;
            Ssd: D = S, At = Sum<S, L>; Rsd: D = R, At = Sum<S, L>; Tsd: D = T, At = Sum<S, L>;
            Rrd: D = R, At = Sum<R, L>; Trd: D = T, At = Sum<R, L>; Rpd: D = R, At = Sum<P, L>;
            Sx: D = S, At = Sum<S, S>; Rx: D = R, At = Sum<S, S>; Tx: D = T, At = Sum<S, S>; Rrx: D = R, At = Sum<R, S>;
            Trx: D = T, At = Sum<R, S>;
        }
    }
    pub(crate) mod store {
        use super::super::{Absolute, I, L, Near, P, R, S, Sum, Wide};
        forms! { FormStore
            Mss: At = Near<S>, V = S; Msr: At = Near<S>, V = R; Msi: At = Near<S>, V = I;
            Mrs: At = Near<R>, V = S; Mri: At = Near<R>, V = I;
            Mps: At = Near<P>, V = S; Mpr: At = Near<P>, V = R; Mpi: At = Near<P>, V = I;
            W: At = Wide, V = S; Mas: At = Absolute, V = S; Mar: At = Absolute, V = R; Mai: At = Absolute, V = I;
            Mssd: At = Sum<S, L>, V = S; Msrd: At = Sum<S, L>, V = R; Msid: At = Sum<S, L>, V = I;
            Mrsd: At = Sum<R, L>, V = S; Mrid: At = Sum<R, L>, V = I;
        }
    }
}

/// The rows of the table as types.
pub(crate) mod rows {
    use super::*;

    macro_rules! bins {
        ($($row:ident: $in:ty => $out:ty, |$a:ident, $b:ident| $value:expr;)*) => {
            $( pub(crate) struct $row;
               impl BinOp for $row {
                   type In = $in;
                   type Out = $out;
                   #[inline(always)]
                   #[allow(clippy::neg_cmp_op_on_partial_ord)]
                   fn eval($a: $in, $b: $in) -> Result<$out, Trap> { $value }
               } )*
        };
    }
    bins! {
        I32Add: u32 => u32, |a, b| Ok(a.wrapping_add(b));
        I32Sub: u32 => u32, |a, b| Ok(a.wrapping_sub(b));
        I32Mul: u32 => u32, |a, b| Ok(a.wrapping_mul(b));
        I32And: u32 => u32, |a, b| Ok(a & b);
        I32Or: u32 => u32, |a, b| Ok(a | b);
        I32Xor: u32 => u32, |a, b| Ok(a ^ b);
        I32Shl: u32 => u32, |a, b| Ok(a.wrapping_shl(b));
        I32ShrS: u32 => u32, |a, b| Ok((a as i32).wrapping_shr(b) as u32);
        I32ShrU: u32 => u32, |a, b| Ok(a.wrapping_shr(b));
        I32Rotl: u32 => u32, |a, b| Ok(a.rotate_left(b & 31));
        I32Rotr: u32 => u32, |a, b| Ok(a.rotate_right(b & 31));
        I32DivS: u32 => u32, |a, b| i32s::div_s(a, b);
        I32DivU: u32 => u32, |a, b| i32s::div_u(a, b);
        I32RemS: u32 => u32, |a, b| i32s::rem_s(a, b);
        I32RemU: u32 => u32, |a, b| i32s::rem_u(a, b);
        I32Eq: u32 => u32, |a, b| Ok((a == b).into());
        I32Ne: u32 => u32, |a, b| Ok((a != b).into());
        I32LtS: u32 => u32, |a, b| Ok(((a as i32) < b as i32).into());
        I32LtU: u32 => u32, |a, b| Ok((a < b).into());
        I32GeS: u32 => u32, |a, b| Ok((a as i32 >= b as i32).into());
        I32GeU: u32 => u32, |a, b| Ok((a >= b).into());
        I64Add: u64 => u64, |a, b| Ok(a.wrapping_add(b));
        I64Sub: u64 => u64, |a, b| Ok(a.wrapping_sub(b));
        I64Mul: u64 => u64, |a, b| Ok(a.wrapping_mul(b));
        I64And: u64 => u64, |a, b| Ok(a & b);
        I64Or: u64 => u64, |a, b| Ok(a | b);
        I64Xor: u64 => u64, |a, b| Ok(a ^ b);
        I64Shl: u64 => u64, |a, b| Ok(a.wrapping_shl(b as u32));
        I64ShrS: u64 => u64, |a, b| Ok((a as i64).wrapping_shr(b as u32) as u64);
        I64ShrU: u64 => u64, |a, b| Ok(a.wrapping_shr(b as u32));
        I64Rotl: u64 => u64, |a, b| Ok(a.rotate_left((b & 63) as u32));
        I64Rotr: u64 => u64, |a, b| Ok(a.rotate_right((b & 63) as u32));
        I64DivS: u64 => u64, |a, b| i64s::div_s(a, b);
        I64DivU: u64 => u64, |a, b| i64s::div_u(a, b);
        I64RemS: u64 => u64, |a, b| i64s::rem_s(a, b);
        I64RemU: u64 => u64, |a, b| i64s::rem_u(a, b);
        I64Eq: u64 => u32, |a, b| Ok((a == b).into());
        I64Ne: u64 => u32, |a, b| Ok((a != b).into());
        I64LtS: u64 => u32, |a, b| Ok(((a as i64) < b as i64).into());
        I64LtU: u64 => u32, |a, b| Ok((a < b).into());
        I64GeS: u64 => u32, |a, b| Ok((a as i64 >= b as i64).into());
        I64GeU: u64 => u32, |a, b| Ok((a >= b).into());
        F32Add: f32 => f32, |a, b| Ok(f32s::add(a, b));
        F32Sub: f32 => f32, |a, b| Ok(f32s::sub(a, b));
        F32Mul: f32 => f32, |a, b| Ok(f32s::mul(a, b));
        F32Div: f32 => f32, |a, b| Ok(f32s::div(a, b));
        F32Min: f32 => f32, |a, b| Ok(f32s::min(a, b));
        F32Max: f32 => f32, |a, b| Ok(f32s::max(a, b));
        F32Copysign: f32 => f32, |a, b| Ok(f32s::copysign(a, b));
        F32Eq: f32 => u32, |a, b| Ok((a == b).into());
        F32Ne: f32 => u32, |a, b| Ok((a != b).into());
        F32Lt: f32 => u32, |a, b| Ok((a < b).into());
        F32Le: f32 => u32, |a, b| Ok((a <= b).into());
        F32NotLt: f32 => u32, |a, b| Ok((!(a < b)).into());
        F32NotLe: f32 => u32, |a, b| Ok((!(a <= b)).into());
        F64Add: f64 => f64, |a, b| Ok(f64s::add(a, b));
        F64Sub: f64 => f64, |a, b| Ok(f64s::sub(a, b));
        F64Mul: f64 => f64, |a, b| Ok(f64s::mul(a, b));
        F64Div: f64 => f64, |a, b| Ok(f64s::div(a, b));
        F64Min: f64 => f64, |a, b| Ok(f64s::min(a, b));
        F64Max: f64 => f64, |a, b| Ok(f64s::max(a, b));
        F64Copysign: f64 => f64, |a, b| Ok(f64s::copysign(a, b));
        F64Eq: f64 => u32, |a, b| Ok((a == b).into());
        F64Ne: f64 => u32, |a, b| Ok((a != b).into());
        F64Lt: f64 => u32, |a, b| Ok((a < b).into());
        F64Le: f64 => u32, |a, b| Ok((a <= b).into());
        F64NotLt: f64 => u32, |a, b| Ok((!(a < b)).into());
        F64NotLe: f64 => u32, |a, b| Ok((!(a <= b)).into());
    }

    macro_rules! uns {
        ($($row:ident: $in:ty => $out:ty, |$a:ident| $value:expr;)*) => {
            $( pub(crate) struct $row;
               impl UnOp for $row {
                   type In = $in;
                   type Out = $out;
                   #[inline(always)]
                   fn eval($a: $in) -> Result<$out, Trap> { $value }
               } )*
        };
    }
    uns! {
        I32Clz: u32 => u32, |a| Ok(a.leading_zeros());
        I32Ctz: u32 => u32, |a| Ok(a.trailing_zeros());
        I32Popcnt: u32 => u32, |a| Ok(a.count_ones());
        I64Clz: u64 => u64, |a| Ok(a.leading_zeros().into());
        I64Ctz: u64 => u64, |a| Ok(a.trailing_zeros().into());
        I64Popcnt: u64 => u64, |a| Ok(a.count_ones().into());
        Extend8S: u64 => u64, |a| Ok(i64::from(a as i8) as u64);
        Extend16S: u64 => u64, |a| Ok(i64::from(a as i16) as u64);
        Extend32S: u64 => u64, |a| Ok(i64::from(a as i32) as u64);
        Extend32U: u64 => u64, |a| Ok(u64::from(a as u32));
        Clamp32U: u64 => u64, |a| Ok(a.min(u32::MAX.into()));
        F32Abs: f32 => f32, |a| Ok(f32s::abs(a));
        F32Neg: f32 => f32, |a| Ok(f32s::neg(a));
        F32Ceil: f32 => f32, |a| Ok(f32s::ceil(a));
        F32Floor: f32 => f32, |a| Ok(f32s::floor(a));
        F32Trunc: f32 => f32, |a| Ok(f32s::trunc(a));
        F32Nearest: f32 => f32, |a| Ok(f32s::nearest(a));
        F32Sqrt: f32 => f32, |a| Ok(f32s::sqrt(a));
        F64Abs: f64 => f64, |a| Ok(f64s::abs(a));
        F64Neg: f64 => f64, |a| Ok(f64s::neg(a));
        F64Ceil: f64 => f64, |a| Ok(f64s::ceil(a));
        F64Floor: f64 => f64, |a| Ok(f64s::floor(a));
        F64Trunc: f64 => f64, |a| Ok(f64s::trunc(a));
        F64Nearest: f64 => f64, |a| Ok(f64s::nearest(a));
        F64Sqrt: f64 => f64, |a| Ok(f64s::sqrt(a));
        I32TruncF32S: f32 => u32, |a| i32_trunc_f32_s(a);
        I32TruncF32U: f32 => u32, |a| i32_trunc_f32_u(a);
        I32TruncF64S: f64 => u32, |a| i32_trunc_f64_s(a);
        I32TruncF64U: f64 => u32, |a| i32_trunc_f64_u(a);
        I64TruncF32S: f32 => u64, |a| i64_trunc_f32_s(a);
        I64TruncF32U: f32 => u64, |a| i64_trunc_f32_u(a);
        I64TruncF64S: f64 => u64, |a| i64_trunc_f64_s(a);
        I64TruncF64U: f64 => u64, |a| i64_trunc_f64_u(a);
        // Rust's casts saturate and turn NaN into zero, as these do.
        I32TruncSatF32S: f32 => u32, |a| Ok(a as i32 as u32);
        I32TruncSatF32U: f32 => u32, |a| Ok(a as u32);
        I32TruncSatF64S: f64 => u32, |a| Ok(a as i32 as u32);
        I32TruncSatF64U: f64 => u32, |a| Ok(a as u32);
        I64TruncSatF32S: f32 => u64, |a| Ok(a as i64 as u64);
        I64TruncSatF32U: f32 => u64, |a| Ok(a as u64);
        I64TruncSatF64S: f64 => u64, |a| Ok(a as i64 as u64);
        I64TruncSatF64U: f64 => u64, |a| Ok(a as u64);
        F32ConvertI32S: u32 => f32, |a| Ok(a as i32 as f32);
        F32ConvertI32U: u32 => f32, |a| Ok(a as f32);
        F32ConvertI64S: u64 => f32, |a| Ok(a as i64 as f32);
        F32ConvertI64U: u64 => f32, |a| Ok(a as f32);
        F64ConvertI32S: u32 => f64, |a| Ok(f64::from(a as i32));
        F64ConvertI32U: u32 => f64, |a| Ok(f64::from(a));
        F64ConvertI64S: u64 => f64, |a| Ok(a as i64 as f64);
        F64ConvertI64U: u64 => f64, |a| Ok(a as f64);
        F32DemoteF64: f64 => f32, |a| Ok(f32s::canonical(a as f32));
        F64PromoteF32: f32 => f64, |a| Ok(f64s::canonical(f64::from(a)));
    }

    macro_rules! mems {
        ($($number:ty: $($row:ident $op:ident),*;)*) => {
            $($( pub(crate) struct $row;
               impl MemOp for $row {
                   type Op = $op;
                   #[inline(always)]
                   fn right(r: &Regs) -> Result<$number, Trap> {
                       // SAFETY: a place is as many readable bytes of linear memory.
                       Sum::<L, S>::at(r).map(|at| <$number>::from_le_bytes(unsafe { *at }))
                   }
               } )*)*
        };
    }
    mems! {
        u32: I32AddMem I32Add, I32SubMem I32Sub, I32MulMem I32Mul, I32AndMem I32And, I32OrMem I32Or, I32XorMem I32Xor;
        u64: I64AddMem I64Add, I64SubMem I64Sub, I64MulMem I64Mul, I64AndMem I64And, I64OrMem I64Or, I64XorMem I64Xor;
        f32: F32AddMem F32Add, F32SubMem F32Sub, F32MulMem F32Mul;
        f64: F64AddMem F64Add, F64SubMem F64Sub, F64MulMem F64Mul;
    }

    macro_rules! conds {
        ($($row:ident: $in:ty, |$a:ident, $b:ident| $value:expr;)*) => {
            $( pub(crate) struct $row;
               impl Cond for $row {
                   type In = $in;
                   #[inline(always)]
                   #[allow(clippy::neg_cmp_op_on_partial_ord)]
                   fn holds($a: $in, $b: $in) -> bool { $value }
               } )*
        };
    }
    conds! {
        BrI32Eq: u32, |a, b| a == b;
        BrI32Ne: u32, |a, b| a != b;
        BrI32LtS: u32, |a, b| (a as i32) < b as i32;
        BrI32LtU: u32, |a, b| a < b;
        BrI32GeS: u32, |a, b| a as i32 >= b as i32;
        BrI32GeU: u32, |a, b| a >= b;
        BrI64Eq: u64, |a, b| a == b;
        BrI64Ne: u64, |a, b| a != b;
        BrI64LtS: u64, |a, b| (a as i64) < b as i64;
        BrI64LtU: u64, |a, b| a < b;
        BrI64GeS: u64, |a, b| a as i64 >= b as i64;
        BrI64GeU: u64, |a, b| a >= b;
        BrF32Eq: f32, |a, b| a == b;
        BrF32Ne: f32, |a, b| a != b;
        BrF32Lt: f32, |a, b| a < b;
        BrF32Le: f32, |a, b| a <= b;
        BrF32NotLt: f32, |a, b| !(a < b);
        BrF32NotLe: f32, |a, b| !(a <= b);
        BrF64Eq: f64, |a, b| a == b;
        BrF64Ne: f64, |a, b| a != b;
        BrF64Lt: f64, |a, b| a < b;
        BrF64Le: f64, |a, b| a <= b;
        BrF64NotLt: f64, |a, b| !(a < b);
        BrF64NotLe: f64, |a, b| !(a <= b);
    }

    macro_rules! steps {
        ($($number:ty: $($row:ident $cond:ident),*;)*) => {
            $($( pub(crate) struct $row;
               impl StepOp for $row {
                   #[inline(always)]
                   fn add(r: &Regs) -> u64 {
                       let value = S::get::<$number>(r, r.a()).wrapping_add(I::get(r, r.c()));
                       value.into()
                   }
                   #[inline(always)]
                   fn holds(value: u64, right: u64) -> bool {
                       $cond::holds(value as $number, right as $number)
                   }
               } )*)*
        };
    }
    steps! {
        u32: StepI32Ne BrI32Ne, StepI32LtS BrI32LtS, StepI32LtU BrI32LtU, StepI32GeS BrI32GeS;
        u64: StepI64Ne BrI64Ne, StepI64LtS BrI64LtS, StepI64LtU BrI64LtU, StepI64GeS BrI64GeS;
    }

    macro_rules! loads {
        ($($row:ident: $n:literal => $out:ty, |$b:ident| $value:expr;)*) => {
            $( pub(crate) struct $row;
               impl LoadOp<$n> for $row {
                   type Out = $out;
                   #[inline(always)]
                   fn value($b: [u8; $n]) -> $out { $value }
               } )*
        };
    }
    loads! {
        Load8S: 1 => u64, |b| i64::from(b[0] as i8) as u64;
        Load8U: 1 => u64, |b| b[0].into();
        Load16S: 2 => u64, |b| i64::from(i16::from_le_bytes(b)) as u64;
        Load16U: 2 => u64, |b| u16::from_le_bytes(b).into();
        Load32S: 4 => u64, |b| i64::from(i32::from_le_bytes(b)) as u64;
        Load32: 4 => u64, |b| u32::from_le_bytes(b).into();
        Load64: 8 => u64, |b| u64::from_le_bytes(b);
        LoadF32: 4 => f32, |b| f32::from_bits(u32::from_le_bytes(b));
        LoadF64: 8 => f64, |b| f64::from_bits(u64::from_le_bytes(b));
    }

    macro_rules! stores {
        ($($row:ident: $in:ty => $n:literal, |$v:ident| $value:expr;)*) => {
            $( pub(crate) struct $row;
               impl StoreOp<$n> for $row {
                   type In = $in;
                   #[inline(always)]
                   fn bytes($v: $in) -> [u8; $n] { $value }
               } )*
        };
    }
    stores! {
        Store8: u64 => 1, |v| [v as u8];
        Store16: u64 => 2, |v| (v as u16).to_le_bytes();
        Store32: u64 => 4, |v| (v as u32).to_le_bytes();
        Store64: u64 => 8, |v| v.to_le_bytes();
        StoreF32: f32 => 4, |v| v.to_bits().to_le_bytes();
        StoreF64: f64 => 8, |v| v.to_bits().to_le_bytes();
    }
}
