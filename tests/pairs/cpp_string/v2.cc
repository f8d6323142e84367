#include <string>

#include "pair.h"

struct User {
  User(int i, std::string n, std::string t) : name(n), id(i), text(t) {}
  std::string name;
  long visits = 0;
  int id;
  std::string text;
};

#include "program.h"

int pair_version() { return 2; }
