// Signal handlers, and the stack that one of them runs on.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"

static volatile int plain, detailed;
static void* volatile on_stack;
static char stack[64 << 10];

static void on_plain(int signal) { plain += signal == SIGUSR1 ? pair_version() : 100; }

static void on_detailed(int signal, siginfo_t* info, void* context) {
  (void)context;
  int here;
  on_stack = &here;
  detailed += signal == SIGUSR2 ? info->si_value.sival_int * pair_version() : 100;
}

void pair_start(void) {
  struct sigaction action = {.sa_handler = on_plain};
  sigaction(SIGUSR1, &action, NULL);
}

void pair_state(void) {
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternative, NULL);
  struct sigaction action = {.sa_sigaction = on_detailed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGUSR2, &action, NULL);
}

const char* pair_check(void) {
  plain = detailed = 0;
  raise(SIGUSR1);
  EXPECT(plain == pair_version());
  sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 10});
  EXPECT(detailed == 10 * pair_version());
  EXPECT((char*)on_stack >= stack && (char*)on_stack < stack + sizeof stack);
  struct sigaction action;
  sigaction(SIGUSR1, NULL, &action);
  EXPECT(action.sa_handler == on_plain);
  return NULL;
}

void pair_end(void) {}
