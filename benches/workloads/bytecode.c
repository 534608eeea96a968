/* A br_table in a loop: a stack machine that runs a small program n times. */
#include "workload.h"

enum { PUSH, DUP, SWAP, ADD, SUB, MUL, XOR, AND, SHR, LOAD, STORE, JUMP_IF, DROP, HALT };

/* i = 200; x = 1; do { x = (x * 31 + i) ^ (x >> 5); } while (--i); */
static const uint8_t program[] = {
    PUSH, 200, STORE, 0, PUSH, 1, STORE, 1,
    LOAD, 1, PUSH, 31, MUL, LOAD, 0, ADD, LOAD, 1, PUSH, 5, SHR, XOR, DUP, STORE, 1, DROP,
    LOAD, 0, PUSH, 1, SUB, DUP, STORE, 0, JUMP_IF, 8, LOAD, 1, HALT,
};
static uint32_t stack[64], variables[4];

static uint32_t interpret(void) {
    uint32_t *top = stack;
    const uint8_t *at = program;
    for (;;) {
        uint32_t x;
        switch (*at++) {
        case PUSH: *++top = *at++; break;
        case DUP: x = *top; *++top = x; break;
        case SWAP: x = *top; *top = top[-1]; top[-1] = x; break;
        case ADD: x = *top--; *top += x; break;
        case SUB: x = *top--; *top -= x; break;
        case MUL: x = *top--; *top *= x; break;
        case XOR: x = *top--; *top ^= x; break;
        case AND: x = *top--; *top &= x; break;
        case SHR: x = *top--; *top >>= x & 31; break;
        case LOAD: *++top = variables[*at++]; break;
        case STORE: variables[*at++] = *top--; break;
        case JUMP_IF: x = *at++; if (*top--) at = program + x; break;
        case DROP: top--; break;
        case HALT: return *top;
        }
    }
}

EXPORT int64_t run(int32_t n) {
    uint64_t sum = 0;
    while (n-- > 0) sum = sum * 31 + interpret();
    return (int64_t)sum;
}
