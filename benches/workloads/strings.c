/* Strings: n times 400 lines are made from numbers and words, encoded in base 64, decoded, checked as UTF-8, searched
 * for a word, and compared to find the least one. */
#include "workload.h"

static char line[256], coded[384], decoded[256], least[256];
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t length_of(const char *text) {
    const char *end = text;
    while (*end) end++;
    return (size_t)(end - text);
}

static char *append(char *to, const char *text) {
    while ((*to = *text++)) to++;
    return to;
}

static char *append_number(char *to, uint32_t number) {
    char reversed[10];
    int count = 0;
    do reversed[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count) *to++ = reversed[--count];
    *to = 0;
    return to;
}

static void make_line(uint32_t *state) {
    static const char *const words[] = {"needle", "häufig", "straw", "日本語", "hay", "stack", "naïve", "needy"};
    char *to = line;
    for (int i = 0; i < 12; i++) {
        uint32_t random = next_random(state);
        to = append(to, words[random % 8]);
        to = append_number(append(to, "="), random >> 12);
        to = append(to, i == 11 ? "." : ", ");
    }
}

static void encode(void) {
    size_t length = length_of(line);
    char *to = coded;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)(uint8_t)line[i] << 16;
        if (i + 1 < length) three |= (uint32_t)(uint8_t)line[i + 1] << 8;
        if (i + 2 < length) three |= (uint8_t)line[i + 2];
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = i + 1 < length ? digits[three >> 6 & 63] : '=';
        *to++ = i + 2 < length ? digits[three & 63] : '=';
    }
    *to = 0;
}

static uint32_t value_of(char c) {
    if (c >= 'A' && c <= 'Z') return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z') return (uint32_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0' + 52);
    return c == '+' ? 62 : 63;
}

static void decode(void) {
    char *to = decoded;
    for (const char *at = coded; *at; at += 4) {
        uint32_t three = value_of(at[0]) << 18 | value_of(at[1]) << 12;
        *to++ = (char)(three >> 16);
        if (at[2] != '=') *to++ = (char)((three |= value_of(at[2]) << 6) >> 8);
        if (at[3] != '=') *to++ = (char)(three | value_of(at[3]));
    }
    *to = 0;
}

/* How many characters of Unicode, or -1. */
static int32_t characters(const char *text) {
    int32_t count = 0;
    for (const uint8_t *at = (const uint8_t *)text; *at; count++) {
        int more = *at < 0x80 ? 0 : *at >> 5 == 6 ? 1 : *at >> 4 == 14 ? 2 : *at >> 3 == 30 ? 3 : -1;
        if (more < 0) return -1;
        for (at++; more; more--, at++)
            if ((*at & 0xc0) != 0x80) return -1;
    }
    return count;
}

static uint32_t occurrences(const char *text, const char *word) {
    uint32_t count = 0;
    for (; *text; text++) {
        const char *a = text, *b = word;
        while (*b && *a == *b) a++, b++;
        count += !*b;
    }
    return count;
}

static int compare(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

EXPORT int64_t run(int32_t n) {
    uint32_t state = 31;
    uint64_t sum = 0;
    append(least, "~");
    while (n-- > 0)
        for (int i = 0; i < 400; i++) {
            make_line(&state);
            encode();
            decode();
            sum = sum * 31 + (uint64_t)(compare(line, decoded) == 0) + (uint64_t)characters(decoded);
            sum += occurrences(decoded, "needle") << 4;
            if (compare(decoded, least) < 0) append(least, decoded);
        }
    return (int64_t)(sum * 31 + (uint8_t)least[8]);
}
