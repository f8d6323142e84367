// A struct whose change is two structs deep: in a variable, in arrays, in the heap.
#include <stdlib.h>

#include "pair.h"

struct limits {
  struct range requests;
  struct range bytes;
};
struct zone {
  int id;
  struct limits soft;
  struct limits steps[2];
  struct zone* next;
};
struct zone zone = {.id = 1};
static struct zone* at_start;
static struct zone* later;

static void fill(struct zone* zone, int seed) {
  zone->soft.requests.low = seed;
  zone->soft.requests.high = seed + 1;
  zone->soft.bytes.low = seed + 2;
  zone->soft.bytes.high = seed + 3;
  for (int i = 0; i < 2; ++i) {
    zone->steps[i].requests.low = 10 * seed + i;
    zone->steps[i].bytes.high = 20 * seed + i;
  }
}

static struct zone* make(int id, struct zone* next) {
  struct zone* zone = calloc(1, sizeof *zone);
  zone->id = id;
  zone->next = next;
  fill(zone, 100 * id);
  return zone;
}

void pair_start(void) { at_start = make(2, &zone); }

void pair_state(void) {
  fill(&zone, 100);
  later = make(3, at_start);
}

static const char* check_zone(const struct zone* zone, int id, const struct zone* next) {
  int seed = 100 * id;
  EXPECT(zone->id == id && zone->next == next);
  EXPECT(zone->soft.requests.low == seed && zone->soft.requests.high == seed + 1);
  EXPECT(zone->soft.bytes.low == seed + 2 && zone->soft.bytes.high == seed + 3);
  for (int i = 0; i < 2; ++i) {
    EXPECT(zone->steps[i].requests.low == 10 * seed + i);
    EXPECT(zone->steps[i].bytes.high == 20 * seed + i);
  }
  return NULL;
}

const char* pair_check(void) {
  const char* wrong = check_zone(&zone, 1, NULL);
  if (!wrong) wrong = check_zone(at_start, 2, &zone);
  if (!wrong) wrong = check_zone(later, 3, at_start);
  return wrong;
}

void pair_end(void) {
  free(at_start);
  free(later);
}
