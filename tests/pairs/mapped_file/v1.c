struct slot;
static struct cursor {
  struct slot* at;
} cursor;
static void place(struct slot* slot) { cursor.at = slot; }
static struct slot* placed(void) { return cursor.at; }

#include "program.h"

int pair_version(void) { return 1; }
