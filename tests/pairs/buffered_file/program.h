// Text that is written to a FILE and not yet to the file; one of the buffers is the program's own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

static FILE* files[2];
static char buffer[512];
static const char* const names[2] = {"first.log", "second.log"};
int checks;

void pair_start(void) {
  for (int i = 0; i < 2; ++i) files[i] = fopen(names[i], "w");
  setvbuf(files[1], buffer, _IOFBF, sizeof buffer);
  for (int i = 0; i < 2; ++i) fprintf(files[i], "start %d\n", i);
}

void pair_state(void) {
  for (int i = 0; i < 2; ++i) fprintf(files[i], "state %s\n", names[i]);
}

static int has(const char* name, const char* wanted) {
  char text[400] = "";
  FILE* file = fopen(name, "r");
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return strncmp(text, wanted, strlen(wanted)) == 0;
}

// The first check sees what is still in the buffers, and writes it out only in the new version.
const char* pair_check(void) {
  if (pair_version() == 1 && ++checks == 1) {
    EXPECT(has(names[0], "") && !has(names[0], "start"));
    return NULL;
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT(fprintf(files[i], "check\n") == 6);
    EXPECT(fflush(files[i]) == 0);
  }
  EXPECT(has(names[0], "start 0\nstate first.log\ncheck\n"));
  EXPECT(has(names[1], "start 1\nstate second.log\ncheck\n"));
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < 2; ++i) fclose(files[i]);
}
