/* Compression: packs 64 KiB of repetitive bytes with a hash table of three-byte sequences (LZ77 to whole bytes),
 * unpacks them and compares, n times with changing input. */
#include "workload.h"

#define LENGTH 65536
#define HASHES 8192
#define REACH 32768
static uint8_t input[LENGTH], packed[LENGTH + LENGTH / 8], unpacked[LENGTH];
static uint16_t heads[HASHES];

static void write_input(uint32_t seed) {
    uint32_t state = seed * 2654435761u + 1, at = 0;
    while (at < LENGTH) {
        uint32_t random = next_random(&state), count = 4 + (random >> 8) % 24;
        if (at < 64 || random % 4 == 0) {
            for (uint32_t i = 0; i < count && at < LENGTH; i++) input[at++] = (uint8_t)(random >> (i & 15));
        } else {
            uint32_t from = next_random(&state) % (at < REACH ? at : REACH) + 1;
            for (uint32_t i = 0; i < count && at < LENGTH; i++, at++) input[at] = input[at - from];
        }
    }
}

static uint32_t hash(const uint8_t *at) {
    uint32_t word = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
    return word * 2654435761u >> 19;
}

/* A byte below 128: so many bytes and one follow as they are. Otherwise a copy: the length less four plus 128, and
 * two bytes of distance. */
static uint8_t *put_literals(uint8_t *out, const uint8_t *from, const uint8_t *to) {
    while (from < to) {
        uint32_t count = to - from > 128 ? 128 : (uint32_t)(to - from);
        *out++ = (uint8_t)(count - 1);
        while (count--) *out++ = *from++;
    }
    return out;
}

static uint32_t pack(void) {
    const uint8_t *at = input, *literals = input, *end = input + LENGTH;
    uint8_t *out = packed;
    for (uint32_t i = 0; i < HASHES; i++) heads[i] = 0;
    while (at + 4 < end) {
        uint32_t slot = hash(at);
        const uint8_t *match = input + heads[slot];
        heads[slot] = (uint16_t)(at - input);
        if (match < at && at - match <= REACH && match[0] == at[0] && match[1] == at[1] && match[2] == at[2] &&
            match[3] == at[3]) {
            uint32_t length = 4;
            while (length < 131 && at + length < end && match[length] == at[length]) length++;
            out = put_literals(out, literals, at);
            *out++ = (uint8_t)(124 + length);
            *out++ = (uint8_t)(at - match);
            *out++ = (uint8_t)((at - match) >> 8);
            literals = at += length;
        } else {
            at++;
        }
    }
    return (uint32_t)(put_literals(out, literals, end) - packed);
}

static uint32_t unpack(uint32_t length) {
    const uint8_t *at = packed, *end = packed + length;
    uint8_t *out = unpacked;
    while (at < end) {
        uint32_t token = *at++;
        if (token < 128) {
            for (token++; token; token--) *out++ = *at++;
        } else {
            const uint8_t *from = out - (at[0] | (uint32_t)at[1] << 8);
            at += 2;
            for (token -= 124; token; token--) *out++ = *from++;
        }
    }
    return (uint32_t)(out - unpacked);
}

EXPORT int64_t run(int32_t n) {
    uint64_t sum = 0;
    while (n-- > 0) {
        write_input((uint32_t)n);
        uint32_t length = pack();
        uint32_t same = unpack(length) == LENGTH;
        for (uint32_t i = 0; i < LENGTH; i++) same &= unpacked[i] == input[i];
        sum = (sum * 31 + length) * 2 + same;
    }
    return (int64_t)sum;
}
