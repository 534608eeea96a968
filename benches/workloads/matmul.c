/* Three nested loops over arrays: the product of two n by n matrices of f32, once as it is and once of i32. */
#include "workload.h"

#define MOST 256
static float a[MOST][MOST], b[MOST][MOST], c[MOST][MOST];
static int32_t d[MOST][MOST], e[MOST][MOST], f[MOST][MOST];

EXPORT int64_t run(int32_t n) {
    uint32_t state = 7;
    uint64_t sum = 0;
    if (n > MOST) n = MOST;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            d[i][j] = (int32_t)next_random(&state);
            e[i][j] = (int32_t)next_random(&state);
            a[i][j] = (float)(d[i][j] & 0xff);
            b[i][j] = (float)(e[i][j] & 0xff);
        }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            float real = 0;
            int32_t whole = 0;
            for (int k = 0; k < n; k++) real += a[i][k] * b[k][j];
            for (int k = 0; k < n; k++) whole += d[i][k] * e[k][j];
            c[i][j] = real;
            f[i][j] = whole;
        }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) sum = sum * 31 + (uint32_t)f[i][j] + (uint64_t)(int64_t)c[i][j];
    return (int64_t)sum;
}
