/* i64 logic and rotations over an array: n permutations Keccak-f[1600]. */
#include "workload.h"

static uint64_t state[25];
static const uint8_t turns[24] = {1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};
static const uint8_t lanes[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};

static uint64_t rotl(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void permute(void) {
    uint8_t generator = 1;
    for (int round = 0; round < 24; round++) {
        uint64_t column[5], constant = 0;
        for (int x = 0; x < 5; x++)
            column[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20];
        for (int x = 0; x < 5; x++) {
            uint64_t mix = column[(x + 4) % 5] ^ rotl(column[(x + 1) % 5], 1);
            for (int y = 0; y < 25; y += 5) state[y + x] ^= mix;
        }
        uint64_t moved = state[1];
        for (int i = 0; i < 24; i++) {
            uint64_t lane = state[lanes[i]];
            state[lanes[i]] = rotl(moved, turns[i]);
            moved = lane;
        }
        for (int y = 0; y < 25; y += 5) {
            for (int x = 0; x < 5; x++) column[x] = state[y + x];
            for (int x = 0; x < 5; x++) state[y + x] = column[x] ^ (~column[(x + 1) % 5] & column[(x + 2) % 5]);
        }
        for (int bit = 0; bit < 7; bit++) {
            if (generator & 1) constant ^= 1ull << ((1 << bit) - 1);
            generator = (uint8_t)(generator << 1 ^ (generator >> 7) * 0x71);
        }
        state[0] ^= constant;
    }
}

EXPORT int64_t run(int32_t n) {
    for (int i = 0; i < 25; i++) state[i] = 0;
    while (n-- > 0) permute();
    return (int64_t)state[0];
}
