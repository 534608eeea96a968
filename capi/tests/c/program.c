/* A host in C that does with components what a host does, and checks each answer: see check.h. */
#include "check.h"

void fails(cellule_error_t *error, cellule_error_kind_t kind, const char *words, const char *file, int line) {
    if (error == NULL) {
        fprintf(stderr, "%s:%d: no error, but expected: %s\n", file, line, words);
        exit(1);
    }
    if (cellule_error_kind(error) != kind || strstr(cellule_error_message(error), words) == NULL) {
        fprintf(stderr, "%s:%d: expected kind %d, `%s`, but it is kind %d, `%s`\n", file, line, kind, words,
                cellule_error_kind(error), cellule_error_message(error));
        exit(1);
    }
    cellule_error_delete(error);
}

bool is(cellule_text_t text, const char *expected) {
    return text.data != NULL && text.len == strlen(expected) && memcmp(text.data, expected, text.len) == 0;
}

cellule_error_t *try_call(cellule_instance_t *instance, cellule_store_t *store, const char *interface,
                          const char *name, cellule_val_t **args, size_t len, cellule_val_t **result) {
    cellule_func_t *func = NULL;
    WELL(cellule_instance_func(instance, store, interface, name, &func));
    size_t params = 99;
    bool has_result = false;
    WELL(cellule_func_shape(func, store, &params, &has_result));
    CHECK(params == len);
    cellule_error_t *error =
        cellule_func_call(func, store, (const cellule_val_t *const *)args, len, result);
    if (error == NULL && result != NULL) {
        CHECK((*result != NULL) == has_result);
    }
    for (size_t i = 0; i < len; i++) {
        cellule_val_delete(args[i]);
    }
    cellule_func_delete(func);
    return error;
}

cellule_val_t *call(cellule_instance_t *instance, cellule_store_t *store, const char *interface,
                    const char *name, cellule_val_t **args, size_t len) {
    cellule_val_t *result = NULL;
    WELL(try_call(instance, store, interface, name, args, len, &result));
    return result;
}

static uint8_t *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    *len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*len);
    CHECK(bytes != NULL && fread(bytes, 1, *len, file) == *len);
    fclose(file);
    return bytes;
}

static cellule_component_t *load(cellule_engine_t *engine, const char *path) {
    size_t len = 0;
    uint8_t *wasm = read_file(path, &len);
    cellule_component_t *component = NULL;
    /* Damaged: an error, with the place. */
    cellule_error_t *error = cellule_component_new(engine, wasm, len / 2, &component);
    uint64_t offset = 0;
    CHECK(error != NULL && component == NULL);
    CHECK(cellule_error_offset(error, &offset) && offset > 0 && offset <= len / 2);
    CHECK(cellule_error_trap(error) == CELLULE_TRAP_NONE);
    FAILS(error, CELLULE_ERROR_KIND_INVALID, "unexpected end");
    FAILS(cellule_component_new(engine, (const uint8_t *)"no wasm!", 8, &component),
          CELLULE_ERROR_KIND_MALFORMED, "malformed binary");
    WELL(cellule_component_new(engine, wasm, len, &component));
    free(wasm);
    return component;
}

/* Each pointer that must not be NULL is named. */
static void nulls(cellule_engine_t *engine, cellule_component_t *component) {
    cellule_component_t *none = component;
    FAILS(cellule_component_new(NULL, NULL, 0, &none), CELLULE_ERROR_KIND_NULL, "`engine`");
    CHECK(none == NULL);
    FAILS(cellule_component_new(engine, NULL, 8, &none), CELLULE_ERROR_KIND_NULL, "`wasm`");
    FAILS(cellule_component_new(engine, (const uint8_t *)"", 0, NULL), CELLULE_ERROR_KIND_NULL, "`out`");
    FAILS(cellule_engine_new(NULL, NULL), CELLULE_ERROR_KIND_NULL, "`out`");
    FAILS(cellule_store_set_fuel(NULL, 1), CELLULE_ERROR_KIND_NULL, "`store`");
    FAILS(cellule_linker_func(NULL, NULL, "f", NULL, NULL, NULL), CELLULE_ERROR_KIND_NULL, "`linker`");
    cellule_linker_t *linker = NULL;
    cellule_store_t *store = NULL;
    cellule_instance_t *instance = NULL;
    WELL(cellule_linker_new(engine, &linker));
    WELL(cellule_store_new(engine, &store, &store));
    CHECK(cellule_store_data(store) == &store && cellule_store_data(NULL) == NULL);
    FAILS(cellule_linker_func(linker, NULL, NULL, NULL, NULL, NULL), CELLULE_ERROR_KIND_NULL, "`name`");
    FAILS(cellule_linker_func(linker, NULL, "f", NULL, NULL, NULL), CELLULE_ERROR_KIND_NULL, "`callback`");
    FAILS(cellule_linker_func(linker, "\xff", "f", NULL, NULL, NULL), CELLULE_ERROR_KIND_TYPE, "UTF-8");
    FAILS(cellule_linker_instantiate(linker, store, NULL, &instance), CELLULE_ERROR_KIND_NULL, "`component`");
    FAILS(cellule_linker_instantiate(NULL, store, component, &instance), CELLULE_ERROR_KIND_NULL, "`linker`");
    FAILS(cellule_linker_instantiate(linker, NULL, component, &instance), CELLULE_ERROR_KIND_NULL, "`store`");
    FAILS(cellule_instance_func(NULL, store, NULL, "f", NULL), CELLULE_ERROR_KIND_NULL, "`out`");
    FAILS(cellule_func_call(NULL, store, NULL, 0, NULL), CELLULE_ERROR_KIND_NULL, "`func`");
    FAILS(cellule_resource_drop(store, NULL), CELLULE_ERROR_KIND_NULL, "`value`");
    /* Without fuel in the engine there is none to set. */
    FAILS(cellule_store_set_fuel(store, 1), CELLULE_ERROR_KIND_TYPE, "fuel");
    cellule_store_delete(store);
    cellule_linker_delete(linker);
    cellule_store_delete(NULL);
    cellule_linker_delete(NULL);
    cellule_engine_delete(NULL);
    cellule_config_delete(NULL);
    cellule_component_delete(NULL);
    cellule_instance_delete(NULL);
    cellule_func_delete(NULL);
    cellule_error_delete(NULL);
    CHECK(cellule_error_kind(NULL) == CELLULE_ERROR_KIND_NULL && cellule_error_message(NULL) == NULL);
    CHECK(cellule_error_chain_len(NULL) == 0 && cellule_error_chain(NULL, 0) == NULL);
}

/* The same guest from an image: copied, and in place, which has to stay until the program ends. */
static void images(cellule_engine_t *engine, cellule_engine_t *other, const char *path) {
    static uint8_t *image = NULL;
    size_t len = 0;
    cellule_component_t *component = NULL;
    image = read_file(path, &len);
    FAILS(cellule_component_from_image(engine, NULL, len, &component), CELLULE_ERROR_KIND_NULL, "`image`");
    FAILS(cellule_component_from_image(engine, image, len - 8, &component), CELLULE_ERROR_KIND_IMAGE, "");
    uint8_t *shifted = malloc(len + 1);
    CHECK(shifted != NULL);
    memcpy(shifted + 1, image, len);
    FAILS(cellule_component_from_static_image(engine, shifted + 1, len, &component),
          CELLULE_ERROR_KIND_IMAGE, "align");
    free(shifted);
    /* It was made to count fuel. */
    FAILS(cellule_component_from_image(other, image, len, &component), CELLULE_ERROR_KIND_IMAGE, "fuel");
    CHECK(component == NULL);
    WELL(cellule_component_from_image(engine, image, len, &component));
    shapes(component, engine);
    cellule_component_delete(component);
    WELL(cellule_component_from_static_image(engine, image, len, &component));
    shapes(component, engine);
    cellule_component_delete(component);
}

int main(int argc, char **argv) {
    CHECK(argc == 4);
    values();
    cellule_engine_t *plain = NULL;
    WELL(cellule_engine_new(NULL, &plain));
    cellule_component_t *component = load(plain, argv[1]);
    nulls(plain, component);
    depot(component, plain);
    cellule_component_delete(component);

    cellule_config_t *config = cellule_config_new();
    cellule_engine_t *metered = NULL;
    cellule_config_consume_fuel(config, true);
    cellule_config_max_memory(config, 1 << 20);
    cellule_config_max_stack(config, 1 << 16);
    WELL(cellule_engine_new(config, &metered));
    cellule_config_delete(config);
    component = load(metered, argv[2]);
    shapes(component, metered);
    cellule_component_delete(component);
    images(metered, plain, argv[3]);
    cellule_engine_delete(plain);
    cellule_engine_delete(metered);
    puts("all of it holds");
    return 0;
}
