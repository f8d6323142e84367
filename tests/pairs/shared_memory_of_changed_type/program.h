#include "programs/shared_list.h"

void pair_state(void) { fill_entries(); }
const char* pair_check(void) { return check_entries(); }
void pair_end(void) { munmap(shared, SIZE); }
