// Signal handlers, set at start-up and later.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"

static volatile int plain, detailed;

static void on_plain(int signal) { plain += signal == SIGUSR1 ? pair_version() : 100; }

static void on_detailed(int signal, siginfo_t* info, void* context) {
  (void)context;
  detailed += signal == SIGUSR2 ? info->si_value.sival_int * pair_version() : 100;
}

void pair_start(void) {
  struct sigaction action = {.sa_handler = on_plain};
  sigaction(SIGUSR1, &action, NULL);
}

void pair_state(void) {
  struct sigaction action = {.sa_sigaction = on_detailed, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR2, &action, NULL);
}

const char* pair_check(void) {
  plain = detailed = 0;
  raise(SIGUSR1);
  EXPECT(plain == pair_version());
  sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 10});
  EXPECT(detailed == 10 * pair_version());
  struct sigaction action;
  sigaction(SIGUSR1, NULL, &action);
  EXPECT(action.sa_handler == on_plain);
  return NULL;
}

void pair_end(void) {}
