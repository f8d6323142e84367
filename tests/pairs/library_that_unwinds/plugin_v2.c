#include <execinfo.h>

int plugin_version(void) { return 2; }

int plugin_depth(void) {
  void* active[64];
  return backtrace(active, 64) + (plugin_version() < 0);
}
