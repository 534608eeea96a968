/* Objects with tables of methods: a scene of shapes is moved, measured and drawn into a small picture through
 * function pointers, n times. */
#include "workload.h"

#define SHAPES 64
#define SIDE 32
struct shape;
struct methods {
    void (*move)(struct shape *, float, float);
    float (*area)(const struct shape *);
    int (*covers)(const struct shape *, float, float);
};
struct shape { const struct methods *methods; float x, y, a, b; };
static struct shape shapes[SHAPES];
static uint8_t picture[SIDE][SIDE];

static void move_freely(struct shape *shape, float x, float y) {
    shape->x += x;
    shape->y += y;
}
static void move_bounded(struct shape *shape, float x, float y) {
    move_freely(shape, x, y);
    if (shape->x < 0 || shape->x > SIDE) shape->x = SIDE / 2;
    if (shape->y < 0 || shape->y > SIDE) shape->y = SIDE / 2;
}
static float area_of_disc(const struct shape *shape) { return 3.1415927f * shape->a * shape->a; }
static float area_of_box(const struct shape *shape) { return shape->a * shape->b; }
static float area_of_triangle(const struct shape *shape) { return shape->a * shape->b * 0.5f; }
static int disc_covers(const struct shape *shape, float x, float y) {
    x -= shape->x;
    y -= shape->y;
    return x * x + y * y < shape->a * shape->a;
}
static int box_covers(const struct shape *shape, float x, float y) {
    x -= shape->x;
    y -= shape->y;
    return x >= 0 && y >= 0 && x < shape->a && y < shape->b;
}
static int triangle_covers(const struct shape *shape, float x, float y) {
    return box_covers(shape, x, y) && (x - shape->x) * shape->b + (y - shape->y) * shape->a < shape->a * shape->b;
}
static const struct methods discs = {move_bounded, area_of_disc, disc_covers};
static const struct methods boxes = {move_freely, area_of_box, box_covers};
static const struct methods triangles = {move_bounded, area_of_triangle, triangle_covers};

EXPORT int64_t run(int32_t n) {
    static const struct methods *const kinds[] = {&discs, &boxes, &triangles};
    uint32_t state = 53;
    uint64_t sum = 0;
    for (int i = 0; i < SHAPES; i++) {
        uint32_t random = next_random(&state);
        shapes[i] = (struct shape){kinds[random % 3], (float)(random >> 8 & 31), (float)(random >> 13 & 31),
                                   (float)(random >> 18 & 7) + 1, (float)(random >> 21 & 7) + 1};
    }
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) picture[y][x] = 0;
    while (n-- > 0) {
        float area = 0;
        for (int i = 0; i < SHAPES; i++) {
            struct shape *shape = &shapes[i];
            shape->methods->move(shape, (float)(i % 5 - 2) * 0.25f, (float)(i % 3 - 1) * 0.5f);
            area += shape->methods->area(shape);
        }
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const struct shape *shape = &shapes[(x * 7 + y * 13 + n) % SHAPES];
                picture[y][x] ^= (uint8_t)shape->methods->covers(shape, (float)x, (float)y);
            }
        sum = sum * 31 + (uint32_t)area;
    }
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) sum = sum * 3 + picture[y][x];
    return (int64_t)sum;
}
