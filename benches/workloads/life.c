/* Sweeps over a field of bytes with neighbours: n generations of the game of life on 128 by 128 cells. */
#include "workload.h"

#define SIDE 128
#define WIDTH (SIDE + 2)
static uint8_t fields[2][WIDTH * WIDTH];

static void wrap(uint8_t *field) {
    for (int i = 1; i <= SIDE; i++) {
        field[i * WIDTH] = field[i * WIDTH + SIDE];
        field[i * WIDTH + SIDE + 1] = field[i * WIDTH + 1];
    }
    for (int i = 0; i < WIDTH; i++) {
        field[i] = field[SIDE * WIDTH + i];
        field[(SIDE + 1) * WIDTH + i] = field[WIDTH + i];
    }
}

static void step(const uint8_t *from, uint8_t *to) {
    for (int y = 1; y <= SIDE; y++)
        for (int x = 1; x <= SIDE; x++) {
            const uint8_t *cell = from + y * WIDTH + x;
            int around = cell[-WIDTH - 1] + cell[-WIDTH] + cell[-WIDTH + 1] + cell[-1] + cell[1] + cell[WIDTH - 1] +
                         cell[WIDTH] + cell[WIDTH + 1];
            to[y * WIDTH + x] = around == 3 || (around == 2 && *cell);
        }
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 71;
    uint64_t sum = 0;
    for (int y = 1; y <= SIDE; y++)
        for (int x = 1; x <= SIDE; x++) fields[0][y * WIDTH + x] = next_random(&state) % 3 == 0;
    for (int i = 0; i < n; i++) {
        wrap(fields[i & 1]);
        step(fields[i & 1], fields[~i & 1]);
    }
    for (int i = 0; i < WIDTH * WIDTH; i++) sum = sum * 31 + fields[n & 1][i];
    return (int64_t)sum;
}
