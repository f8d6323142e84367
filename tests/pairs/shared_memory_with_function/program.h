#include "programs/shared_list.h"

static long sum_of(const struct entry* entry) {
  return entry == NULL ? 0 : entry->number + sum_of(entry->next);
}

static long (**function(void))(const struct entry*) {
  return (long (**)(const struct entry*))((char*)shared + SIZE - sizeof(void*));
}

void pair_state(void) {
  fill_entries();
  *function() = sum_of;
}

const char* pair_check(void) {
  EXPECT(*function() == NULL || (*function())(shared) == 100 + 101 + 102 + 103);
  return check_entries();
}

void pair_end(void) { munmap(shared, SIZE); }
