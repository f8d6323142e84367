// The settings have an array of names in them.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct settings {
  int users;
  char* names[4];
  char* home;
};

struct settings settings;
long requests;

static char* copy(const char* text) {
  char* made = malloc(strlen(text) + 1);
  strcpy(made, text);
  return made;
}

int pair_version(void) { return 1; }

void pair_start(void) {
  settings.users = 2;
  settings.names[0] = copy("alice");
  settings.names[1] = copy("bob");
  settings.home = copy("/home");
}

void pair_state(void) {
  requests = 7;
  free(settings.home);
  settings.home = copy("/srv/home");
}

const char* pair_check(void) {
  EXPECT(settings.users == 2 && strcmp(settings.names[1], "bob") == 0);
  return NULL;
}

void pair_end(void) {
  free(settings.names[0]);
  free(settings.names[1]);
  free(settings.home);
}
