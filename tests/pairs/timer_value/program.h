// A timer whose signal carries a pointer.
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

struct job {
  volatile int runs;
};
static struct job first;
static struct job* second;
static timer_t timers[2];

static void on_expiry(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)context;
  struct job* job = info->si_value.sival_ptr;
  ++job->runs;
}

static void make(int index, struct job* job) {
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  event.sigev_value.sival_ptr = job;
  if (timer_create(CLOCK_MONOTONIC, &event, &timers[index]) != 0) abort();
  struct itimerspec hours = {.it_value.tv_sec = 36000, .it_interval.tv_sec = 36000};
  timer_settime(timers[index], 0, &hours, NULL);
}

void pair_start(void) {
  struct sigaction action = {.sa_sigaction = on_expiry, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  make(0, &first);
}

void pair_state(void) {
  second = calloc(1, sizeof *second);
  make(1, second);
}

static const char* check_timer(int index, const struct job* job) {
  int before = job->runs;
  struct itimerspec left;
  timer_gettime(timers[index], &left);
  EXPECT(left.it_value.tv_sec > 35000 && left.it_interval.tv_sec == 36000);
  struct itimerspec soon = {.it_value.tv_nsec = 1, .it_interval.tv_sec = 36000};
  timer_settime(timers[index], 0, &soon, NULL);
  for (int i = 0; i < 1000 && job->runs == before; ++i) usleep(1000);
  EXPECT(job->runs == before + 1);
  return NULL;
}

const char* pair_check(void) {
  const char* wrong = check_timer(0, &first);
  return wrong ? wrong : check_timer(1, second);
}

void pair_end(void) { free(second); }
