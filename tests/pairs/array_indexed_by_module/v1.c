struct limit_context {
  int id;
};
static int is_empty(void** contexts);

#include "program.h"

void pair_start(void) {
  static struct module* const modules[] = {&proxy, &limit, &gzip, NULL};
  number(modules);
}

static int is_empty(void** contexts) { return contexts != NULL; }

int pair_version(void) { return 1; }
