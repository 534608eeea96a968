// The depot world in C: the same behaviour as the Rust guest, through `wit-bindgen c`.
// Arguments belong to the exported function, which frees them; results are freed by the
// generated post-return functions.
#include "guest.h"

#include <stdlib.h>
#include <string.h>

typedef exports_cellule_depot_depot_parcel_t parcel_t;
typedef exports_cellule_depot_depot_failure_t failure_t;
typedef exports_cellule_depot_depot_own_store_t own_store_t;
typedef exports_cellule_depot_depot_borrow_store_t borrow_store_t;

struct exports_cellule_depot_depot_store_t {
  uint32_t capacity;
  uint32_t len;
  parcel_t *parcels;
};

static uint32_t alive;

static void *need(void *p) {
  if (!p) __builtin_trap();
  return p;
}

// Zero elements need no memory, but the pointer must be one that may be freed.
static void *array(size_t count, size_t size) { return count ? need(calloc(count, size)) : NULL; }

// ---- text ----

static void append(guest_string_t *to, const void *bytes, size_t len) {
  to->ptr = need(realloc(to->ptr, to->len + len + 1));
  memcpy(to->ptr + to->len, bytes, len);
  to->len += len;
}

static void append_text(guest_string_t *to, const char *text) { append(to, text, strlen(text)); }
static void append_string(guest_string_t *to, const guest_string_t *text) { append(to, text->ptr, text->len); }

static void append_number(guest_string_t *to, uint64_t n) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + n % 10);
  while (n /= 10);
  append(to, digits + at, sizeof digits - at);
}

static guest_string_t copy_string(const guest_string_t *s) {
  guest_string_t copy = {0};
  append(&copy, s->ptr, s->len);
  return copy;
}

// ---- stores ----

static own_store_t store_with(uint32_t capacity, parcel_t *parcels, uint32_t len) {
  struct exports_cellule_depot_depot_store_t *s = need(malloc(sizeof *s));
  s->capacity = capacity;
  s->parcels = parcels;
  s->len = len;
  alive++;
  return exports_cellule_depot_depot_store_new(s);
}

static float weight(borrow_store_t s) {
  float sum = 0;
  for (uint32_t i = 0; i < s->len; i++) sum += s->parcels[i].weight;
  return sum;
}

static parcel_t copy_parcel(const parcel_t *p) {
  parcel_t copy = *p;
  copy.notes.ptr = array(p->notes.len, sizeof *copy.notes.ptr);
  for (size_t i = 0; i < p->notes.len; i++) copy.notes.ptr[i] = copy_string(&p->notes.ptr[i]);
  return copy;
}

void exports_cellule_depot_depot_store_destructor(exports_cellule_depot_depot_store_t *s) {
  for (uint32_t i = 0; i < s->len; i++) exports_cellule_depot_depot_parcel_free(&s->parcels[i]);
  free(s->parcels);
  free(s);
  alive--;
}

own_store_t exports_cellule_depot_depot_constructor_store(uint32_t capacity) { return store_with(capacity, NULL, 0); }

bool exports_cellule_depot_depot_method_store_put(borrow_store_t self, parcel_t *p, failure_t *err) {
  if (self->len >= self->capacity) {
    exports_cellule_depot_depot_parcel_free(p);
    err->tag = CELLULE_DEPOT_TYPES_FAILURE_FULL;
    return false;
  }
  for (uint32_t i = 0; i < self->len; i++) {
    if (self->parcels[i].id == p->id) {
      guest_string_t why = {0};
      append_text(&why, "parcel ");
      append_number(&why, p->id);
      append_text(&why, " is here already");
      exports_cellule_depot_depot_parcel_free(p);
      err->tag = CELLULE_DEPOT_TYPES_FAILURE_REFUSED;
      err->val.refused = why;
      return false;
    }
  }
  self->parcels = need(realloc(self->parcels, (self->len + 1) * sizeof *self->parcels));
  self->parcels[self->len++] = *p;
  return true;
}

bool exports_cellule_depot_depot_method_store_take(borrow_store_t self, uint64_t id, parcel_t *ret, failure_t *err) {
  for (uint32_t i = 0; i < self->len; i++) {
    if (self->parcels[i].id == id) {
      *ret = self->parcels[i];
      self->len--;
      memmove(&self->parcels[i], &self->parcels[i + 1], (self->len - i) * sizeof *self->parcels);
      return true;
    }
  }
  err->tag = CELLULE_DEPOT_TYPES_FAILURE_UNKNOWN;
  err->val.unknown = id;
  return false;
}

static bool matches(const parcel_t *p, const exports_cellule_depot_depot_query_t *q) {
  switch (q->tag) {
    case CELLULE_DEPOT_TYPES_QUERY_ALL:
      return true;
    case CELLULE_DEPOT_TYPES_QUERY_HEAVIER_THAN:
      return p->weight > q->val.heavier_than;
    case CELLULE_DEPOT_TYPES_QUERY_STORED_AT: {
      const cellule_depot_types_place_t *at = &q->val.stored_at, *have = &p->place.val;
      return p->place.is_some && have->row == at->row && have->shelf == at->shelf && have->zone == at->zone;
    }
    default:
      for (size_t g = 0; g < q->val.any_of.len; g++)
        for (size_t i = 0; i < q->val.any_of.ptr[g].len; i++)
          if (q->val.any_of.ptr[g].ptr[i] == p->id) return true;
      return false;
  }
}

void exports_cellule_depot_depot_method_store_find(borrow_store_t self, exports_cellule_depot_depot_query_t *q,
                                                   exports_cellule_depot_depot_list_parcel_t *ret) {
  ret->len = 0;
  ret->ptr = array(self->len, sizeof *ret->ptr);
  for (uint32_t i = 0; i < self->len; i++)
    if (matches(&self->parcels[i], q)) ret->ptr[ret->len++] = copy_parcel(&self->parcels[i]);
  if (!ret->len) {  // the generated code frees only what has elements
    free(ret->ptr);
    ret->ptr = NULL;
  }
  exports_cellule_depot_depot_query_free(q);
}

uint32_t exports_cellule_depot_depot_method_store_len(borrow_store_t self) { return self->len; }

own_store_t exports_cellule_depot_depot_method_store_split(borrow_store_t self, uint32_t at) {
  if (at > self->len) at = self->len;
  uint32_t count = self->len - at;
  parcel_t *tail = array(count, sizeof *tail);
  if (count) memcpy(tail, self->parcels + at, count * sizeof *tail);
  self->len = at;
  return store_with(self->capacity, tail, count);
}

own_store_t exports_cellule_depot_depot_static_store_merge(own_store_t a, own_store_t b) {
  borrow_store_t first = exports_cellule_depot_depot_store_rep(a), second = exports_cellule_depot_depot_store_rep(b);
  uint32_t count = first->len + second->len;
  parcel_t *all = array(count, sizeof *all);
  if (first->len) memcpy(all, first->parcels, first->len * sizeof *all);
  if (second->len) memcpy(all + first->len, second->parcels, second->len * sizeof *all);
  first->len = second->len = 0;
  uint32_t capacity = first->capacity + second->capacity;
  exports_cellule_depot_depot_store_drop_own(a);
  exports_cellule_depot_depot_store_drop_own(b);
  return store_with(capacity, all, count);
}

bool exports_cellule_depot_depot_static_store_lighter(borrow_store_t a, borrow_store_t b) { return weight(a) < weight(b); }

uint32_t exports_cellule_depot_depot_alive(void) { return alive; }

// ---- values ----

void exports_cellule_depot_depot_transpose(guest_list_list_f64_t *rows, guest_list_list_f64_t *ret) {
  size_t width = rows->len ? rows->ptr[0].len : 0;
  for (size_t y = 0; y < rows->len; y++)
    if (rows->ptr[y].len < width) width = rows->ptr[y].len;
  ret->len = width;
  ret->ptr = array(width, sizeof *ret->ptr);
  for (size_t x = 0; x < width; x++) {
    ret->ptr[x].len = rows->len;
    ret->ptr[x].ptr = array(rows->len, sizeof(double));
    for (size_t y = 0; y < rows->len; y++) ret->ptr[x].ptr[y] = rows->ptr[y].ptr[x];
  }
  guest_list_list_f64_free(rows);
}

void exports_cellule_depot_depot_stats(guest_list_s32_t *values, guest_tuple4_s64_option_s32_option_s32_f64_t *ret) {
  memset(ret, 0, sizeof *ret);
  for (size_t i = 0; i < values->len; i++) {
    int32_t v = values->ptr[i];
    ret->f0 += v;
    if (!i || v < ret->f1.val) ret->f1.val = v;
    if (!i || v > ret->f2.val) ret->f2.val = v;
  }
  if (values->len) {
    ret->f1.is_some = ret->f2.is_some = true;
    ret->f3 = (double)ret->f0 / (double)values->len;
  }
  guest_list_s32_free(values);
}

void exports_cellule_depot_depot_labels(exports_cellule_depot_depot_handling_t h, exports_cellule_depot_depot_size_t s,
                                        guest_list_string_t *ret) {
  static const char *const sizes[] = {"small", "medium", "large"};
  static const char *const flags[] = {"fragile", "upright", "cold", "express"};
  ret->ptr = array(5, sizeof *ret->ptr);
  ret->len = 1;
  guest_string_dup(&ret->ptr[0], sizes[s]);
  for (int i = 0; i < 4; i++)
    if (h & (1 << i)) guest_string_dup(&ret->ptr[ret->len++], flags[i]);
}

bool exports_cellule_depot_depot_turn(exports_cellule_depot_depot_result_u8_string_t *maybe_x, guest_option_u8_t *ret,
                                      guest_string_t *err) {
  ret->is_some = maybe_x != NULL;
  if (maybe_x && maybe_x->is_err) {
    *err = maybe_x->val.err;
    return false;
  }
  if (maybe_x) ret->val = maybe_x->val.ok;
  return true;
}

void exports_cellule_depot_depot_scalars(
    bool a, int8_t b, uint8_t c, int16_t d, uint16_t e, int32_t f, uint32_t g, int64_t h, uint64_t i, float j, double k,
    uint32_t l, guest_string_t *m, guest_tuple4_u8_u16_u32_u64_t *n, exports_cellule_depot_depot_handling_t o,
    exports_cellule_depot_depot_tuple15_bool_s8_u8_s16_u16_s32_u32_s64_u64_f32_f64_char32_string_tuple4_u8_u16_u32_u64_handling_t
        *ret) {
  ret->f0 = a, ret->f1 = b, ret->f2 = c, ret->f3 = d, ret->f4 = e, ret->f5 = f, ret->f6 = g, ret->f7 = h;
  ret->f8 = i, ret->f9 = j, ret->f10 = k, ret->f11 = l, ret->f12 = *m, ret->f13 = *n, ret->f14 = o;
}

// ---- the ledger ----

static void add_line(cellule_depot_ledger_own_book_t summary, const guest_string_t *title, uint32_t lines,
                     const guest_string_t *longer) {
  guest_string_t line = {0};
  append_string(&line, title);
  append_text(&line, " has ");
  append_number(&line, lines);
  append_text(&line, ", longer is ");
  append_string(&line, longer);
  cellule_depot_ledger_method_book_append(cellule_depot_ledger_borrow_book(summary), &line);
  guest_string_free(&line);
}

// One title: its number of lines into `lines`, or the reason against it into `why`.
static bool audit_one(cellule_depot_ledger_own_book_t summary, guest_string_t *title, uint32_t *lines, guest_string_t *why) {
  cellule_depot_ledger_own_book_t book;
  cellule_depot_ledger_failure_t failure;
  if (!cellule_depot_ledger_open(title, &book, &failure)) {
    if (failure.tag == CELLULE_DEPOT_TYPES_FAILURE_FULL) {
      append_text(why, "no room for another book");
      return false;
    }
    if (failure.tag == CELLULE_DEPOT_TYPES_FAILURE_REFUSED) {
      append_string(why, title);
      append_text(why, ": ");
      append_string(why, &failure.val.refused);
      cellule_depot_ledger_failure_free(&failure);
      return false;
    }
    book = cellule_depot_ledger_constructor_book(title);
  }
  guest_string_t line = {0}, longer;
  append_text(&line, "audited at ");
  append_number(&line, guest_now());
  uint32_t count = cellule_depot_ledger_method_book_append(cellule_depot_ledger_borrow_book(book), &line);
  guest_string_free(&line);
  cellule_depot_ledger_static_book_longer(cellule_depot_ledger_borrow_book(book), cellule_depot_ledger_borrow_book(summary),
                                          &longer);
  add_line(summary, title, count, &longer);
  guest_string_free(&longer);
  *lines = cellule_depot_ledger_close(book);
  return true;
}

bool exports_guest_audit(guest_list_string_t *titles, guest_list_tuple2_string_u32_t *ret, guest_string_t *err) {
  guest_string_t name, why = {0};
  guest_string_set(&name, "summary");
  cellule_depot_ledger_own_book_t summary = cellule_depot_ledger_constructor_book(&name);
  ret->len = 0;
  ret->ptr = array(titles->len, sizeof *ret->ptr);
  bool good = true;
  for (size_t i = 0; good && i < titles->len; i++) {
    uint32_t lines;
    good = audit_one(summary, &titles->ptr[i], &lines, &why);
    if (good) {
      ret->ptr[ret->len].f0 = copy_string(&titles->ptr[i]);
      ret->ptr[ret->len++].f1 = lines;
    }
  }
  guest_list_string_free(titles);
  if (good) {
    guest_list_string_t lines;
    cellule_depot_ledger_method_book_lines(cellule_depot_ledger_borrow_book(summary), &lines);
    for (size_t i = 0; i < lines.len; i++) guest_log(1, &lines.ptr[i]);
    guest_list_string_free(&lines);
  } else {
    for (size_t i = 0; i < ret->len; i++) guest_string_free(&ret->ptr[i].f0);
    free(ret->ptr);
    *err = why;
  }
  cellule_depot_ledger_book_drop_own(summary);
  return good;
}

void exports_guest_hello(guest_string_t *name, guest_string_t *ret) {
  memset(ret, 0, sizeof *ret);
  append_text(ret, "hello ");
  append_string(ret, name);
  append_text(ret, " from c at ");
  append_number(ret, guest_now());
  guest_log(2, ret);
  guest_string_free(name);
}
