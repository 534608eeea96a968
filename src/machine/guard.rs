//! The guard: whatever runs, the native stack stays flat.
//!
//! Every instruction runs thousands of times on a native stack of 64 KiB, which would overflow if
//! each execution kept a few bytes of it. On x86-64 every handler but those on vectors is also
//! disassembled: it must reach the next one by a jump, with the stack pointer where it was, and call
//! nothing; but two that move bytes may call what moves them and returns. A handler that is made wrong on
//! purpose shows that both notice. CI runs these tests in the release profile too, where the disassembly is
//! free of debug checks.

use super::Thread;
use super::driver::{Entered, Event, after_import, resume};
use crate::code::forged::{self, IMPORTED_FUNCS, ty};
use crate::code::{Op, Tier, all, info, op, word, word_u32};
use crate::error::Trap;
use crate::fallible::Shared;
use crate::store::{
    Callee, CoreInstance, FuncEntity, FuncKind, MemoryEntity, RefArena, StoreInner, TableEntity,
};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use std::format;

/// The native stack that everything has to run on.
const NATIVE_STACK: usize = 64 << 10;
/// Executions in a row: with sixteen bytes of stack each they would need twice as much.
const REPEATED: usize = 8192;
/// Imported function 1 is a function of another instance, 0 is the host's.
const FAR: u16 = 1;

const RET: u64 = word(op::Ret, 0, 0, 0);

/// A store with two instances of a forged module whose functions have this code.
fn store(functions: &[(u32, Vec<u64>)]) -> StoreInner {
    store_with(forged::FRAME, functions)
}

/// As `store`, with so many slots in each function's frame.
pub(super) fn store_with(frame: u16, functions: &[(u32, Vec<u64>)]) -> StoreInner {
    let types: Vec<u32> = functions.iter().map(|(ty, _)| *ty).collect();
    let code = (0..).zip(functions);
    let code = code.map(|(func, (ty, words))| forged::function_with(frame, func, *ty, words));
    store_of(&types, code.collect())
}

/// As `store`, of whole functions with these types.
pub(super) fn store_of(types: &[u32], code: Vec<Box<[u64]>>) -> StoreInner {
    let module = forged::module(types);
    for (decl, code) in module.funcs.iter().zip(code) {
        decl.code.call_once(|| code.into());
    }
    let module = Shared::new(module).unwrap();
    let entity = |kind, ty: u32| {
        let ty_of = &module.types[ty as usize];
        let (params, results) = (ty_of.param_slots(), ty_of.result_slots());
        FuncEntity::new(ty, params as u16, results as u16, kind)
    };
    let wasm = |instance, func| FuncKind::Wasm { instance, func };
    let mut funcs = vec![
        entity(FuncKind::Host(Callee::Host(0).into()), ty::NOTHING),
        entity(wasm(1, IMPORTED_FUNCS + 1), ty::NOTHING),
    ];
    let of_the_second = funcs.len() as u32 + types.len() as u32;
    for instance in 0..2 {
        for (func, &ty) in types.iter().enumerate() {
            funcs.push(entity(wasm(instance, IMPORTED_FUNCS + func as u32), ty));
        }
    }
    let instance = |first: u32| CoreInstance {
        module: module.clone(),
        funcs: [0, 1]
            .into_iter()
            .chain(first..first + types.len() as u32)
            .collect(),
        memories: vec![0, 1, 2],
        tables: vec![0, 1],
        // Vectors take two cells.
        globals: vec![0, 1, 2, 4],
        tags: vec![0, 1],
        arena: 0,
        func_refs: vec![0; IMPORTED_FUNCS as usize + types.len()],
        dropped_data: vec![false],
        elements: vec![vec![0; 4], vec![0; 4]],
    };
    let mut store = StoreInner {
        instances: vec![instance(2), instance(of_the_second)],
        funcs,
        memories: (0..3)
            .map(|at| {
                let mut memory = MemoryEntity::empty(module.memories[at]);
                assert!(memory.bytes.grow(65_536));
                memory.bytes.fill(1);
                memory
            })
            .collect(),
        tables: (0..2)
            .map(|at| TableEntity {
                ty: module.tables[at].0,
                elements: vec![0; 8],
            })
            .collect(),
        globals: vec![1; 6],
        global_types: module.globals.clone(),
        tags: module
            .tags
            .iter()
            .map(|&ty| module.types[ty as usize].clone())
            .collect(),
        arenas: vec![RefArena::default()],
        fuel: i64::MAX / 2,
        fuel_on: true,
        ..StoreInner::default()
    };
    if types.len() > 1 {
        let callee = store.func_ref(0, IMPORTED_FUNCS + 1).unwrap();
        store.tables[0].elements.fill(callee);
    }
    store
}

/// Runs function 0 on a native stack of 64 KiB; what stopped it.
fn run(mut store: StoreInner) -> Event {
    let start = IMPORTED_FUNCS;
    std::thread::Builder::new()
        .stack_size(NATIVE_STACK)
        .spawn(move || {
            let mut thread = Thread::new();
            if let Err(trap) = thread.start(&mut store, start, &[]) {
                return Event::Trap(trap);
            }
            let mut event = resume(&mut store, &mut thread);
            loop {
                match host_returned(&mut store, &mut thread, event) {
                    Ok(next) => event = next,
                    Err(end) => return end,
                }
            }
        })
        .expect("a thread")
        .join()
        .expect("no panic")
}

/// What happens after a call of the host, which does nothing; or the event, if it is another.
pub(super) fn host_returned(
    store: &mut StoreInner,
    thread: &mut Thread,
    event: Event,
) -> Result<Event, Event> {
    match event {
        Event::HostCall => {
            thread.host_returned();
            Ok(resume(store, thread))
        }
        Event::Import(import) => {
            let mut entered = Entered::new(store, thread);
            let next = after_import(store, thread, import, &mut entered);
            Ok(next.map_or_else(|event| event, Event::Import))
        }
        event => Err(event),
    }
}

/// Ones in the slots that instructions read.
fn ones() -> Vec<u64> {
    (0..3).map(|slot| word_u32(op::Const, slot, 1)).collect()
}

/// A one in each register, so that division and addresses are in range every time.
fn registers() -> Vec<u64> {
    let mov = |op: Op| word(op, 0, 0, 0);
    if cfg!(feature = "fast") {
        [op::MovRs, op::MovPs, op::MovFs, op::MovDs].map(mov).into()
    } else {
        Vec::new()
    }
}

/// Function 0, which runs `unit` again and again, and function 1, which returns at once.
fn repeating(unit: &[u64], times: usize) -> Vec<(u32, Vec<u64>)> {
    let whole = [ones(), unit.repeat(times), vec![RET]].concat();
    vec![(ty::NOTHING, whole), (ty::NOTHING, vec![RET])]
}

/// The functions that execute `op` often; the third one, where there is one, ends with it.
fn around(op: Op) -> Option<Vec<(u32, Vec<u64>)>> {
    let mut instruction = forged::instruction(op, 0, 1)?;
    let results = match op {
        op::CopySpan => {
            instruction[0] = word(op, 8, 9, 3);
            ty::NOTHING
        }
        op::Zero => {
            instruction[0] = word(op, 8, 3, 0);
            ty::NOTHING
        }
        op::RetS | op::RetI | op::RetR | op::RetF | op::RetD => ty::ONE_RESULT,
        op::RetSpan => {
            instruction[0] = word(op, 3, 2, 0);
            ty::TWO_RESULTS
        }
        op::Ret | op::ReturnCall..=op::ReturnCallIndirect | op::ReturnCallRef => ty::NOTHING,
        _ => {
            let times = if op == op::MemoryGrow { 8 } else { REPEATED };
            return Some(repeating(&[registers(), instruction].concat(), times));
        }
    };
    if matches!(op, op::CopySpan | op::Zero) {
        return Some(repeating(&instruction, REPEATED));
    }
    let call = word_u32(op::CallCharge, 8, 2);
    let mut functions = repeating(&[call], REPEATED);
    functions.push((results, [ones(), instruction].concat()));
    Some(functions)
}

fn verified(functions: Vec<(u32, Vec<u64>)>) -> StoreInner {
    let store = store(&functions);
    let module = &store.instances[0].module;
    for (func, decl) in module.funcs.iter().enumerate() {
        let code = decl.code.get().expect("published above");
        let verdict = crate::code::verify::function(module, func as u32, code, true);
        assert_eq!(
            verdict,
            Ok(()),
            "{}",
            crate::code::disasm::function(&code[..16.min(code.len())])
        );
    }
    store
}

fn is_compiled(op: Op) -> bool {
    info(op).is_some_and(|info| cfg!(feature = "fast") || info.tier != Tier::Fast)
}

#[test]
fn every_instruction_runs_often_on_a_small_native_stack() {
    let mut seen = 0;
    for op in all().filter(|op| is_compiled(*op)) {
        let name = || format!("{:?}", info(op));
        if matches!(op, op::Halt | op::FarReturn) {
            // Reached through linkage: the end of every run here, and of every far call below.
            seen += 1;
            continue;
        }
        let event = run(verified(around(op).unwrap_or_else(|| panic!("{}", name()))));
        match op {
            op::Trap | op::Abi => assert!(
                matches!(event, Event::Trap(Trap::UnreachableCodeReached)),
                "{}: {event:?}",
                name()
            ),
            op::Throw => assert!(matches!(event, Event::Thrown), "{event:?}"),
            op::ThrowRef => assert!(
                matches!(event, Event::Trap(Trap::NullException)),
                "{event:?}"
            ),
            _ => assert!(matches!(event, Event::Done), "{}: {event:?}", name()),
        }
        seen += 1;
    }
    let compiled = all().filter(|op| is_compiled(*op)).count();
    assert_eq!(seen, compiled);
}

#[test]
fn calls_into_another_instance_run_often_on_a_small_native_stack() {
    let far = repeating(&[word(op::CallImport, 8, FAR, 0)], REPEATED);
    assert!(matches!(run(verified(far)), Event::Done));
    let mut tail = repeating(&[word_u32(op::CallCharge, 8, 2)], REPEATED);
    tail.push((ty::NOTHING, vec![word(op::ReturnCallImport, 0, FAR, 0)]));
    assert!(matches!(run(verified(tail)), Event::Done));
}

#[test]
fn a_long_loop_runs_on_a_small_native_stack() {
    for (branch, charge) in [(op::BrI32Ne::Bsi, 0), (op::BrI32Ne::Csi, 1u64 << 32)] {
        let back = (-1i32) as u32;
        let counted = vec![
            word_u32(op::Const, 0, 5_000_000),
            word(op::I32Sub::Ssi, 0, 0, 1),
            word(branch, 0, 0, 0),
            u64::from(back) | charge,
            RET,
        ];
        assert!(matches!(
            run(verified(vec![(ty::NOTHING, counted)])),
            Event::Done
        ));
    }
}

#[test]
fn recursion_of_10_000_calls_runs_on_a_small_native_stack() {
    // f(n) = n == 0 ? return : f(n - 1), with its argument in slot 0.
    let down = vec![
        word(op::BrI32Eq::Bsi, 0, 0, 0),
        6,
        word(op::I32Sub::Ssi, 10, 0, 1),
        word_u32(op::CallCharge, 10, 1),
        word(op::RetSpan, 0, 3, 0),
        word(op::Trap, 0, 0, 0),
        word(op::RetSpan, 0, 3, 0),
    ];
    let start = vec![
        word_u32(op::Const, 10, 10_000),
        word_u32(op::CallCharge, 10, 1),
        RET,
    ];
    let functions = vec![(ty::NOTHING, start), (ty::WIDE, down)];
    assert!(matches!(run(verified(functions)), Event::Done));
}

#[cfg(cellule_tail)]
mod tail {
    use super::super::dispatch::tail::{WRONG, address};
    use super::*;
    #[cfg(not(any(debug_assertions, feature = "extra-checks")))]
    use crate::code::COUNT;
    use alloc::string::String;

    /// Set in a process of its own, whose only purpose is to overflow.
    const CHILD: &str = "CELLULE_OVERFLOW_ON_PURPOSE";

    #[test]
    fn a_handler_made_wrong_overflows_the_small_stack() {
        let this = "machine::guard::tail::a_handler_made_wrong_overflows_the_small_stack";
        if std::env::var_os(CHILD).is_some() {
            let functions = repeating(&[word(WRONG, 0, 0, 0)], REPEATED);
            assert!(matches!(run(store(&functions)), Event::Done));
            return;
        }
        let program = std::env::current_exe().expect("this test's program");
        let child = std::process::Command::new(program)
            .args(["--exact", this])
            .env(CHILD, "1")
            .output()
            .expect("a child process");
        let text = String::from_utf8_lossy(&child.stderr);
        assert!(!child.status.success(), "the guard did not bite");
        assert!(text.contains("overflow"), "another failure: {text}");
    }

    // Not where checks may panic, which is a call: debug builds and `extra-checks`.
    #[cfg(all(
        target_arch = "x86_64",
        not(any(debug_assertions, feature = "extra-checks"))
    ))]
    #[test]
    fn no_handler_calls_anything() {
        let mut jumping = 0;
        // Those on vectors have tables of jumps inside, by lanes, which can't be followed: the test that runs
        // every instruction often is what holds them.
        let scalar = || all().take(COUNT);
        for op in scalar() {
            let moves_bytes = matches!(op, op::MemoryFill | op::MemoryCopy);
            match super::disassembly::examine(address(op), moves_bytes) {
                Ok(jumps) => jumping += usize::from(jumps),
                Err(why) => panic!("{:?}: {why}", info(op)),
            }
        }
        let compiled = scalar().filter(|op| is_compiled(*op)).count();
        // The others only leave the machine.
        assert!(jumping >= compiled - 30, "{jumping} of {compiled}");
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_handler_made_wrong_is_found_in_the_disassembly() {
        let verdict = super::disassembly::examine(address(WRONG), false);
        assert!(verdict.is_err(), "{verdict:?}");
    }
}

#[cfg(all(cellule_tail, target_arch = "x86_64"))]
mod disassembly {
    use alloc::collections::BTreeMap;
    use alloc::string::String;
    use alloc::vec;
    use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
    use std::format;

    /// No handler is longer.
    const MOST_INSTRUCTIONS: usize = 2_000;

    /// Follows every path through the handler at `entry`. Whether it jumps to a next one; an error
    /// if it calls anything that it may not, or leaves with the stack pointer elsewhere than it came with.
    pub(super) fn examine(entry: usize, may_call: bool) -> Result<bool, String> {
        let mut depths = BTreeMap::new();
        let mut open = vec![(entry as u64, 0i64)];
        let mut jumps = false;
        while let Some((at, depth)) = open.pop() {
            if let Some(&known) = depths.get(&at) {
                if known != depth {
                    return Err(format!("two stack depths at {at:x}: {known} and {depth}"));
                }
                continue;
            }
            depths.insert(at, depth);
            if depths.len() > MOST_INSTRUCTIONS {
                return Err(String::from("it does not end"));
            }
            let instruction = decode(at);
            let calls = matches!(
                instruction.flow_control(),
                FlowControl::Call | FlowControl::IndirectCall
            );
            if calls && may_call {
                // It returns, and has taken its return address away by then.
                open.push((instruction.next_ip(), depth));
                continue;
            }
            let after = depth + moved(&instruction)?;
            let leaves = |how: &str| match depth {
                0 => Ok(()),
                _ => Err(format!("{how} at {at:x} with {depth} bytes on the stack")),
            };
            match instruction.flow_control() {
                FlowControl::Next => open.push((instruction.next_ip(), after)),
                FlowControl::ConditionalBranch => {
                    open.push((instruction.next_ip(), after));
                    open.push((instruction.near_branch_target(), after));
                }
                FlowControl::UnconditionalBranch => {
                    open.push((instruction.near_branch_target(), after));
                }
                FlowControl::IndirectBranch => {
                    leaves("a jump")?;
                    jumps = true;
                }
                FlowControl::Return => leaves("a return")?,
                FlowControl::Call | FlowControl::IndirectCall => {
                    return Err(format!("a call at {at:x}"));
                }
                other => return Err(format!("{other:?} at {at:x}")),
            }
        }
        Ok(jumps)
    }

    fn decode(at: u64) -> Instruction {
        // SAFETY: `at` is reached from a handler's entry, so it is code of this program; no
        // instruction has more than 15 bytes, and read-only data follows the code.
        let bytes = unsafe { core::slice::from_raw_parts(at as usize as *const u8, 15) };
        Decoder::with_ip(64, bytes, at, DecoderOptions::NONE).decode()
    }

    /// By how much an instruction that isn't a call moves the stack down.
    fn moved(instruction: &Instruction) -> Result<i64, String> {
        let pushes = -i64::from(instruction.stack_pointer_increment());
        let writes = instruction.op0_kind() == OpKind::Register
            && instruction.op0_register() == Register::RSP;
        let immediate = |sign: i64| Ok(sign * instruction.immediate(1) as i64);
        match instruction.mnemonic() {
            Mnemonic::Ret => Ok(0),
            Mnemonic::Sub if writes => immediate(1),
            Mnemonic::Add if writes => immediate(-1),
            Mnemonic::Cmp | Mnemonic::Test => Ok(0),
            Mnemonic::Push | Mnemonic::Pop => Ok(pushes),
            _ if writes => Err(format!("the stack pointer is set: {instruction:?}")),
            _ => Ok(pushes),
        }
    }
}
