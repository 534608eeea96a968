/* f32 in memory: forward and backward Fourier transforms of 1024 complex numbers, n times. */
#include "workload.h"

#define SIZE 1024
struct complex { float re, im; };
static struct complex values[SIZE], roots[SIZE / 2];

/* The roots of unity from one of them by multiplication in f64, so that no engine's sine matters. */
static void make_roots(void) {
    double re = 1, im = 0;
    const double step_re = 0.99998117528260111, step_im = -0.0061358846491544753;
    for (int i = 0; i < SIZE / 2; i++) {
        roots[i] = (struct complex){(float)re, (float)im};
        double next = re * step_re - im * step_im;
        im = re * step_im + im * step_re;
        re = next;
    }
}

static void transform(float sign) {
    for (uint32_t i = 1, j = 0; i < SIZE; i++) {
        uint32_t bit = SIZE >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            struct complex value = values[i];
            values[i] = values[j];
            values[j] = value;
        }
    }
    for (uint32_t half = 1; half < SIZE; half *= 2)
        for (uint32_t start = 0; start < SIZE; start += 2 * half)
            for (uint32_t k = 0; k < half; k++) {
                struct complex root = roots[k * (SIZE / 2 / half)];
                struct complex *low = &values[start + k], *high = low + half;
                root.im *= sign;
                float re = high->re * root.re - high->im * root.im;
                float im = high->re * root.im + high->im * root.re;
                high->re = low->re - re;
                high->im = low->im - im;
                low->re += re;
                low->im += im;
            }
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 17;
    uint64_t sum = 0;
    make_roots();
    for (int i = 0; i < SIZE; i++) values[i] = (struct complex){(float)(next_random(&state) & 0xffff) / 65536, 0};
    while (n-- > 0) {
        transform(1);
        transform(-1);
        for (int i = 0; i < SIZE; i++) values[i].re *= 1.0f / SIZE, values[i].im *= 1.0f / SIZE;
    }
    for (int i = 0; i < SIZE; i++) {
        union { float number; uint32_t bits; } re = {values[i].re}, im = {values[i].im};
        sum = sum * 31 + re.bits * 3ull + im.bits;
    }
    return (int64_t)sum;
}
