#include "mutator/debuginfo/testdata/shapes.h"

struct payload {
  int weight;
  node_t *owner;
};

static int counter = 2;

__attribute__((noinline)) int sum(const node_t *node) {
  int total = 0;
  for (; node != 0; node = node->next) {
    total += (int)(node->value / 3) + node->payload->weight + table[0].color;
  }
  return total + counter++;
}
