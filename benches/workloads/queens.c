/* Recursion with bit sets: how many ways n queens fit on their board, and the sum of the last rows' columns. */
#include "workload.h"

static uint64_t sum;

static uint32_t place(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
    uint32_t count = 0, free = all & ~(columns | left | right);
    if (columns == all) return 1;
    while (free) {
        uint32_t queen = free & -free;
        free ^= queen;
        sum += (uint32_t)__builtin_ctz(queen);
        count += place(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return count;
}

EXPORT int64_t run(int32_t n) {
    sum = 0;
    uint64_t count = place((1u << n) - 1, 0, 0, 0);
    return (int64_t)(count << 40 | sum);
}
