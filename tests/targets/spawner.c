// Threads that start their successor and end, and processes that do the same, until standard input
// ends. Prints, for each generation of processes that has passed, nothing; at its end "done" if all
// went well.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int stop;
static atomic_int alive;
static atomic_int failed;

static void Start(void* (*run)(void*)) {
  pthread_t thread;
  atomic_fetch_add(&alive, 1);
  if (pthread_create(&thread, NULL, run, NULL) == 0) {
    pthread_detach(thread);
  } else {
    atomic_fetch_sub(&alive, 1);
    atomic_store(&failed, 1);
  }
}

static void* Thread(void* unused) {
  if (!stop) Start(&Thread);
  atomic_fetch_sub(&alive, 1);
  return unused;
}

static void* Forker(void* unused) {
  while (!stop) {
    const pid_t child = fork();
    if (child == 0) _exit(7);
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7) failed = 1;
  }
  atomic_fetch_sub(&alive, 1);
  return unused;
}

int main(void) {
  Start(&Thread);
  Start(&Thread);
  Start(&Forker);
  printf("ready\n");
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  stop = 1;
  while (alive) usleep(100);
  printf(failed ? "failed\n" : "done\n");
  return failed;
}
