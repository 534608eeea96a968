/* Integer cryptography: ChaCha20 over 4 KiB in place, n times, and a polynomial checksum of the bytes. */
#include "workload.h"

#define LENGTH 4096
static uint8_t text[LENGTH];

static uint32_t rotl(uint32_t x, int by) { return x << by | x >> (32 - by); }

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    *a += *b; *d = rotl(*d ^ *a, 16);
    *c += *d; *b = rotl(*b ^ *c, 12);
    *a += *b; *d = rotl(*d ^ *a, 8);
    *c += *d; *b = rotl(*b ^ *c, 7);
}

static void block(const uint32_t key[16], uint32_t x[16]) {
    for (int i = 0; i < 16; i++) x[i] = key[i];
    for (int i = 0; i < 10; i++) {
        quarter(&x[0], &x[4], &x[8], &x[12]);
        quarter(&x[1], &x[5], &x[9], &x[13]);
        quarter(&x[2], &x[6], &x[10], &x[14]);
        quarter(&x[3], &x[7], &x[11], &x[15]);
        quarter(&x[0], &x[5], &x[10], &x[15]);
        quarter(&x[1], &x[6], &x[11], &x[12]);
        quarter(&x[2], &x[7], &x[8], &x[13]);
        quarter(&x[3], &x[4], &x[9], &x[14]);
    }
    for (int i = 0; i < 16; i++) x[i] += key[i];
}

EXPORT int64_t run(int32_t n) {
    uint32_t key[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 10, 11};
    uint64_t sum = 1;
    for (int i = 0; i < LENGTH; i++) text[i] = (uint8_t)i;
    while (n-- > 0) {
        for (int at = 0; at < LENGTH; at += 64) {
            uint32_t stream[16];
            block(key, stream);
            key[12]++;
            for (int i = 0; i < 64; i++) text[at + i] ^= (uint8_t)(stream[i / 4] >> 8 * (i % 4));
        }
        for (int i = 0; i < LENGTH; i += 4)
            sum = (sum + (text[i] | (uint32_t)text[i + 1] << 8)) * 48271 % 2147483647;
    }
    return (int64_t)sum;
}
