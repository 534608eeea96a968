/* JSON: builds a document of about 40 KiB once; then parses it to a tree, changes a number, sums the tree and
 * writes it again, n times. */
#include "workload.h"

#define TEXT 65536
#define NODES 16384
enum kind { NIL, NO, YES, NUMBER, STRING, LIST, OBJECT };
struct node {
    enum kind kind;
    double number;
    const char *text; /* Of a string, within the parsed text. */
    uint32_t length;
    struct node *key, *first, *next;
};
static char texts[2][TEXT];
static struct node nodes[NODES];
static uint32_t used;
static const char *at;
static char *out;

static struct node *make(enum kind kind) {
    struct node *node = &nodes[used++];
    *node = (struct node){.kind = kind};
    return node;
}

static void skip(void) {
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') at++;
}

static struct node *parse_string(void) {
    struct node *node = make(STRING);
    node->text = ++at;
    while (*at != '"') at += *at == '\\' ? 2 : 1;
    node->length = (uint32_t)(at++ - node->text);
    return node;
}

static struct node *parse_number(void) {
    struct node *node = make(NUMBER);
    int negative = *at == '-';
    double value = 0, scale = 1;
    at += negative;
    for (; *at >= '0' && *at <= '9'; at++) value = value * 10 + (*at - '0');
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++) value += (*at - '0') * (scale /= 10);
    node->number = negative ? -value : value;
    return node;
}

static struct node *parse(void);

static struct node *parse_items(enum kind kind, char close) {
    struct node *all = make(kind), **last = &all->first;
    at++;
    for (skip(); *at != close; skip()) {
        struct node *key = 0;
        if (kind == OBJECT) {
            key = parse_string();
            skip();
            at++; /* The colon. */
        }
        *last = parse();
        (*last)->key = key;
        last = &(*last)->next;
        skip();
        if (*at == ',') at++;
    }
    at++;
    return all;
}

static struct node *parse(void) {
    skip();
    switch (*at) {
    case '{': return parse_items(OBJECT, '}');
    case '[': return parse_items(LIST, ']');
    case '"': return parse_string();
    case 't': at += 4; return make(YES);
    case 'f': at += 5; return make(NO);
    case 'n': at += 4; return make(NIL);
    default: return parse_number();
    }
}

static void write_text(const char *text, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) *out++ = text[i];
}

static void write_string(const char *text, uint32_t length) {
    *out++ = '"';
    write_text(text, length);
    *out++ = '"';
}

static void write_number(double number) {
    if (number < 0) *out++ = '-', number = -number;
    uint32_t whole = (uint32_t)number, part = (uint32_t)((number - whole) * 1000 + 0.5);
    char digits[12];
    int count = 0;
    do digits[count++] = (char)('0' + whole % 10);
    while (whole /= 10);
    while (count) *out++ = digits[--count];
    if (part) {
        *out++ = '.';
        for (uint32_t unit = 100; unit && part; part %= unit, unit /= 10) *out++ = (char)('0' + part / unit);
    }
}

static void write(const struct node *node) {
    switch (node->kind) {
    case NIL: write_text("null", 4); break;
    case NO: write_text("false", 5); break;
    case YES: write_text("true", 4); break;
    case NUMBER: write_number(node->number); break;
    case STRING: write_string(node->text, node->length); break;
    default:
        *out++ = node->kind == LIST ? '[' : '{';
        for (const struct node *item = node->first; item; item = item->next) {
            if (item->key) write_string(item->key->text, item->key->length), *out++ = ':';
            write(item);
            if (item->next) *out++ = ',';
        }
        *out++ = node->kind == LIST ? ']' : '}';
    }
}

static double sum(const struct node *node) {
    double total = node->kind == NUMBER ? node->number : node->kind;
    for (const struct node *item = node->first; item; item = item->next) total += sum(item);
    return total;
}

static void write_document(char *text) {
    static const char *const names[] = {"cell", "wall \\\"north\\\"", "register", "a longer name of a thing"};
    uint32_t state = 5;
    out = text;
    *out++ = '[';
    for (int i = 0; i < 300; i++) {
        const char *name = names[next_random(&state) % 4];
        uint32_t length = 0;
        while (name[length]) length++;
        if (i) *out++ = ',', *out++ = '\n';
        write_text("{ \"id\": ", 8);
        write_number(i);
        write_text(", \"name\": ", 10);
        write_string(name, length);
        write_text(", \"at\": [", 9);
        for (int j = 0; j < 4; j++) {
            if (j) *out++ = ',', *out++ = ' ';
            write_number((double)(next_random(&state) % 200000) / 1000 - 100);
        }
        write_text("], \"on\": ", 9);
        next_random(&state) & 1 ? write_text("true", 4) : write_text("null", 4);
        write_text(", \"more\": { \"depth\": { \"x\": false } } }", 39);
    }
    *out++ = ']';
    *out = 0;
}

EXPORT int64_t run(int32_t n) {
    uint64_t hash = 14695981039346656037ull;
    write_document(texts[0]);
    while (n-- > 0) {
        used = 0;
        at = texts[0];
        struct node *root = parse();
        out = texts[1];
        root->first->first->number = n & 0xff;
        write(root);
        hash = (hash ^ (uint64_t)(int64_t)(sum(root) * 8)) * 1099511628211ull;
    }
    for (char *byte = texts[1]; byte < out; byte++) hash = (hash ^ (uint8_t)*byte) * 1099511628211ull;
    return (int64_t)hash;
}
