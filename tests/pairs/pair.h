// What the versions of a pair share: main.c is their main(), pair.c waits for commands. Both are
// compiled once for all versions, so that what is on the stack of a program that waits is the same
// code in each. A version (v1.c, v2.c …) has the functions that come first below, and a main() of
// its own if main() is what changes.
#ifndef MCR_TESTS_PAIRS_PAIR_H_
#define MCR_TESTS_PAIRS_PAIR_H_

#ifdef __cplusplus
extern "C" {
#endif

int pair_version(void);
// Before the program waits for the first time: what a rehearsal sees, too.
void pair_start(void);
// On command, once, in the first version: state that no start-up makes.
void pair_state(void);
// Looks at all state, and may go on to use and change it. NULL, or what is wrong.
const char* pair_check(void);
// At the end: gives back all memory, which the C library checks.
void pair_end(void);

// Begins; returns the descriptor that commands come from.
int pair_begin(int argc, char** argv);
// Waits for one command and obeys it.
void pair_serve(int commands);

#ifdef __cplusplus
}
#endif

#define PAIR_TEXT_(x) #x
#define PAIR_TEXT(x) PAIR_TEXT_(x)

// In a function that returns what is wrong.
#define EXPECT(condition) \
  if (!(condition)) return "line " PAIR_TEXT(__LINE__) ": " #condition

#endif  // MCR_TESTS_PAIRS_PAIR_H_
