/* f64 in locals: rounds until the points of an n by n picture escape. */
#include "workload.h"

EXPORT int64_t run(int32_t n) {
    int64_t rounds = 0;
    for (int32_t row = 0; row < n; row++)
        for (int32_t column = 0; column < n; column++) {
            double cx = 3.0 * column / n - 2.0, cy = 2.0 * row / n - 1.0;
            double x = 0, y = 0;
            int32_t left = 100;
            while (left > 0 && x * x + y * y <= 4.0) {
                double next = x * x - y * y + cx;
                y = 2 * x * y + cy;
                x = next;
                left--;
            }
            rounds = rounds * 3 + left;
        }
    return rounds;
}
