#define SIZE_BESIDE 48

#include "programs/doubtful_word.h"

int pair_version(void) { return 1; }
