/* Dynamic programming: the edit distance of texts of 256 bytes, n pairs; selects and a row of 16-bit numbers. */
#include "workload.h"

#define LENGTH 256
static uint8_t a[LENGTH], b[LENGTH];
static uint16_t row[LENGTH + 1];

static uint32_t distance(void) {
    for (uint32_t j = 0; j <= LENGTH; j++) row[j] = (uint16_t)j;
    for (uint32_t i = 0; i < LENGTH; i++) {
        uint32_t diagonal = row[0], left = i + 1;
        row[0] = (uint16_t)left;
        for (uint32_t j = 0; j < LENGTH; j++) {
            uint32_t above = row[j + 1], least = diagonal + (a[i] != b[j]);
            if (above + 1 < least) least = above + 1;
            if (left + 1 < least) least = left + 1;
            diagonal = above;
            row[j + 1] = (uint16_t)(left = least);
        }
    }
    return row[LENGTH];
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 61;
    uint64_t sum = 0;
    for (int i = 0; i < LENGTH; i++) a[i] = (uint8_t)(next_random(&state) & 7);
    while (n-- > 0) {
        for (int i = 0; i < LENGTH; i++) {
            uint32_t random = next_random(&state);
            b[i] = random & 8 ? a[(i + (int)(random & 1)) % LENGTH] : (uint8_t)(random & 7);
        }
        sum = sum * 31 + distance();
    }
    return (int64_t)sum;
}
