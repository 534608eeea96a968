/* Allocation: a malloc of size classes with free lists over a heap; n rounds of binary trees, growing vectors and
 * lists that are made and freed in changing order. */
#include "workload.h"

#define HEAP (4 << 20)
#define LIVE 256
static _Alignas(16) uint8_t heap[HEAP];
static uint32_t top;
struct chunk { uint32_t class; struct chunk *next; };
static struct chunk *lists[24];

__attribute__((noinline)) static void *allocate(uint32_t size) {
    uint32_t class = 32 - (uint32_t)__builtin_clz((size + sizeof(struct chunk) - 1) | 15);
    struct chunk *chunk = lists[class];
    if (chunk) {
        lists[class] = chunk->next;
    } else {
        if (top + (1u << class) > HEAP) __builtin_trap();
        chunk = (struct chunk *)(heap + top);
        top += 1u << class;
        chunk->class = class;
    }
    return chunk + 1;
}

__attribute__((noinline)) static void release(void *memory) {
    struct chunk *chunk = (struct chunk *)memory - 1;
    chunk->next = lists[chunk->class];
    lists[chunk->class] = chunk;
}

struct tree { struct tree *left, *right; uint32_t key; };

static struct tree *grow(int depth, uint32_t key) {
    struct tree *tree = allocate(sizeof *tree);
    tree->key = key;
    tree->left = depth ? grow(depth - 1, key * 2) : 0;
    tree->right = depth ? grow(depth - 1, key * 2 + 1) : 0;
    return tree;
}

static uint32_t fell(struct tree *tree) {
    uint32_t sum = tree->key;
    if (tree->left) sum += fell(tree->left) ^ fell(tree->right);
    release(tree);
    return sum;
}

struct vector { uint32_t length, room, *items; };

static void push(struct vector *vector, uint32_t item) {
    if (vector->length == vector->room) {
        uint32_t room = vector->room ? vector->room * 2 : 4, *items = allocate(room * 4);
        for (uint32_t i = 0; i < vector->length; i++) items[i] = vector->items[i];
        if (vector->items) release(vector->items);
        vector->items = items;
        vector->room = room;
    }
    vector->items[vector->length++] = item;
}

static void *live[LIVE];

EXPORT int64_t run(int32_t n) {
    uint32_t state = 41;
    uint64_t sum = 0;
    top = 0;
    for (int i = 0; i < 24; i++) lists[i] = 0;
    for (int i = 0; i < LIVE; i++) live[i] = 0;
    while (n-- > 0) {
        sum = sum * 31 + fell(grow(9, (uint32_t)n));
        struct vector vector = {0, 0, 0};
        for (int i = 0; i < 500; i++) push(&vector, next_random(&state));
        for (uint32_t i = 0; i < vector.length; i++) {
            uint32_t slot = vector.items[i] % LIVE, *old = live[slot];
            if (old) {
                sum += *old;
                release(old);
            }
            uint32_t *memory = live[slot] = allocate(8 + (vector.items[i] >> 16) % 120);
            *memory = vector.items[i];
        }
        release(vector.items);
    }
    return (int64_t)(sum * 31 + top);
}
