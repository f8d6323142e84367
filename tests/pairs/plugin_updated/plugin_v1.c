struct counter {
  int value;
};
static int calls;

int plugin_version(void) { return 1; }

int plugin_count(struct counter* counter) {
  counter->value += 1;
  return ++calls;
}
