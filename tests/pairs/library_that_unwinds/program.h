// A library and a plug-in that are unwound after they were exchanged: threads that end, backtraces.
// The C library finds their unwind information by tables that are sorted by address.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "pair.h"
#include "part.h"

static void* plugin;
static int (*plugin_version)(void);
static int (*plugin_depth)(void);
// How many more functions are active there than in the one that asks.
static int library_more, plugin_more;

void pair_start(void) {
  plugin = dlopen("./plugin.so", RTLD_NOW);
  if (plugin == NULL) abort();
  *(void**)&plugin_version = dlsym(plugin, "plugin_version");
  *(void**)&plugin_depth = dlsym(plugin, "plugin_depth");
}

// The first backtrace opens another library, so that the loader has two copies of its table.
void pair_state(void) {
  void* active[64];
  int own = backtrace(active, 64);
  library_more = part_depth() - own;
  plugin_more = plugin_depth() - own;
}

// Whether the loader finds the module that holds `code`.
static int is_found(const void* code) {
  struct dl_find_object found;
  Dl_info named;
  return _dl_find_object((void*)code, &found) == 0 && dladdr(code, &named) != 0 &&
         found.dlfo_map_start <= code && code < found.dlfo_map_end &&
         named.dli_fbase == found.dlfo_map_start &&
         (char*)found.dlfo_eh_frame > (char*)found.dlfo_map_start &&
         found.dlfo_eh_frame < found.dlfo_map_end;
}

static int is_found_by_name(void* module, const char* name) {
  return is_found(dlsym(module, name));
}

const char* pair_check(void) {
  EXPECT(part_version() == pair_version() && plugin_version() == pair_version());
  EXPECT(is_found_by_name(RTLD_DEFAULT, "part_version") &&
         is_found_by_name(plugin, "plugin_depth"));
  EXPECT(is_found_by_name(RTLD_DEFAULT, "malloc") &&
         is_found_by_name(RTLD_DEFAULT, "__tls_get_addr"));
  EXPECT(is_found((const void*)(uintptr_t)pair_version));
  void* active[64];
  int own = backtrace(active, 64);
  EXPECT(own > 1 && library_more > 0 && plugin_more > 0);
  EXPECT(part_depth() == own + library_more && plugin_depth() == own + plugin_more);
  pthread_t thread;
  void* answer;
  int before = part_cleaned_up();
  EXPECT(pthread_create(&thread, NULL, part_end_thread, (void*)40) == 0);
  EXPECT(pthread_join(thread, &answer) == 0);
  EXPECT((intptr_t)answer == 40 + pair_version());
  EXPECT(part_cleaned_up() == before + 2);
  // Which makes the loader rebuild its tables.
  EXPECT(dlclose(dlopen("libm.so.6", RTLD_NOW)) == 0);
  EXPECT(is_found_by_name(RTLD_DEFAULT, "part_version") &&
         is_found_by_name(plugin, "plugin_depth"));
  return NULL;
}

void pair_end(void) { dlclose(plugin); }
