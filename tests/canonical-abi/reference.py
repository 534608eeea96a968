"""Answers cases of `tests/canonical_abi.rs` by the Canonical ABI's own Python definitions.

Reads a request a line from stdin, as JSON, and writes an answer a line. The definitions are the
specification's file `definitions.py`, whose path is the argument; nothing of it is here. What is here
are the guests: a memory with a `realloc` that hands out room upwards, logs how it is called, and
misbehaves when asked to, exactly as the guests in `tests/src/canonical/component.rs` do.

Values travel by position, so that names never matter: a record is an array, a variant `[case, payload]`,
flags are a number, a float is its bits, a char its number, an error context its message.
"""

import __future__
import json
import linecache
import sys
import traceback
import types

MEMORY = 65536
HEAP = 16
RESULT_HEAP = 32768
LOGGED_CALLS = 800
DROPPED_HANDLES = 2000
POINTERS = ['i32', 'i64']
WIDTHS = {'i32': 32, 'f32': 32, 'i64': 64, 'f64': 64}


def load_definitions(path):
    with open(path, encoding='utf-8') as file:
        source = file.read()
    flags = __future__.annotations.compiler_flag
    module = types.ModuleType('definitions')
    sys.modules['definitions'] = module
    exec(compile(source, path, 'exec', flags=flags, dont_inherit=True), module.__dict__)
    # Its own asserts say what the caller has to guarantee; they would fail loudly here.
    module.DETERMINISTIC_PROFILE = True
    return module


spec_path = sys.argv[1]
spec = load_definitions(spec_path)


def pattern_bytes(length):
    """What memories hold before anything is stored: the same in the test's `pattern`."""
    state = 0x2545F491
    out = bytearray(length)
    for at in range(length):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out[at] = state >> 24
    return bytes(out)


PATTERN = pattern_bytes(2 * MEMORY)


class Guest:
    def __init__(self, encoding, shift, pointer):
        self.shift = shift
        self.pointer = pointer
        self.memory = spec.MemInst(bytearray(PATTERN[shift:shift + MEMORY]), pointer)
        self.next = HEAP
        self.log = []
        self.quirk = None
        self.encoding = encoding
        options = spec.CanonicalOptions()
        options.memory = self.memory
        options.string_encoding = encoding
        options.realloc = self.realloc
        options.post_return = None
        options.async_ = False
        self.options = options
        self.instance = spec.ComponentInstance(spec.Store())

    def context(self, borrow_scope=None):
        return Context(self.options, self.instance, borrow_scope)

    def handles(self):
        """What its table holds: indexes and handles."""
        return [(i, h) for i, h in enumerate(self.instance.handles.array) if h is not None]

    def realloc(self, old, old_size, alignment, new_size):
        call = len(self.log)
        if call >= LOGGED_CALLS:
            spec.trap()
        self.log.append([old, old_size, alignment, new_size])
        if self.quirk and self.quirk[0] == call:
            if self.quirk[1] is None:
                spec.trap()
            return self.quirk[1]
        ptr = spec.align_to(self.next, alignment)
        if ptr + new_size > MEMORY:
            spec.trap()
        self.next = ptr + new_size
        size = min(old_size, new_size)
        self.memory.bytes[ptr:ptr + size] = self.memory.bytes[old:old + size]
        return ptr


class Context(spec.LiftLowerContext):
    """Calls `realloc` at once: through a task, as in the definitions, every call is a new thread."""

    # Whether what it stores is what a guest had before the call that is compared.
    prepares = False

    def reallocate(self, old, old_byte_length, alignment, new_byte_length):
        return self.opts.realloc(old, old_byte_length, alignment, new_byte_length)


class Caller(spec.Subtask):
    """What a call's borrows are lent by, and no more of a subtask."""

    def __init__(self):
        self.lenders = []

    def add_lender(self, handle):
        handle.num_lends += 1
        self.lenders.append(handle)

    def give_back(self):
        for handle in self.lenders:
            handle.num_lends -= 1


class Callee(spec.Task):
    """What counts a call's borrows, and no more of a task."""

    def __init__(self):
        self.num_borrows = 0

    def end_task(self):
        spec.trap_if(self.num_borrows > 0)


# The one resource type is the host's.
RESOURCE = spec.ResourceType(None)

KNOWN = {}


def remember(name):
    """Has what the definitions work out about a type, over and over, worked out once.

    The type and the width of addresses decide. The type is kept beside the answer, so that nothing else
    gets its id."""
    original = getattr(spec, name)

    def looked_up(t, *rest):
        if isinstance(t, spec.PrimValType):
            return original(t, *rest)
        # The width itself, or options that name a memory.
        pointer = [x if isinstance(x, str) else x.memory.ptr_type() for x in rest]
        key = (name, id(t), *pointer)
        if key not in KNOWN:
            KNOWN[key] = (t, original(t, *rest))
        found = KNOWN[key][1]
        return list(found) if isinstance(found, list) else found

    setattr(spec, name, looked_up)


# The alignment of cases is that of a list of them, which belongs to a type that is kept.
for function in ('despecialize', 'alignment', 'elem_size', 'flatten_type', 'max_case_alignment'):
    remember(function)

def align_to(ptr, alignment):
    """As in the definitions, which divide in floating point: that is wrong for addresses above 2⁵³."""
    return -(-ptr // alignment) * alignment


spec.align_to = align_to

original_store_string = spec.store_string_into_range


def store_string(cx, v):
    """As in the definitions; but guests that prepare a call state some Latin-1 strings as UTF-16, which
    they may, and which nothing that the definitions store is.

    And a length's tag is looked for where the destination's memory has it. The definitions do so for the
    source's length as it is, which is meant for one width of addresses on both sides."""
    text, encoding, units = v
    pointer = cx.opts.memory.ptr_type()
    if encoding == 'latin1+utf16':
        tags = spec.utf16_tag('i32') | spec.utf16_tag('i64')
        tag = spec.utf16_tag(pointer) if units & tags else 0
        v = (text, encoding, units & ~tags | tag)
    if cx.prepares and cx.opts.string_encoding == 'latin1+utf16' and len(text) % 3 == 1:
        units = length_in(text, 'utf16')
        ptr, units = spec.store_string_copy(cx, text, units, 2, 2, 'utf-16-le')
        return ptr, units | spec.utf16_tag(pointer)
    return original_store_string(cx, v)


spec.store_string_into_range = store_string

original_lower_borrow = spec.lower_borrow


def lower_borrow(cx, rep, t):
    """As in the definitions; but a guest that prepares a call owns what it lends."""
    if cx.prepares:
        return spec.lower_own(cx, rep, t)
    return original_lower_borrow(cx, rep, t)


spec.lower_borrow = lower_borrow

SCALARS = {
    'bool': spec.BoolType, 'char': spec.CharType, 'string': spec.StringType,
    's8': spec.S8Type, 'u8': spec.U8Type, 's16': spec.S16Type, 'u16': spec.U16Type,
    's32': spec.S32Type, 'u32': spec.U32Type, 's64': spec.S64Type, 'u64': spec.U64Type,
    'f32': spec.F32Type, 'f64': spec.F64Type, 'error-context': spec.ErrorContextType,
}


def read_type(t):
    """A type from JSON: a scalar's name, or an array that begins with a constructor's name."""
    if t is None:
        return None
    if isinstance(t, str):
        return SCALARS[t]()
    match t[0]:
        case 'list': return spec.ListType(read_type(t[1]))
        case 'fixed': return spec.ListType(read_type(t[1]), t[2])
        case 'record': return spec.RecordType(
            [spec.FieldType(str(i), read_type(u)) for i, u in enumerate(t[1])])
        case 'tuple': return spec.TupleType([read_type(u) for u in t[1]])
        case 'variant': return spec.VariantType(
            [spec.CaseType(str(i), read_type(u)) for i, u in enumerate(t[1])])
        case 'enum': return spec.EnumType([str(i) for i in range(t[1])])
        case 'option': return spec.OptionType(read_type(t[1]))
        case 'result': return spec.ResultType(read_type(t[1]), read_type(t[2]))
        case 'flags': return spec.FlagsType([str(i) for i in range(t[1])])
        case 'map': return spec.MapType(read_type(t[1]), read_type(t[2]))
        case 'own': return spec.OwnType(RESOURCE)
        case 'borrow': return spec.BorrowType(RESOURCE)
    raise ValueError(f'unknown type {t}')


def length_in(text, encoding):
    """A string's length field as a guest of an encoding would state it."""
    match encoding:
        case 'utf8': return len(text.encode('utf-8'))
        case 'utf16': return len(text.encode('utf-16-le')) // 2
    if any(ord(c) > 0xFF for c in text):
        return (len(text.encode('utf-16-le')) // 2) | spec.utf16_tag('i32')
    return len(text)


def read_value(v, t, encoding):
    t = spec.despecialize(t)
    match t:
        case spec.StringType(): return (v, encoding, length_in(v, encoding))
        case spec.ErrorContextType(): return spec.ErrorContext(v)
        case spec.CharType(): return chr(v)
        case spec.F32Type(): return spec.core_f32_reinterpret_i32(v)
        case spec.F64Type(): return spec.core_f64_reinterpret_i64(v)
        case spec.PrimValType() | spec.OwnType() | spec.BorrowType(): return v
        case spec.ListType(u): return [read_value(x, u, encoding) for x in v]
        case spec.RecordType(fields):
            return {f.label: read_value(x, f.t, encoding) for f, x in zip(fields, v, strict=True)}
        case spec.FlagsType(labels):
            return {l: bool(v >> i & 1) for i, l in enumerate(labels)}
        case spec.VariantType(cases):
            case = cases[v[0]]
            return {case.label: None if case.t is None else read_value(v[1], case.t, encoding)}
    raise ValueError(f'unknown type {t}')


def write_value(v, t):
    t = spec.despecialize(t)
    match t:
        case spec.StringType(): return v[0]
        case spec.ErrorContextType(): return v.debug_message
        case spec.CharType(): return ord(v)
        case spec.F32Type(): return spec.core_i32_reinterpret_f32(v)
        case spec.F64Type(): return spec.core_i64_reinterpret_f64(v)
        case spec.PrimValType() | spec.OwnType() | spec.BorrowType(): return v
        case spec.ListType(u): return [write_value(x, u) for x in v]
        case spec.RecordType(fields): return [write_value(v[f.label], f.t) for f in fields]
        case spec.FlagsType(labels): return sum(v[l] << i for i, l in enumerate(labels))
        case spec.VariantType(cases):
            [label] = v.keys()
            [index] = [i for i, c in enumerate(cases) if c.label == label]
            t = cases[index].t
            return [index, None if t is None else write_value(v[label], t)]
    raise ValueError(f'unknown type {t}')


def to_bits(flats, flat_types):
    def bits(v, t):
        match t:
            case 'f32': return spec.core_i32_reinterpret_f32(v)
            case 'f64': return spec.core_i64_reinterpret_f64(v)
        return v
    return [bits(v, t) for v, t in zip(flats, flat_types, strict=True)]


def from_bits(flats, flat_types):
    def value(v, t):
        match t:
            case 'f32': return spec.core_f32_reinterpret_i32(v)
            case 'f64': return spec.core_f64_reinterpret_i64(v)
        return v
    return [value(v, t) for v, t in zip(flats, flat_types, strict=True)]


class Signature:
    def __init__(self, request):
        self.params = [read_type(t) for t in request['params']]
        self.result = read_type(request['result'])
        self.results = [self.result]
        ft = spec.FuncType([(str(i), t) for i, t in enumerate(self.params)], self.results)
        self.lifted = {}
        self.lowered = {}
        for pointer in POINTERS:
            options = Guest('utf8', 0, pointer).options
            self.lifted[pointer] = spec.flatten_functype(options, ft, 'lift')
            self.lowered[pointer] = spec.flatten_functype(options, ft, 'lower')

    def out_pointer(self):
        return not self.lowered['i32'].results


def damage(changes, guest, start, end, flats, flat_types):
    """Changes bytes of what was stored, or core values, at the places and by the amounts given."""
    for where, place, how, amount in changes:
        if where == 'flat' and flats:
            at = place % len(flats)
            value = amount if how == 'set' else flats[at] + amount
            flats[at] = value & ((1 << WIDTHS[flat_types[at]]) - 1)
        elif where == 'memory' and end > start:
            at = start + place % (end - start)
            old = guest.memory.bytes[at]
            guest.memory.bytes[at] = (amount if how == 'set' else old + amount) & 0xFF


def prepare(guest, heap, values, types, max_flat, flat_types, changes, out=None):
    """Has a guest hold values as it would pass them; its core values as bits.

    Without values it holds what its memory happened to hold, with core values from the request."""
    if isinstance(values, dict):
        width = lambda t: (1 << WIDTHS[t]) - 1
        raw = values['raw']
        return [raw[i % len(raw)] & width(t) for i, t in enumerate(flat_types)]
    guest.next = heap
    cx = guest.context()
    cx.prepares = True
    given = [read_value(v, t, guest.encoding) for v, t in zip(values, types, strict=True)]
    flats = spec.lower_flat_values(cx, max_flat, given, types)
    if out is not None:
        pointer = guest.pointer
        flats.append(cx.allocate(spec.alignment(out, pointer), spec.elem_size(out, pointer)))
    flats = to_bits(flats, flat_types)
    damage(changes, guest, heap, guest.next, flats, flat_types)
    return flats


def kind_of_trap(error):
    """What the definitions trapped for, from the line that did."""
    frames = [f for f in traceback.walk_tb(error.__traceback__)]
    named = [(f, line) for f, line in frames if f.f_code.co_name not in ('trap', 'trap_if')]
    frame, line = named[-1]
    name = frame.f_code.co_name
    if name == 'realloc':
        return 'unreachable'
    if name in ('get', 'remove', 'lift_own', 'lift_borrow', 'lift_error_context'):
        return 'handle'
    if name == 'end_task':
        return 'borrows'
    if name == 'convert_i32_to_char':
        return 'char'
    if name in ('load_variant', 'lift_flat_variant'):
        return 'discriminant'
    text = linecache.getline(spec_path, line).strip()
    if text == 'trap()':
        return 'encoding'
    if 'align_to' in text:
        return 'unaligned'
    if 'len(cx.opts.memory)' in text or 'MAX_' in text:
        return 'bounds'
    raise ValueError(f'a trap of no known kind: {name}: {text}')


def state_of_pointer(ptr, t, pointer):
    """For what lowering through a pointer would trap."""
    if ptr % spec.alignment(t, pointer):
        return 'unaligned'
    return 'bounds' if ptr + spec.elem_size(t, pointer) > MEMORY else None


def image(guest):
    """A guest's memory where it may differ from the pattern, as (start, hex) of runs of pages."""
    base = PATTERN[guest.shift:guest.shift + MEMORY]
    runs = []
    step = 256
    for at in range(0, MEMORY, step):
        now = guest.memory.bytes[at:at + step]
        if now != base[at:at + step]:
            runs.append([at, bytes(now).hex()])
    return runs


def shown(handle):
    """A resource's representation, or an error context's message."""
    if isinstance(handle, spec.ErrorContext):
        return handle.debug_message
    return handle.rep


def state(guest):
    handles = [[i, shown(h)] for i, h in guest.handles()]
    return {'memory': image(guest), 'next': guest.next, 'log': guest.log, 'handles': handles}


def answer_case(signatures, case):
    sig = signatures[case['sig']]
    def guest(name):
        given = case.get(name)
        return given and Guest(given['encoding'], case['shift'], given['pointer'])

    caller, callee = guest('caller'), guest('callee')
    answer = {}
    # What both guests hold before the call.
    passed = returned = None
    if caller:
        out = sig.result if sig.out_pointer() else None
        passed = prepare(caller, HEAP, case['args'], sig.params, spec.MAX_FLAT_PARAMS,
                         sig.lowered[caller.pointer].params, case['damage_args'], out)
    if callee:
        raw = isinstance(case['result'], dict)
        results = case['result'] if raw else [case['result']]
        returned = prepare(callee, RESULT_HEAP, results, sig.results, spec.MAX_FLAT_RESULTS,
                           sig.lifted[callee.pointer].results, case['damage_result'])
        callee.next = HEAP
    for name, guest, flats in (('caller', caller, passed), ('callee', callee, returned)):
        if guest:
            guest.log = []
            guest.quirk = case[name]['quirk']
            handles = [shown(h) for _, h in guest.handles()]
            answer[name] = {'flats': flats, 'before': state(guest), 'handles': handles}
    try:
        call(sig, case, caller, callee, passed, returned, answer)
    except spec.Trap as error:
        answer['trap'] = kind_of_trap(error)
        names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
        answer['lifting'] = 'lift_flat_values' in names
        if caller and callee and 'received' in answer and sig.out_pointer():
            answer['out_pointer'] = state_of_pointer(passed[-1], sig.result, caller.pointer)
    return answer


def drop_borrows(callee, drops, answer):
    """The callee drops what it was lent, in the order of indexes."""
    borrows = [(i, h) for i, h in callee.handles()
               if isinstance(h, spec.ResourceHandle) and not h.own]
    if not drops or len(borrows) > DROPPED_HANDLES:
        borrows = []
    for i, handle in borrows:
        callee.instance.handles.remove(i)
        handle.borrow_scope.num_borrows -= 1
    answer['callee']['drops'] = [i for i, _ in borrows]


def call(sig, case, caller, callee, passed, returned, answer):
    """The call itself: lift by the caller, lower into the callee, and back."""
    lowered = caller and sig.lowered[caller.pointer]
    lifted = callee and sig.lifted[callee.pointer]
    if caller:
        up = caller.context(Caller())
        incoming = spec.CoreValueIter(from_bits(passed, lowered.params))
        args = spec.lift_flat_values(up, spec.MAX_FLAT_PARAMS, incoming, sig.params)
        answer['lifted_args'] = [write_value(v, t) for v, t in zip(args, sig.params)]
    else:
        args = [read_value(v, t, 'utf8') for v, t in zip(case['args'], sig.params)]
    if callee:
        down = callee.context(Callee())
        flats = spec.lower_flat_values(down, spec.MAX_FLAT_PARAMS, args, sig.params)
        answer['received'] = to_bits(flats, lifted.params)
        drop_borrows(callee, case['drops'], answer)
        outgoing = spec.CoreValueIter(from_bits(returned, lifted.results))
        [result] = spec.lift_flat_values(down, spec.MAX_FLAT_RESULTS, outgoing, sig.results)
        down.borrow_scope.end_task()
        answer['lifted_result'] = write_value(result, sig.result)
        answer['callee']['after'] = state(callee)
    else:
        result = read_value(case['result'], sig.result, 'utf8')
    if caller:
        flats = spec.lower_flat_values(up, spec.MAX_FLAT_RESULTS, [result], sig.results, incoming)
        answer['got'] = to_bits(flats, lowered.results)
        up.borrow_scope.give_back()
        answer['caller']['after'] = state(caller)


def answer_request(request, signatures):
    if 'signatures' in request:
        KNOWN.clear()
        signatures[:] = [Signature(s) for s in request['signatures']]
        return [{
            'lifted': {p: [s.lifted[p].params, s.lifted[p].results] for p in POINTERS},
            'lowered': {p: [s.lowered[p].params, s.lowered[p].results] for p in POINTERS},
        } for s in signatures]
    answers = []
    for case in request['cases']:
        try:
            answers.append(answer_case(signatures, case))
        except (Exception, spec.Trap):
            answers.append({'error': traceback.format_exc()})
    return answers


def main():
    signatures = []
    for line in sys.stdin:
        print(json.dumps(answer_request(json.loads(line), signatures)), flush=True)


if __name__ == '__main__':
    main()
