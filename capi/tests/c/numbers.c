/* The example of docs/c-api.md: numbers to a component, its answer and its trap back, with fuel. */
#include "cellule.h"
#include <stdio.h>
#include <stdlib.h>

/* Ends the program with an error's message and its causes. */
static void must(cellule_error_t *error) {
    if (error != NULL) {
        fprintf(stderr, "%s\n", cellule_error_message(error));
        cellule_error_delete(error);
        exit(1);
    }
}

/* `now: func() -> u64`: `env` is what was given to `cellule_linker_func`. */
static cellule_error_t *now(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                            size_t args_len, cellule_val_t **result) {
    (void)store, (void)args, (void)args_len;
    *result = cellule_val_u64(*(const uint64_t *)env);
    return NULL;
}

/* Reads a whole file, which the caller frees. */
static uint8_t *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        exit(2);
    }
    *len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*len);
    if (bytes == NULL || fread(bytes, 1, *len, file) != *len) {
        exit(2);
    }
    fclose(file);
    return bytes;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    size_t len = 0;
    uint8_t *wasm = read_file(argv[1], &len);
    static uint64_t time = 1234;

    cellule_config_t *config = cellule_config_new();
    cellule_config_consume_fuel(config, true);
    cellule_engine_t *engine = NULL;
    must(cellule_engine_new(config, &engine));
    cellule_component_t *component = NULL;
    must(cellule_component_new(engine, wasm, len, &component));

    cellule_linker_t *linker = NULL;
    must(cellule_linker_new(engine, &linker));
    must(cellule_linker_func(linker, NULL, "now", now, &time, NULL));
    must(cellule_linker_define_unknown_imports_as_traps(linker, component));

    cellule_store_t *store = NULL;
    must(cellule_store_new(engine, NULL, &store));
    must(cellule_store_set_fuel(store, 1000000));
    cellule_instance_t *instance = NULL;
    must(cellule_linker_instantiate(linker, store, component, &instance));

    cellule_func_t *stats = NULL;
    must(cellule_instance_func(instance, store, "cellule:depot/depot@1.2.0", "stats", &stats));
    const int32_t numbers[] = {3, -4, 10};
    cellule_val_t *list = cellule_val_numbers(CELLULE_VAL_KIND_S32, numbers, 3);
    const cellule_val_t *args[] = {list};
    cellule_val_t *result = NULL;
    must(cellule_func_call(stats, store, args, 1, &result));
    int64_t sum = 0;
    double mean = 0;
    if (cellule_val_get_s64(cellule_val_get(result, 0), &sum) &&
        cellule_val_get_f64(cellule_val_get(result, 3), &mean)) {
        printf("sum %lld, mean %g\n", (long long)sum, mean);
    }
    cellule_val_delete(result);
    cellule_val_delete(list);

    /* `log`, which `hello` calls, isn't defined: a trap, of which this prints what can be known. */
    cellule_func_t *hello = NULL;
    must(cellule_instance_func(instance, store, NULL, "hello", &hello));
    cellule_val_t *name = cellule_val_text("Ada");
    args[0] = name;
    cellule_error_t *error = cellule_func_call(hello, store, args, 1, &result);
    if (error != NULL) {
        printf("kind %d: %s\n", cellule_error_kind(error), cellule_error_message(error));
        for (size_t i = 0; i < cellule_error_frame_count(error); i++) {
            const char *function = cellule_error_frame_name(error, i);
            printf("  in %s\n", function != NULL ? function : "a function without a name");
        }
        cellule_error_delete(error);
    }
    cellule_val_delete(name);

    cellule_func_delete(hello);
    cellule_func_delete(stats);
    cellule_instance_delete(instance);
    cellule_store_delete(store);
    cellule_linker_delete(linker);
    cellule_component_delete(component);
    cellule_engine_delete(engine);
    cellule_config_delete(config);
    free(wasm);
    return 0;
}
