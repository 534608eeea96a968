/* Many small functions that the compiler may not inline: fixed-point vectors, a stack and a bit set behind accessors,
 * as programs have them that are built for size or from many files. */
#include "workload.h"

#define FAR __attribute__((noinline)) static
typedef int32_t fixed; /* 16.16 */
struct vector { fixed x, y, z; };
static struct vector points[256];
static fixed stack[64];
static uint32_t top, bits[32];

FAR fixed from_int(int32_t value) { return value << 16; }
FAR fixed multiply(fixed a, fixed b) { return (fixed)((int64_t)a * b >> 16); }
FAR fixed get_x(const struct vector *v) { return v->x; }
FAR fixed get_y(const struct vector *v) { return v->y; }
FAR fixed get_z(const struct vector *v) { return v->z; }
FAR void set(struct vector *v, fixed x, fixed y, fixed z) { v->x = x; v->y = y; v->z = z; }
FAR fixed least(fixed a, fixed b) { return a < b ? a : b; }
FAR fixed most(fixed a, fixed b) { return a > b ? a : b; }
FAR fixed clamp(fixed a, fixed low, fixed high) { return least(most(a, low), high); }
FAR void push(fixed value) { stack[top++ & 63] = value; }
FAR fixed pop(void) { return stack[--top & 63]; }
FAR int is_set(uint32_t i) { return bits[i >> 5 & 31] >> (i & 31) & 1; }
FAR void flip(uint32_t i) { bits[i >> 5 & 31] ^= 1u << (i & 31); }
FAR struct vector *point(uint32_t i) { return &points[i & 255]; }
FAR fixed dot(const struct vector *a, const struct vector *b) {
    return multiply(get_x(a), get_x(b)) + multiply(get_y(a), get_y(b)) + multiply(get_z(a), get_z(b));
}
FAR void add_scaled(struct vector *to, const struct vector *v, fixed by) {
    fixed low = from_int(-100), high = from_int(100);
    set(to, clamp(get_x(to) + multiply(get_x(v), by), low, high), clamp(get_y(to) + multiply(get_y(v), by), low, high),
        clamp(get_z(to) + multiply(get_z(v), by), low, high));
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 83;
    uint64_t sum = 0;
    top = 0;
    for (int i = 0; i < 32; i++) bits[i] = 0;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t random = next_random(&state);
        set(point(i), (fixed)(random & 0x3ffff), (fixed)(random >> 6 & 0x3ffff), (fixed)(random >> 12 & 0x3ffff));
    }
    while (n-- > 0) {
        uint32_t i = next_random(&state);
        push(dot(point(i), point(i >> 8)));
        add_scaled(point(i >> 16), point(i), is_set(i >> 10) ? from_int(-1) / 4 : from_int(1) / 8);
        flip(i >> 10);
        sum = sum * 31 + (uint32_t)pop();
    }
    return (int64_t)sum;
}
