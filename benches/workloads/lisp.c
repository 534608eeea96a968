/* A tree-walking interpreter: evaluates a small program of conses, closures and environments, which computes a
 * sorted list and a sum by recursion, n times. */
#include "workload.h"

#define CELLS 65536
typedef uint32_t value; /* Odd: a number. Even: the index of a cell, doubled; 0 is nil. */
struct cell { value head, tail; };
static struct cell cells[CELLS];
static uint32_t used, kept;

enum op { QUOTE, IF, FN, CALL, ARG, ADD, SUB, LESS, CONS, HEAD, TAIL, IS_NIL, SELF };

static value number(int32_t n) { return (value)n << 1 | 1; }
static int32_t int_of(value v) { return (int32_t)v >> 1; }
static value head(value v) { return cells[v >> 1].head; }
static value tail(value v) { return cells[v >> 1].tail; }
static value cons(value first, value rest) {
    if (used == CELLS) __builtin_trap();
    cells[used] = (struct cell){first, rest};
    return used++ << 1;
}
static value form(enum op op, value a, value b, value c) {
    return cons(number(op), cons(a, cons(b, cons(c, 0))));
}

/* Arguments are found by their place in the list `env`, the first element of which is the function itself. */
static value eval(value code, value env) {
    for (;;) {
        value rest = tail(code), a = head(rest), b = head(tail(rest)), c = head(tail(tail(rest)));
        switch (int_of(head(code))) {
        case QUOTE: return a;
        case IF: code = eval(a, env) != number(0) ? b : c; continue;
        case FN: return cons(a, env);
        case SELF: return head(env);
        case ARG:
            for (int32_t i = int_of(a); i >= 0; i--) env = tail(env);
            return head(env);
        case CALL: {
            value callee = eval(a, env), frame = 0;
            if (c) frame = cons(eval(c, env), frame);
            frame = cons(eval(b, env), frame);
            env = cons(callee, frame);
            code = head(callee);
            continue;
        }
        case ADD: return number(int_of(eval(a, env)) + int_of(eval(b, env)));
        case SUB: return number(int_of(eval(a, env)) - int_of(eval(b, env)));
        case LESS: return number(int_of(eval(a, env)) < int_of(eval(b, env)));
        case CONS: {
            value first = eval(a, env);
            return cons(first, eval(b, env));
        }
        case HEAD: return head(eval(a, env));
        case TAIL: return tail(eval(a, env));
        case IS_NIL: return number(!eval(a, env));
        }
    }
}

static value arg(int32_t i) { return form(ARG, number(i), 0, 0); }
static value quote(value v) { return form(QUOTE, v, 0, 0); }
static value unary(enum op op, value a) { return form(op, a, 0, 0); }
static value self(value a, value b) { return form(CALL, form(SELF, 0, 0, 0), a, b); }

/* fib(x) = x < 2 ? x : fib(x - 1) + fib(x - 2) */
static value make_fib(void) {
    value less = form(LESS, arg(0), quote(number(2)), 0);
    value one = self(form(SUB, arg(0), quote(number(1)), 0), 0);
    value two = self(form(SUB, arg(0), quote(number(2)), 0), 0);
    return form(FN, form(IF, less, arg(0), form(ADD, one, two, 0)), 0, 0);
}

/* insert(x, list) into a sorted list */
static value make_insert(void) {
    value before = form(LESS, arg(0), unary(HEAD, arg(1)), 0);
    value deeper = form(CONS, unary(HEAD, arg(1)), self(arg(0), unary(TAIL, arg(1))), 0);
    value here = form(CONS, arg(0), arg(1), 0);
    value search = form(IF, before, here, deeper);
    return form(FN, form(IF, unary(IS_NIL, arg(1)), here, search), 0, 0);
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 97;
    uint64_t sum = 0;
    used = 1;
    cells[0] = (struct cell){0, 0};
    value fib = form(CALL, make_fib(), quote(number(12)), 0), insert = make_insert();
    kept = used;
    while (n-- > 0) {
        value list = 0;
        used = kept;
        sum = sum * 31 + (uint32_t)int_of(eval(fib, 0));
        for (int i = 0; i < 40; i++) {
            value item = number((int32_t)(next_random(&state) % 1000));
            list = eval(form(CALL, insert, quote(item), quote(list)), 0);
        }
        for (; list; list = tail(list)) sum = sum * 31 + (uint32_t)int_of(head(list));
    }
    return (int64_t)sum;
}
