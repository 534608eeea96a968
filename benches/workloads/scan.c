/* Bytes and branches: splits 64 KiB of text into words and numbers and looks the words up, n times. */
#include "workload.h"

#define LENGTH 65536
#define BUCKETS 4096
static char text[LENGTH + 1];
static struct { uint32_t hash, count; } buckets[BUCKETS];

static void write_text(void) {
    static const char *const words[] = {"cell", "wall", "register", "machine", "a", "the", "42",
                                        "1066", "(", ");", "slot", "frame", "is", "not", "_x1"};
    uint32_t state = 3;
    size_t at = 0;
    while (at + 16 < LENGTH) {
        const char *word = words[next_random(&state) % (sizeof words / sizeof *words)];
        while (*word) text[at++] = *word++;
        text[at++] = next_random(&state) % 8 ? ' ' : '\n';
    }
    text[at] = 0;
}

static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static int is_digit(char c) { return c >= '0' && c <= '9'; }

static void count(uint32_t hash) {
    uint32_t at = hash % BUCKETS;
    while (buckets[at].count && buckets[at].hash != hash) at = (at + 1) % BUCKETS;
    buckets[at].hash = hash;
    buckets[at].count++;
}

static uint64_t scan(void) {
    uint64_t sum = 0, lines = 0;
    for (const char *at = text; *at;) {
        if (is_letter(*at)) {
            uint32_t hash = 2166136261u;
            while (is_letter(*at) || is_digit(*at)) hash = (hash ^ (uint8_t)*at++) * 16777619u;
            count(hash);
        } else if (is_digit(*at)) {
            uint32_t number = 0;
            while (is_digit(*at)) number = number * 10 + (uint32_t)(*at++ - '0');
            sum += number;
        } else if (*at++ == '\n') {
            lines++;
        }
    }
    return sum * 31 + lines;
}

EXPORT int64_t run(int32_t n) {
    uint64_t sum = 0;
    write_text();
    for (int i = 0; i < BUCKETS; i++) buckets[i].hash = buckets[i].count = 0;
    while (n-- > 0) sum += scan();
    for (int i = 0; i < BUCKETS; i++) sum = sum * 31 + buckets[i].count;
    return (int64_t)sum;
}
