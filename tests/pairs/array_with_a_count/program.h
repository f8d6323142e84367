// Arrays in the heap whose extent a field tells, with room to spare behind it.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct table {
  struct row* rows;
  int count;
  int capacity;
};
static struct table table;
static struct table* other;

static void add(struct table* table, int key) {
  if (table->count == table->capacity) {
    table->capacity = table->capacity ? 2 * table->capacity : 8;
    table->rows = realloc(table->rows, table->capacity * sizeof *table->rows);
    // What was never used may look like anything.
    memset(table->rows + table->count, 0xff,
           (table->capacity - table->count) * sizeof *table->rows);
  }
  memset(&table->rows[table->count], 0, sizeof *table->rows);
  table->rows[table->count].self = table;
  table->rows[table->count++].key = key;
}

void pair_start(void) {
  for (int i = 0; i < 5; ++i) add(&table, i);
  other = calloc(1, sizeof *other);
}

void pair_state(void) {
  for (int i = 5; i < 21; ++i) add(&table, i);
  for (int i = 0; i < 300; ++i) add(other, i);
}

static const char* check_table(const struct table* table, int count) {
  EXPECT(table->count == count);
  for (int i = 0; i < count; ++i) {
    EXPECT(table->rows[i].key == i && table->rows[i].self == table);
  }
  return NULL;
}

static int first_free = 0;

const char* pair_check(void) {
  const char* wrong = check_table(&table, 21 + first_free);
  if (!wrong) wrong = check_table(other, 300);
  if (wrong) return wrong;
  add(&table, 21 + first_free++);  // fits into what was spare
  return check_table(&table, 21 + first_free);
}

void pair_end(void) {
  free(table.rows);
  free(other->rows);
  free(other);
}
