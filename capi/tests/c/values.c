/* Values: made and read without a guest, and through one of rare types, which consumes fuel. See check.h. */
#include "check.h"

static void scalars(void) {
    cellule_val_t *val = cellule_val_s8(-8);
    int8_t s8 = 0;
    uint8_t u8 = 0;
    CHECK(cellule_val_kind(val) == CELLULE_VAL_KIND_S8);
    CHECK(cellule_val_get_s8(val, &s8) && s8 == -8);
    /* Of another type, and without a place: no answer. */
    CHECK(!cellule_val_get_u8(val, &u8) && !cellule_val_get_s8(val, NULL) && !cellule_val_get_s8(NULL, &s8));
    CHECK(cellule_val_len(val) == 0 && cellule_val_get(val, 0) == NULL);
    CHECK(cellule_val_get_string(val).data == NULL);
    cellule_val_delete(val);
    CHECK(cellule_val_char(0xd800) == NULL);
    CHECK(cellule_val_string("\xff", 1) == NULL && cellule_val_text(NULL) == NULL);
    CHECK(cellule_val_string(NULL, 1) == NULL);
    val = cellule_val_string("a\0b", 3);
    CHECK(cellule_val_get_string(val).len == 3);
    cellule_val_delete(val);
    CHECK(cellule_val_kind(NULL) == CELLULE_VAL_KIND_NONE);
}

static void numbers(void) {
    const int16_t some[3] = {1, -2, 3};
    cellule_val_t *list = cellule_val_numbers(CELLULE_VAL_KIND_S16, some, 3);
    cellule_val_kind_t kind = CELLULE_VAL_KIND_NONE;
    const int16_t *same = cellule_val_get_numbers(list, &kind);
    CHECK(same != NULL && kind == CELLULE_VAL_KIND_S16 && cellule_val_len(list) == 3);
    CHECK(memcmp(same, some, sizeof some) == 0);
    /* Kept as numbers, so that no element can be lent, but copied. */
    CHECK(cellule_val_get(list, 1) == NULL && cellule_val_get_element(list, 3) == NULL);
    cellule_val_t *element = cellule_val_get_element(list, 1);
    int16_t read = 0;
    CHECK(cellule_val_get_s16(element, &read) && read == -2);
    /* What can't be added is deleted nevertheless. */
    CHECK(!cellule_val_push(list, element));
    /* One by one: another way to keep it, but equal. */
    cellule_val_t *slow = cellule_val_list();
    for (int i = 0; i < 3; i++) {
        CHECK(cellule_val_push(slow, cellule_val_s16(some[i])));
    }
    CHECK(cellule_val_get_numbers(slow, &kind) == NULL && cellule_val_get(slow, 2) != NULL);
    CHECK(cellule_val_equal(list, slow) && !cellule_val_equal(list, NULL));
    CHECK(!cellule_val_push(slow, NULL) && !cellule_val_push(NULL, cellule_val_s16(0)));
    cellule_val_t *copy = cellule_val_clone(slow);
    CHECK(cellule_val_push(copy, cellule_val_s16(4)) && cellule_val_len(slow) == 3);
    cellule_val_delete(copy);
    cellule_val_delete(slow);
    cellule_val_delete(list);
    CHECK(cellule_val_numbers(CELLULE_VAL_KIND_STRING, some, 3) == NULL);
    CHECK(cellule_val_numbers(CELLULE_VAL_KIND_S16, NULL, 3) == NULL);
    CHECK(cellule_val_numbers(CELLULE_VAL_KIND_S16, (const char *)some + 1, 1) == NULL);
    CHECK(cellule_val_numbers(CELLULE_VAL_KIND_F64, NULL, (size_t)-1) == NULL);
}

static void parts(void) {
    cellule_val_t *flags = cellule_val_flags();
    CHECK(cellule_val_set_flag(flags, "cold") && cellule_val_set_flag(flags, "cold"));
    CHECK(cellule_val_len(flags) == 1 && is(cellule_val_get_name(flags, 0), "cold"));
    CHECK(cellule_val_has_flag(flags, "cold") && !cellule_val_has_flag(flags, "hot"));
    CHECK(!cellule_val_set_flag(flags, NULL) && cellule_val_get_name(flags, 1).data == NULL);
    cellule_val_t *record = cellule_val_record();
    CHECK(cellule_val_add_field(record, "flags", flags));
    CHECK(!cellule_val_add_field(record, NULL, cellule_val_bool(true)));
    CHECK(cellule_val_has_flag(cellule_val_get_field(record, "flags"), "cold"));
    CHECK(cellule_val_get_field(record, "other") == NULL && cellule_val_get_field(NULL, "flags") == NULL);
    cellule_val_t *ok = cellule_val_ok(record);
    CHECK(cellule_val_is_ok(ok) && cellule_val_kind(cellule_val_get(ok, 0)) == CELLULE_VAL_KIND_RECORD);
    CHECK(cellule_val_get(ok, 1) == NULL);
    cellule_val_t *some = cellule_val_some(ok);
    CHECK(cellule_val_len(some) == 1);
    cellule_val_delete(some);
    CHECK(cellule_val_some(NULL) == NULL);
    cellule_val_t *none = cellule_val_none();
    CHECK(cellule_val_len(none) == 0 && cellule_val_kind(none) == CELLULE_VAL_KIND_OPTION);
    CHECK(!cellule_val_add_field(none, "x", cellule_val_bool(false)));
    CHECK(!cellule_val_add_pair(none, cellule_val_bool(false), cellule_val_bool(false)));
    cellule_val_delete(none);
    cellule_val_t *err = cellule_val_err(NULL);
    CHECK(!cellule_val_is_ok(err) && cellule_val_len(err) == 0);
    cellule_val_delete(err);
    CHECK(cellule_val_enum(NULL) == NULL && cellule_val_variant(NULL, cellule_val_u8(1)) == NULL);
}

void values(void) {
    scalars();
    numbers();
    parts();
}

static void rare_types(cellule_instance_t *instance, cellule_store_t *store) {
    cellule_val_t *map = cellule_val_map();
    CHECK(cellule_val_add_pair(map, cellule_val_u32(7), cellule_val_text("seven")));
    CHECK(cellule_val_add_pair(map, cellule_val_u32(8), cellule_val_text("eight")));
    cellule_val_t *expected = cellule_val_clone(map);
    cellule_val_t *same = call(instance, store, NULL, "same-map", &map, 1);
    uint32_t key = 0;
    CHECK(cellule_val_kind(same) == CELLULE_VAL_KIND_MAP && cellule_val_equal(same, expected));
    CHECK(cellule_val_get_u32(cellule_val_get_key(same, 1), &key) && key == 8);
    CHECK(is(cellule_val_get_string(cellule_val_get(same, 1)), "eight"));
    cellule_val_delete(expected);
    cellule_val_delete(same);

    cellule_val_t *pair = cellule_val_fixed_length_list();
    CHECK(cellule_val_push(pair, cellule_val_u32(1)) && cellule_val_push(pair, cellule_val_u32(2)));
    same = call(instance, store, NULL, "same-pair", &pair, 1);
    CHECK(cellule_val_kind(same) == CELLULE_VAL_KIND_FIXED_LENGTH_LIST && cellule_val_len(same) == 2);
    cellule_val_delete(same);

    cellule_val_t *context = cellule_val_error_context("so it went", 10);
    same = call(instance, store, NULL, "same-error", &context, 1);
    CHECK(cellule_val_kind(same) == CELLULE_VAL_KIND_ERROR_CONTEXT);
    CHECK(is(cellule_val_get_string(same), "so it went"));
    cellule_val_delete(same);
}

/* Values of other types, too many and NULL: refused, and the guest goes on. */
static void wrong_arguments(cellule_instance_t *instance, cellule_store_t *store) {
    cellule_func_t *func = NULL;
    cellule_val_t *result = NULL;
    const cellule_val_t *none = NULL;
    FAILS(cellule_instance_func(instance, store, NULL, "nothing", &func), CELLULE_ERROR_KIND_TYPE, "`nothing`");
    FAILS(cellule_instance_func(instance, store, "a:b/c", "f", &func), CELLULE_ERROR_KIND_TYPE, "`a:b/c`");
    WELL(cellule_instance_func(instance, store, NULL, "same-map", &func));
    cellule_val_t *wrong = cellule_val_u8(1);
    const cellule_val_t *args[2] = {wrong, wrong};
    FAILS(cellule_func_call(func, store, NULL, 0, &result), CELLULE_ERROR_KIND_TYPE, "");
    FAILS(cellule_func_call(func, store, args, 1, &result), CELLULE_ERROR_KIND_TYPE, "");
    FAILS(cellule_func_call(func, store, args, 2, &result), CELLULE_ERROR_KIND_TYPE, "");
    FAILS(cellule_func_call(func, store, NULL, 1, &result), CELLULE_ERROR_KIND_NULL, "`args`");
    FAILS(cellule_func_call(func, store, &none, 1, &result), CELLULE_ERROR_KIND_NULL, "`args[0]`");
    FAILS(cellule_func_call(func, store, args, 1, NULL), CELLULE_ERROR_KIND_NULL, "`result`");
    CHECK(result == NULL);
    cellule_val_delete(wrong);
    cellule_func_delete(func);
}

static void traps(cellule_linker_t *linker, cellule_store_t *store, cellule_component_t *component) {
    cellule_instance_t *instance = NULL;
    WELL(cellule_linker_instantiate(linker, store, component, &instance));
    cellule_error_t *error = try_call(instance, store, NULL, "boom", NULL, 0, NULL);
    CHECK(cellule_error_trap(error) == CELLULE_TRAP_UNREACHABLE_CODE_REACHED);
    CHECK(cellule_error_frame_count(error) == 1 && cellule_error_frame_func(error, 0) == 3);
    CHECK(strcmp(cellule_error_frame_name(error, 0), "deep") == 0);
    CHECK(cellule_error_frame_func(error, 1) == UINT32_MAX && cellule_error_frame_name(error, 1) == NULL);
    CHECK(cellule_error_chain_len(error) >= 1 && cellule_error_chain(error, 9) == NULL);
    FAILS(error, CELLULE_ERROR_KIND_TRAP, "unreachable");
    error = try_call(instance, store, NULL, "boom", NULL, 0, NULL);
    CHECK(cellule_error_trap(error) == CELLULE_TRAP_CANNOT_ENTER_COMPONENT);
    cellule_error_delete(error);
    cellule_instance_delete(instance);
    /* Another instance in the same store runs, until its fuel is gone. */
    WELL(cellule_linker_instantiate(linker, store, component, &instance));
    WELL(cellule_store_set_fuel(store, 10000));
    error = try_call(instance, store, NULL, "spin", NULL, 0, NULL);
    CHECK(cellule_error_trap(error) == CELLULE_TRAP_OUT_OF_FUEL);
    cellule_error_delete(error);
    uint64_t left = 1;
    WELL(cellule_store_get_fuel(store, &left));
    CHECK(left == 0);
    cellule_instance_delete(instance);
}

void shapes(cellule_component_t *component, cellule_engine_t *engine) {
    cellule_linker_t *linker = NULL;
    cellule_store_t *store = NULL, *other = NULL;
    cellule_instance_t *instance = NULL;
    WELL(cellule_linker_new(engine, &linker));
    WELL(cellule_store_new(engine, NULL, &store));
    WELL(cellule_store_new(engine, NULL, &other));
    WELL(cellule_store_set_fuel(store, 1000000));
    WELL(cellule_linker_instantiate(linker, store, component, &instance));
    rare_types(instance, store);
    uint64_t left = 0;
    WELL(cellule_store_get_fuel(store, &left));
    CHECK(left > 0 && left < 1000000);
    wrong_arguments(instance, store);
    cellule_func_t *func = NULL;
    FAILS(cellule_instance_func(instance, other, NULL, "boom", &func), CELLULE_ERROR_KIND_TYPE, "another store");
    WELL(cellule_instance_func(instance, store, NULL, "boom", &func));
    FAILS(cellule_func_call(func, other, NULL, 0, NULL), CELLULE_ERROR_KIND_TYPE, "another store");
    cellule_func_delete(func);
    traps(linker, store, component);
    cellule_instance_delete(instance);
    cellule_store_delete(other);
    cellule_store_delete(store);
    cellule_linker_delete(linker);
}
