#define SIZE_BESIDE 80

#include "programs/doubtful_word.h"

int pair_version(void) { return 2; }
