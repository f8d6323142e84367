#include <string>

#include "pair.h"

struct User {
  User(int i, std::string n, std::string t) : id(i), name(n), text(t) {}
  int id;
  std::string name;
  std::string text;
};

#include "program.h"

int pair_version() { return 1; }
