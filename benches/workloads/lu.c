/* f64 with divisions, comparisons and conversions: n times a system of 32 equations is solved with pivoting. */
#include "workload.h"

#define SIZE 32
static double matrix[SIZE][SIZE], right[SIZE];

static double magnitude(double x) { return x < 0 ? -x : x; }

static void solve(void) {
    for (int k = 0; k < SIZE; k++) {
        int pivot = k;
        for (int i = k + 1; i < SIZE; i++)
            if (magnitude(matrix[i][k]) > magnitude(matrix[pivot][k])) pivot = i;
        for (int j = 0; j < SIZE; j++) {
            double value = matrix[k][j];
            matrix[k][j] = matrix[pivot][j];
            matrix[pivot][j] = value;
        }
        double value = right[k];
        right[k] = right[pivot];
        right[pivot] = value;
        for (int i = k + 1; i < SIZE; i++) {
            double factor = matrix[i][k] / matrix[k][k];
            for (int j = k; j < SIZE; j++) matrix[i][j] -= factor * matrix[k][j];
            right[i] -= factor * right[k];
        }
    }
    for (int i = SIZE - 1; i >= 0; i--) {
        for (int j = i + 1; j < SIZE; j++) right[i] -= matrix[i][j] * right[j];
        right[i] /= matrix[i][i];
    }
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 101;
    uint64_t sum = 0;
    while (n-- > 0) {
        for (int i = 0; i < SIZE; i++) {
            for (int j = 0; j < SIZE; j++) matrix[i][j] = (double)(int32_t)next_random(&state) / 1e6;
            matrix[i][i] += 5000;
            right[i] = (double)(next_random(&state) % 1000);
        }
        solve();
        for (int i = 0; i < SIZE; i++) sum = sum * 31 + (uint64_t)(int64_t)(right[i] * 1e6);
    }
    return (int64_t)sum;
}
