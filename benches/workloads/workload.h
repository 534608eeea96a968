/* What every workload in C needs. There is no C library. */
#include <stddef.h>
#include <stdint.h>
#define EXPORT __attribute__((export_name("run")))

/* A small generator, so that every engine computes on the same numbers. */
static inline uint32_t next_random(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}
