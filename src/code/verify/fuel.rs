//! Whether code that counts fuel can run without end for nothing.
//!
//! Code says itself what it costs: a function in its header, a branch in its second word, where a negative
//! number gives back what a skip leaves out. Whoever makes up an image could lie there. What must hold is that
//! every call and every way round takes at least one unit. For that a number is worked out for each
//! instruction: the most that can have been given back on the way to it. A branch forward carries it on; a
//! branch back has to cost more than what the number has grown by since its target, and a function more than
//! the number where it returns; as much, if it calls nothing, since an empty one costs nothing.

use super::{Refused, Rule, never_falls_through, refuse};
use crate::code::handlers::{self, Handler};
use crate::code::operands::{Ext, length};
use crate::code::{HEADER_WORDS, Op, info, op, op_of};
use alloc::vec;

/// Checks a function that [`function`](super::function) has passed.
pub fn check(code: &[u64], fuel: bool) -> Result<(), Refused> {
    let Some((code, handlers)) = handlers::split(code) else {
        return refuse(Rule::Header, 0);
    };
    if !fuel {
        return Ok(());
    }
    let word = |at: usize| u64::from_le(code[at]);
    let cost = i64::from(word(1) as u32);
    // Given back at most on the way to each word, or less than nothing where no way leads forward.
    let mut given = vec![i64::MIN; code.len() + 1];
    given[HEADER_WORDS] = 0;
    let mut most = 0;
    // The number where it returns, and whether it calls anything.
    let (mut returned, mut calls) = (0, false);
    let handlers = || handlers.iter().filter_map(Handler::decode);
    for handler in handlers() {
        // What throws may stand anywhere before it.
        if handler.target as usize >= handler.end as usize {
            given[handler.target as usize] = cost.max(1) - 1;
        }
    }
    let mut at = HEADER_WORDS;
    while at < code.len() {
        let first = word(at);
        let op = op_of(first);
        let Some(info) = info(op) else {
            return refuse(Rule::UnknownOpcode, at);
        };
        let words = length(&info.operands, first) as usize;
        let here = given[at].max(0);
        given[at] = here;
        most = most.max(here);
        let charges = charges(op);
        if matches!(info.operands.ext, Ext::Target | Ext::Targets) {
            for ext in at + 1..at + words {
                let target = (at as i64 + i64::from(word(ext) as i32)) as usize;
                let charge = if charges { (word(ext) as i64) >> 32 } else { 0 };
                if target > at {
                    given[target] = given[target].max(here - charge.min(0));
                } else if charge <= here - given[target] {
                    return refuse(Rule::Fuel, at);
                }
            }
        }
        let free = match op {
            op::Call | op::ReturnCall => true,
            op::CallIndirect | op::CallIndirectR | op::CallRef => word(at + 1) >> 32 == 0,
            _ => false,
        };
        let ends = never_falls_through(op);
        let leaves = ends && !matches!(info.operands.ext, Ext::Target | Ext::Targets);
        if free {
            return refuse(Rule::Fuel, at);
        }
        calls |= is_call(op);
        if leaves && op != op::Trap {
            returned = returned.max(here);
        }
        if !ends && at + words < code.len() {
            given[at + words] = given[at + words].max(here);
        }
        at += words;
    }
    if returned > cost || (calls && returned == cost) {
        return refuse(Rule::Fuel, 0);
    }
    for (number, handler) in handlers().enumerate() {
        let back = (handler.target as usize) < handler.end as usize;
        if back && i64::from(handler.fuel) <= most - given[handler.target as usize] {
            let at = code.len() + number * handlers::HANDLER_WORDS;
            return refuse(Rule::Fuel, at);
        }
    }
    Ok(())
}

/// Whether an instruction calls, or goes over to, another function.
fn is_call(op: Op) -> bool {
    let plain = matches!(
        op,
        op::Call | op::CallCharge | op::CallImport | op::CallIndirect
    );
    let tail = matches!(
        op,
        op::ReturnCall | op::ReturnCallCharge | op::ReturnCallImport | op::ReturnCallIndirect
    );
    let by_reference = matches!(op, op::CallIndirectR | op::CallRef | op::ReturnCallRef);
    plain || tail || by_reference
}

/// Whether a branch charges what its second word says: `br_charge`, `br_table` and the forms `C…`.
fn charges(op: Op) -> bool {
    let charging = matches!(op, op::BrCharge | op::BrTable | op::BrTableR);
    charging || info(op).is_some_and(|info| info.form.starts_with('C'))
}
