/* 64-bit integer arithmetic and loads: xxHash64 of 64 KiB, n times with changing seeds. */
#include "workload.h"

#define P1 0x9e3779b185ebca87ull
#define P2 0xc2b2ae3d27d4eb4full
#define P3 0x165667b19e3779f9ull
#define P4 0x85ebca77c2b2ae63ull
#define LENGTH 65536
static uint64_t input[LENGTH / 8];

static uint64_t rotl(uint64_t x, int by) { return x << by | x >> (64 - by); }
static uint64_t mix(uint64_t lane, uint64_t word) { return rotl(lane + word * P2, 31) * P1; }
static uint64_t merge(uint64_t hash, uint64_t lane) { return (hash ^ mix(0, lane)) * P1 + P4; }

static uint64_t hash(uint64_t seed) {
    uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    for (int i = 0; i < LENGTH / 8; i += 4) {
        a = mix(a, input[i]);
        b = mix(b, input[i + 1]);
        c = mix(c, input[i + 2]);
        d = mix(d, input[i + 3]);
    }
    uint64_t x = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    x = merge(merge(merge(merge(x, a), b), c), d) + LENGTH;
    x = (x ^ x >> 33) * P2;
    x = (x ^ x >> 29) * P3;
    return x ^ x >> 32;
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 99;
    uint64_t seed = 0;
    for (int i = 0; i < LENGTH / 8; i++) {
        uint64_t high = next_random(&state);
        input[i] = high << 32 | next_random(&state);
    }
    while (n-- > 0) seed = hash(seed);
    return (int64_t)seed;
}
