struct counter {
  int value;
};
static int calls;

int plugin_version(void) { return 2; }

int plugin_count(struct counter* counter) {
  counter->value += 2;
  return ++calls;
}
