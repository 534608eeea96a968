/* i64 multiplications with carries: modular powers of 1024-bit numbers in Montgomery's form, n of them with a short
 * exponent. */
#include "workload.h"

#define WORDS 32
typedef uint32_t number[WORDS];
static number modulus, base, result;
static uint32_t inverse;

static int at_least(const number a, const number b) {
    for (int i = WORDS - 1; i >= 0; i--)
        if (a[i] != b[i]) return a[i] > b[i];
    return 1;
}

static void subtract(number a, const number b) {
    uint64_t borrow = 0;
    for (int i = 0; i < WORDS; i++) {
        uint64_t difference = (uint64_t)a[i] - b[i] - borrow;
        a[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
}

static void multiply(number to, const number a, const number b) {
    uint32_t t[WORDS + 2] = {0};
    for (int i = 0; i < WORDS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < WORDS; j++) {
            carry += (uint64_t)a[j] * b[i] + t[j];
            t[j] = (uint32_t)carry;
            carry >>= 32;
        }
        carry += t[WORDS];
        t[WORDS] = (uint32_t)carry;
        t[WORDS + 1] = (uint32_t)(carry >> 32);
        uint32_t factor = t[0] * inverse;
        carry = ((uint64_t)factor * modulus[0] + t[0]) >> 32;
        for (int j = 1; j < WORDS; j++) {
            carry += (uint64_t)factor * modulus[j] + t[j];
            t[j - 1] = (uint32_t)carry;
            carry >>= 32;
        }
        carry += t[WORDS];
        t[WORDS - 1] = (uint32_t)carry;
        t[WORDS] = t[WORDS + 1] + (uint32_t)(carry >> 32);
    }
    for (int i = 0; i < WORDS; i++) to[i] = t[i];
    if (t[WORDS] || at_least(to, modulus)) subtract(to, modulus);
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 23;
    uint64_t sum = 0;
    for (int i = 0; i < WORDS; i++) {
        modulus[i] = next_random(&state);
        base[i] = next_random(&state);
    }
    modulus[0] |= 1;
    modulus[WORDS - 1] |= 0x80000000u;
    base[WORDS - 1] &= 0x7fffffffu;
    uint32_t guess = 1;
    for (int i = 0; i < 5; i++) guess *= 2 - modulus[0] * guess;
    inverse = -guess;
    while (n-- > 0) {
        for (int i = 0; i < WORDS; i++) result[i] = base[i];
        for (int bit = 15; bit >= 0; bit--) { /* 65537 */
            multiply(result, result, result);
            if (bit == 0) multiply(result, result, base);
        }
        for (int i = 0; i < WORDS; i++) sum = sum * 31 + result[i];
        base[0] ^= (uint32_t)sum;
    }
    return (int64_t)sum;
}
