#include "pair.h"

int main(int argc, char** argv) {
  int commands = pair_begin(argc, argv);
  for (;;) pair_serve(commands);
}
