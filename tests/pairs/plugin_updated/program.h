// A plug-in, opened at start-up, which a package replaces together with the program.
#include <dlfcn.h>
#include <stdlib.h>

#include "pair.h"

struct counter {
  int value;
};
static int (*plugin_version)(void);
static int (*plugin_count)(struct counter*);
static struct counter counter;
static struct counter* heap;

void pair_start(void) {
  void* plugin = dlopen("./plugin.so", RTLD_NOW);
  if (plugin == NULL) abort();
  *(void**)&plugin_version = dlsym(plugin, "plugin_version");
  *(void**)&plugin_count = dlsym(plugin, "plugin_count");
  heap = calloc(1, sizeof *heap);
}

void pair_state(void) {
  plugin_count(&counter);
  plugin_count(heap);
}

const char* pair_check(void) {
  EXPECT(plugin_version() == pair_version());
  int before = counter.value;
  int total = plugin_count(&counter);
  EXPECT(counter.value == before + pair_version());
  EXPECT(plugin_count(heap) == total + 1 && total >= 3);
  return NULL;
}

void pair_end(void) { free(heap); }
