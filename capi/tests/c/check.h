/* What the files of the test program share: checks that end it, and short ways to call. */
#ifndef CHECK_H
#define CHECK_H

#include "cellule.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                     \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Ends the program unless a call went well. */
#define WELL(call)                                                                                 \
    do {                                                                                           \
        cellule_error_t *error_ = (call);                                                          \
        if (error_ != NULL) {                                                                      \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,                          \
                    cellule_error_message(error_));                                                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Ends the program unless a call failed with an error of the kind whose message has the words. */
#define FAILS(call, kind, words) fails((call), (kind), (words), __FILE__, __LINE__)

void fails(cellule_error_t *error, cellule_error_kind_t kind, const char *words, const char *file, int line);

/* Whether lent text is this. */
bool is(cellule_text_t text, const char *expected);

/* Calls an exported function with values, which it deletes, and gives the result. */
cellule_val_t *call(cellule_instance_t *instance, cellule_store_t *store, const char *interface,
                    const char *name, cellule_val_t **args, size_t len);

/* As `call`, for the error, which the caller deletes. */
cellule_error_t *try_call(cellule_instance_t *instance, cellule_store_t *store, const char *interface,
                          const char *name, cellule_val_t **args, size_t len, cellule_val_t **result);

/* Values without a guest, and through the guest of rare types. */
void values(void);
void shapes(cellule_component_t *component, cellule_engine_t *engine);

/* The guest with records, variants, resources on both sides and imports. */
void depot(cellule_component_t *component, cellule_engine_t *engine);

#endif
