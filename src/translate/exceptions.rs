//! Exceptions: which handlers cover which instructions, and the operators that throw.
//!
//! A `try_table` emits nothing: its clauses become entries of the table behind the function's code once
//! it is known where it ends. What a handler takes goes where its label's operands live.

use super::Translator;
use super::control::Kind;
use super::stack::{Held, Place};
use crate::code::handlers::{self, Handler, Takes};
use crate::code::{op, word, word_u32};
use crate::error::{Error, ErrorKind, Result};
use wasmparser::{Catch, TryTable};

/// A clause of an open `try_table`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clause {
    takes: Takes,
    tag: u32,
    /// The frame whose label it goes to.
    frame: usize,
    slot: u16,
}

impl Translator<'_> {
    pub(super) fn try_table(&mut self, table: &TryTable) -> Result<()> {
        self.settle_all(0)?;
        // No instruction moves over the beginning of what is covered.
        self.bind();
        let clauses = self.clauses.len();
        for catch in &table.catches {
            let (all, reference, tag, label) = match *catch {
                Catch::One { tag, label } => (false, false, tag, label),
                Catch::OneRef { tag, label } => (false, true, tag, label),
                Catch::All { label } => (true, false, 0, label),
                Catch::AllRef { label } => (true, true, 0, label),
            };
            let (frame, height, arity) = self.destination(label);
            let slot = self.home(height)?;
            self.home(height + arity)?;
            self.use_slots(usize::from(slot) + arity);
            self.clauses.push(Clause {
                takes: Takes { all, reference },
                tag,
                frame,
                slot,
            });
        }
        let start = self.code.len();
        self.open(Kind::Try { start, clauses }, table.ty)
    }

    /// Makes handlers of the clauses from `clauses` on, which cover what was emitted since `start`.
    pub(super) fn close_try(&mut self, start: usize, clauses: usize) {
        let end = self.code.len();
        for at in clauses..self.clauses.len() {
            if start == end {
                break;
            }
            let clause = self.clauses[at];
            let number = self.handlers.len();
            let mut handler = Handler {
                start: start as u32,
                end: end as u32,
                target: 0,
                slot: clause.slot,
                takes: clause.takes,
                tag: clause.tag,
                fuel: 0,
            };
            match self.frames[clause.frame].kind {
                Kind::Loop { start, cost, .. } => {
                    handler.target = start as u32;
                    handler.fuel = self.charge_since(cost) as u32;
                }
                Kind::Function => self.returning.push(number),
                _ => {
                    let frame = &mut self.frames[clause.frame];
                    frame.held = Some([Held::Nothing; 3]);
                    frame.handlers.push(number);
                }
            }
            self.handlers.push(handler);
        }
        self.clauses.truncate(clauses);
    }

    /// Points handlers to the next instruction.
    pub(super) fn handlers_arrive(&mut self, numbers: &[usize]) {
        let target = self.code.len() as u32;
        for &number in numbers {
            self.handlers[number].target = target;
        }
    }

    /// Behind the function's last instruction: where handlers go whose label is the function's own.
    pub(super) fn return_handled(&mut self) -> Result<()> {
        if self.returning.is_empty() {
            return Ok(());
        }
        let numbers = core::mem::take(&mut self.returning);
        self.handlers_arrive(&numbers);
        self.forget();
        self.bind();
        self.truncate(0);
        for at in 0..self.results.len() {
            self.push(self.results[at], Place::Home)?;
        }
        self.return_values()
    }

    /// Appends the handlers to the code and counts them in the header.
    pub(super) fn append_handlers(&mut self) -> Result<()> {
        let counted = handlers::count_in(self.code[0], self.handlers.len());
        self.code[0] = counted.ok_or_else(|| {
            let why = "a function with more than 65,535 handlers of exceptions";
            Error::at(ErrorKind::Unsupported, why, self.offset)
        })?;
        for handler in &self.handlers {
            self.code.extend(handler.encode());
        }
        Ok(())
    }

    pub(super) fn throw(&mut self, tag: u32) -> Result<()> {
        let count = self.module.tag_type(tag).param_slots();
        let start = self.stack.len() - count;
        for at in (start..self.stack.len()).rev() {
            self.settle(at)?;
        }
        let start = self.home(start)?;
        self.use_slots(usize::from(start) + count);
        self.emit(word_u32(op::Throw, start, tag));
        self.stop();
        Ok(())
    }

    pub(super) fn throw_ref(&mut self) -> Result<()> {
        let operand = self.pop();
        let slot = self.slot_of(self.stack.len(), operand)?;
        self.emit(word(op::ThrowRef, slot, 0, 0));
        self.stop();
        Ok(())
    }
}
