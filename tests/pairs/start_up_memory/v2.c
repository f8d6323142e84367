// The array has become one on the heap, and there are a new field and new variables that lead to
// what only this version's start allocates, to what both do, and to functions and variables.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct settings {
  int users;
  char* shell;
  char** names;
  char* home;
};

struct rule {
  struct rule* next;
  int (*applies)(int);
  char** names;
  long* requests;
  char text[16];
};

struct settings settings;
long requests;
struct rule* rules;
struct rule** last_rule = &rules;

static char* copy(const char* text) {
  char* made = malloc(strlen(text) + 1);
  strcpy(made, text);
  return made;
}

static int is_odd(int number) { return number % 2; }
static int is_even(int number) { return !is_odd(number); }

static void add(int (*applies)(int), const char* text) {
  struct rule* rule = calloc(1, sizeof *rule);
  rule->applies = applies;
  rule->names = settings.names;
  rule->requests = &requests;
  strcpy(rule->text, text);
  *last_rule = rule;
  last_rule = &rule->next;
}

int pair_version(void) { return 2; }

void pair_start(void) {
  settings.users = 2;
  settings.shell = copy("/bin/sh");
  settings.names = calloc(4, sizeof *settings.names);
  settings.names[0] = copy("alice");
  settings.names[1] = copy("bob");
  settings.home = copy("/home");
  add(is_odd, "odd");
  add(is_even, "even");
}

void pair_state(void) {}

const char* pair_check(void) {
  EXPECT(settings.users == 2);
  EXPECT(strcmp(settings.shell, "/bin/sh") == 0);
  EXPECT(strcmp(settings.home, "/srv/home") == 0);
  EXPECT(strcmp(settings.names[0], "alice") == 0 && strcmp(settings.names[1], "bob") == 0);
  EXPECT(settings.names[2] == NULL && settings.names[3] == NULL);
  EXPECT(strcmp(rules->text, "odd") == 0 && rules->applies(3) && !rules->applies(4));
  EXPECT(strcmp(rules->next->text, "even") == 0 && rules->next->applies(4));
  EXPECT(rules->names == settings.names && rules->next->names == settings.names);
  EXPECT(*rules->requests == 7 && rules->next->requests == &requests);
  EXPECT(rules->next->next == NULL && last_rule == &rules->next->next);
  add(is_odd, "odd again");
  EXPECT(strcmp(rules->next->next->text, "odd again") == 0);
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < 4; ++i) free(settings.names[i]);
  free(settings.names);
  free(settings.shell);
  free(settings.home);
  while (rules != NULL) {
    struct rule* next = rules->next;
    free(rules);
    rules = next;
  }
}
