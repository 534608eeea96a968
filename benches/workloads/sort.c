/* Comparisons and swaps in memory: quicksort of n random words, with insertion sort for short runs. */
#include "workload.h"

#define MOST 1000000
static int32_t words[MOST];

static void sort(int32_t *low, int32_t *high) {
    while (high - low > 12) {
        int32_t pivot = low[(high - low) / 2], *left = low, *right = high - 1;
        for (;;) {
            while (*left < pivot) left++;
            while (*right > pivot) right--;
            if (left >= right) break;
            int32_t word = *left;
            *left++ = *right;
            *right-- = word;
        }
        sort(low, left);
        low = left;
    }
    for (int32_t *at = low + 1; at < high; at++) {
        int32_t word = *at, *to = at;
        while (to > low && to[-1] > word) {
            *to = to[-1];
            to--;
        }
        *to = word;
    }
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 12345;
    uint64_t sum = 0;
    if (n > MOST) n = MOST;
    for (int32_t i = 0; i < n; i++) words[i] = (int32_t)next_random(&state);
    sort(words, words + n);
    for (int32_t i = 0; i < n; i++) sum = sum * 31 + (uint32_t)words[i];
    return (int64_t)sum;
}
