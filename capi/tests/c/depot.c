/* The guest `rust-depot.wasm`: host functions and a resource of the host's that C defines, records, variants,
 * lists, options, results, flags, enums and a resource of the guest's. See check.h and tests/guests/wit/depot.wit. */
#include "check.h"

#define LEDGER "cellule:depot/ledger@1.2.0"
#define DEPOT "cellule:depot/depot@1.2.0"

enum { BOOK = 5, BOOKS = 8, LINES = 8 };

/* A book is a resource of the host's; its number is its place here. */
struct book {
    char title[32];
    char lines[LINES][160];
    uint32_t count;
    bool open;
};

struct host {
    struct book books[BOOKS];
    uint32_t books_len;
    char logged[512];
    int finalized;
    bool fail;
    cellule_store_t *outer;
};

static void copy(char *to, size_t room, cellule_text_t text) {
    CHECK(text.data != NULL && text.len < room);
    memcpy(to, text.data, text.len);
    to[text.len] = 0;
}

static cellule_error_t *now(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                            size_t len, cellule_val_t **result) {
    struct host *host = env;
    (void)args;
    CHECK(len == 0 && *result == NULL);
    CHECK(cellule_store_data(store) == host);
    /* The store that the host holds is in use. What it was lent isn't its to delete. */
    uint64_t fuel = 0;
    FAILS(cellule_store_get_fuel(host->outer, &fuel), CELLULE_ERROR_KIND_TYPE, "in use");
    cellule_store_delete(host->outer);
    cellule_store_delete(store);
    if (host->fail) {
        return cellule_error_new("the clock has stopped");
    }
    *result = cellule_val_u64(1234);
    return NULL;
}

static cellule_error_t *log_line(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                                 size_t len, cellule_val_t **result) {
    struct host *host = env;
    uint8_t level = 0;
    (void)store;
    (void)result;
    CHECK(len == 2 && cellule_val_get_u8(args[0], &level) && level > 0 && level < 3);
    copy(host->logged, sizeof host->logged, cellule_val_get_string(args[1]));
    return NULL;
}

static struct book *new_book(struct host *host, cellule_text_t title) {
    CHECK(host->books_len < BOOKS);
    struct book *book = &host->books[host->books_len++];
    copy(book->title, sizeof book->title, title);
    book->count = 0;
    book->open = true;
    return book;
}

/* The book that an argument names. */
static struct book *book_of(struct host *host, cellule_store_t *store, const cellule_val_t *val) {
    uint32_t type = 0, rep = 0;
    WELL(cellule_resource_take(store, val, &type, &rep));
    CHECK(type == BOOK && rep < host->books_len && host->books[rep].open);
    return &host->books[rep];
}

static cellule_error_t *book_new(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                                 size_t len, cellule_val_t **result) {
    struct host *host = env;
    CHECK(len == 1);
    struct book *book = new_book(host, cellule_val_get_string(args[0]));
    return cellule_resource_new(store, BOOK, (uint32_t)(book - host->books), result);
}

static cellule_error_t *book_append(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                                    size_t len, cellule_val_t **result) {
    CHECK(len == 2 && !cellule_resource_is_owned(args[0]));
    struct book *book = book_of(env, store, args[0]);
    CHECK(book->count < LINES);
    copy(book->lines[book->count++], sizeof book->lines[0], cellule_val_get_string(args[1]));
    *result = cellule_val_u32(book->count);
    return NULL;
}

static cellule_error_t *book_lines(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                                   size_t len, cellule_val_t **result) {
    CHECK(len == 1);
    struct book *book = book_of(env, store, args[0]);
    *result = cellule_val_list();
    for (uint32_t i = 0; i < book->count; i++) {
        CHECK(cellule_val_push(*result, cellule_val_text(book->lines[i])));
    }
    return NULL;
}

static cellule_error_t *book_longer(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                                    size_t len, cellule_val_t **result) {
    CHECK(len == 2);
    struct book *a = book_of(env, store, args[0]);
    struct book *b = book_of(env, store, args[1]);
    *result = cellule_val_text(a->count >= b->count ? a->title : b->title);
    return NULL;
}

/* Refuses a secret one, has one that is old, knows no other. */
static cellule_error_t *open_book(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                                  size_t len, cellule_val_t **result) {
    struct host *host = env;
    CHECK(len == 1);
    cellule_text_t title = cellule_val_get_string(args[0]);
    if (is(title, "secret")) {
        *result = cellule_val_err(cellule_val_variant("refused", cellule_val_text("not for you")));
    } else if (is(title, "old")) {
        struct book *book = new_book(host, title);
        book->count = 2;
        strcpy(book->lines[0], "one");
        strcpy(book->lines[1], "two");
        cellule_val_t *owned = NULL;
        WELL(cellule_resource_new(store, BOOK, (uint32_t)(book - host->books), &owned));
        CHECK(cellule_resource_is_owned(owned));
        *result = cellule_val_ok(owned);
    } else {
        *result = cellule_val_err(cellule_val_variant("unknown", cellule_val_u64(title.len)));
    }
    return NULL;
}

static cellule_error_t *close_book(void *env, cellule_store_t *store, const cellule_val_t *const *args,
                                   size_t len, cellule_val_t **result) {
    CHECK(len == 1 && cellule_resource_is_owned(args[0]));
    struct book *book = book_of(env, store, args[0]);
    book->open = false;
    *result = cellule_val_u32(book->count);
    return NULL;
}

static cellule_error_t *destroy_book(void *env, cellule_store_t *store, uint32_t rep) {
    struct host *host = env;
    CHECK(store != NULL && rep < host->books_len && host->books[rep].open);
    host->books[rep].open = false;
    return NULL;
}

static void finalize(void *env) {
    ((struct host *)env)->finalized++;
}

static void define(cellule_linker_t *linker, struct host *host) {
    WELL(cellule_linker_func(linker, NULL, "now", now, host, finalize));
    WELL(cellule_linker_func(linker, NULL, "log", log_line, host, finalize));
    WELL(cellule_linker_resource(linker, LEDGER, "book", BOOK, destroy_book, host, finalize));
    WELL(cellule_linker_func(linker, LEDGER, "[constructor]book", book_new, host, finalize));
    WELL(cellule_linker_func(linker, LEDGER, "[method]book.append", book_append, host, finalize));
    WELL(cellule_linker_func(linker, LEDGER, "[method]book.lines", book_lines, host, finalize));
    WELL(cellule_linker_func(linker, LEDGER, "[static]book.longer", book_longer, host, finalize));
    WELL(cellule_linker_func(linker, LEDGER, "open", open_book, host, finalize));
    WELL(cellule_linker_func(linker, LEDGER, "close", close_book, host, finalize));
    /* A name that is taken: an error, and the pointer isn't needed any more. */
    FAILS(cellule_linker_func(linker, NULL, "now", now, host, finalize), CELLULE_ERROR_KIND_LINK, "now");
    CHECK(host->finalized == 1);
}

static void strings(struct host *host, cellule_instance_t *instance, cellule_store_t *store) {
    cellule_val_t *name = cellule_val_text("Zo\xc3\xab");
    cellule_val_t *said = call(instance, store, NULL, "hello", &name, 1);
    CHECK(is(cellule_val_get_string(said), "hello Zo\xc3\xab from rust at 1234"));
    CHECK(strcmp(host->logged, "hello Zo\xc3\xab from rust at 1234") == 0);
    cellule_val_delete(said);
}

static void host_resources(struct host *host, cellule_instance_t *instance, cellule_store_t *store) {
    cellule_val_t *titles = cellule_val_list();
    CHECK(cellule_val_push(titles, cellule_val_text("old")));
    CHECK(cellule_val_push(titles, cellule_val_text("new")));
    cellule_val_t *audited = call(instance, store, NULL, "audit", &titles, 1);
    CHECK(cellule_val_is_ok(audited));
    const cellule_val_t *list = cellule_val_get(audited, 0);
    uint32_t lines = 0;
    CHECK(cellule_val_len(list) == 2);
    const cellule_val_t *first = cellule_val_get(list, 0);
    CHECK(cellule_val_kind(first) == CELLULE_VAL_KIND_TUPLE);
    CHECK(is(cellule_val_get_string(cellule_val_get(first, 0)), "old"));
    CHECK(cellule_val_get_u32(cellule_val_get(first, 1), &lines) && lines == 3);
    cellule_val_delete(audited);
    /* Closed by the guest, or by the destructor for the one that it dropped. */
    CHECK(host->books_len == 3);
    for (uint32_t i = 0; i < host->books_len; i++) {
        CHECK(!host->books[i].open);
    }
    CHECK(strcmp(host->logged, "new has 1, longer is new") == 0);

    titles = cellule_val_list();
    CHECK(cellule_val_push(titles, cellule_val_text("secret")));
    audited = call(instance, store, NULL, "audit", &titles, 1);
    CHECK(!cellule_val_is_ok(audited));
    CHECK(is(cellule_val_get_string(cellule_val_get(audited, 0)), "secret: not for you"));
    cellule_val_delete(audited);
}

static cellule_val_t *parcel(uint64_t id) {
    cellule_val_t *handling = cellule_val_flags(), *place = cellule_val_record(), *notes = cellule_val_list();
    CHECK(cellule_val_set_flag(handling, "fragile") && cellule_val_set_flag(handling, "express"));
    CHECK(cellule_val_add_field(place, "row", cellule_val_u16(300)));
    CHECK(cellule_val_add_field(place, "shelf", cellule_val_u8(4)));
    CHECK(cellule_val_add_field(place, "zone", cellule_val_char(0x1f4e6)));
    CHECK(cellule_val_push(notes, cellule_val_text("this side up")));
    CHECK(cellule_val_push(notes, cellule_val_text("")));
    cellule_val_t *parcel = cellule_val_record();
    CHECK(cellule_val_add_field(parcel, "id", cellule_val_u64(id)));
    CHECK(cellule_val_add_field(parcel, "weight", cellule_val_f32(2.5f)));
    CHECK(cellule_val_add_field(parcel, "size", cellule_val_enum("large")));
    CHECK(cellule_val_add_field(parcel, "handling", handling));
    CHECK(cellule_val_add_field(parcel, "place", cellule_val_some(place)));
    CHECK(cellule_val_add_field(parcel, "notes", notes));
    return parcel;
}

/* A resource of the guest's, with records in and out. */
static void guest_resources(cellule_instance_t *instance, cellule_store_t *store) {
    cellule_val_t *capacity = cellule_val_u32(1);
    cellule_val_t *depot = call(instance, store, DEPOT, "[constructor]store", &capacity, 1);
    CHECK(cellule_val_kind(depot) == CELLULE_VAL_KIND_RESOURCE && cellule_resource_is_owned(depot));
    uint32_t alive = 0;
    FAILS(cellule_resource_take(store, depot, NULL, NULL), CELLULE_ERROR_KIND_TYPE, "type mismatch");
    cellule_val_t *put[2] = {cellule_val_clone(depot), parcel(77)};
    cellule_val_t *answer = call(instance, store, DEPOT, "[method]store.put", put, 2);
    CHECK(cellule_val_is_ok(answer) && cellule_val_len(answer) == 0);
    cellule_val_delete(answer);
    cellule_val_t *more[2] = {cellule_val_clone(depot), parcel(78)};
    answer = call(instance, store, DEPOT, "[method]store.put", more, 2);
    CHECK(!cellule_val_is_ok(answer) && is(cellule_val_get_name(cellule_val_get(answer, 0), 0), "full"));
    cellule_val_delete(answer);
    cellule_val_t *find[2] = {cellule_val_clone(depot), cellule_val_variant("heavier-than", cellule_val_f32(2.0f))};
    answer = call(instance, store, DEPOT, "[method]store.find", find, 2);
    cellule_val_t *same = parcel(77);
    CHECK(cellule_val_len(answer) == 1 && cellule_val_equal(cellule_val_get(answer, 0), same));
    const cellule_val_t *found = cellule_val_get(answer, 0);
    CHECK(is(cellule_val_get_name(cellule_val_get_field(found, "size"), 0), "large"));
    CHECK(cellule_val_has_flag(cellule_val_get_field(found, "handling"), "express"));
    const cellule_val_t *place = cellule_val_get(cellule_val_get_field(found, "place"), 0);
    uint32_t zone = 0;
    CHECK(cellule_val_get_char(cellule_val_get_field(place, "zone"), &zone) && zone == 0x1f4e6);
    cellule_val_delete(same);
    cellule_val_delete(answer);
    cellule_val_t *count = call(instance, store, DEPOT, "alive", NULL, 0);
    CHECK(cellule_val_get_u32(count, &alive) && alive == 1);
    cellule_val_delete(count);
    WELL(cellule_resource_drop(store, depot));
    FAILS(cellule_resource_drop(store, depot), CELLULE_ERROR_KIND_TYPE, "dropped");
    cellule_val_delete(depot);
    count = call(instance, store, DEPOT, "alive", NULL, 0);
    CHECK(cellule_val_get_u32(count, &alive) && alive == 0);
    cellule_val_delete(count);
}

static void lists_and_scalars(cellule_instance_t *instance, cellule_store_t *store) {
    const int32_t some[3] = {3, -4, 10};
    cellule_val_t *list = cellule_val_numbers(CELLULE_VAL_KIND_S32, some, 3);
    cellule_val_t *stats = call(instance, store, DEPOT, "stats", &list, 1);
    int64_t sum = 0;
    int32_t least = 0;
    double mean = 0;
    CHECK(cellule_val_get_s64(cellule_val_get(stats, 0), &sum) && sum == 9);
    CHECK(cellule_val_get_s32(cellule_val_get(cellule_val_get(stats, 1), 0), &least) && least == -4);
    CHECK(cellule_val_get_f64(cellule_val_get(stats, 3), &mean) && mean == 3.0);
    cellule_val_delete(stats);

    cellule_val_t *tuple = cellule_val_tuple();
    CHECK(cellule_val_push(tuple, cellule_val_u8(255)) && cellule_val_push(tuple, cellule_val_u16(65535)));
    CHECK(cellule_val_push(tuple, cellule_val_u32(UINT32_MAX)) && cellule_val_push(tuple, cellule_val_u64(UINT64_MAX)));
    cellule_val_t *all[15] = {
        cellule_val_bool(true),  cellule_val_s8(-128),      cellule_val_u8(200),       cellule_val_s16(-30000),
        cellule_val_u16(60000),  cellule_val_s32(INT32_MIN), cellule_val_u32(4000000000u),
        cellule_val_s64(INT64_MIN), cellule_val_u64(UINT64_MAX), cellule_val_f32(0.5f), cellule_val_f64(-0.25),
        cellule_val_char('z'),   cellule_val_text("text"), tuple,                    cellule_val_flags()};
    cellule_val_t *expected = cellule_val_tuple();
    for (int i = 0; i < 15; i++) {
        CHECK(cellule_val_push(expected, cellule_val_clone(all[i])));
    }
    cellule_val_t *same = call(instance, store, DEPOT, "scalars", all, 15);
    CHECK(cellule_val_equal(same, expected));
    bool yes = false;
    float half = 0;
    CHECK(cellule_val_get_bool(cellule_val_get(same, 0), &yes) && yes);
    CHECK(cellule_val_get_f32(cellule_val_get(same, 9), &half) && half == 0.5f);
    cellule_val_delete(same);
    cellule_val_delete(expected);
}

/* An error of a callback's ends the guest's call, and is found again in the error of the host's. */
static void callback_errors(struct host *host, cellule_instance_t *instance, cellule_store_t *store) {
    host->fail = true;
    cellule_val_t *name = cellule_val_text("nobody"), *said = NULL;
    cellule_error_t *error = try_call(instance, store, NULL, "hello", &name, 1, &said);
    CHECK(said == NULL && cellule_error_trap(error) == CELLULE_TRAP_NONE);
    CHECK(cellule_error_chain_len(error) >= 1);
    CHECK(strcmp(cellule_error_chain(error, cellule_error_chain_len(error) - 1), "the clock has stopped") == 0);
    FAILS(error, CELLULE_ERROR_KIND_HOST, "the clock has stopped");
    host->fail = false;
}

void depot(cellule_component_t *component, cellule_engine_t *engine) {
    static struct host host;
    cellule_linker_t *linker = NULL;
    cellule_store_t *store = NULL;
    cellule_instance_t *instance = NULL;
    WELL(cellule_linker_new(engine, &linker));
    WELL(cellule_store_new(engine, &host, &store));
    host.outer = store;
    cellule_error_t *missing = cellule_linker_instantiate(linker, store, component, &instance);
    CHECK(instance == NULL && strstr(cellule_error_message(missing), "log") != NULL);
    FAILS(missing, CELLULE_ERROR_KIND_LINK, LEDGER);
    define(linker, &host);
    WELL(cellule_linker_instantiate(linker, store, component, &instance));
    strings(&host, instance, store);
    host_resources(&host, instance, store);
    guest_resources(instance, store);
    lists_and_scalars(instance, store);
    callback_errors(&host, instance, store);
    cellule_instance_delete(instance);
    /* What nothing serves traps when it is called, and not before. */
    cellule_linker_t *bare = NULL;
    WELL(cellule_linker_new(engine, &bare));
    WELL(cellule_linker_define_unknown_imports_as_traps(bare, component));
    WELL(cellule_linker_instantiate(bare, store, component, &instance));
    cellule_linker_delete(bare);
    lists_and_scalars(instance, store);
    cellule_instance_delete(instance);
    /* The pointers are needed as long as something can call: the linker, then the instances of the store. */
    cellule_linker_delete(linker);
    CHECK(host.finalized == 1);
    cellule_store_delete(store);
    CHECK(host.finalized == 10);
}
