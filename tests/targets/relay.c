// Two threads that wait for each other in turn: main asks its helper, and waits for the answer in
// recv(2), where it is at no quiescent point of its own; that is poll(2), between two questions.
// The helper waits for a question in read(2), or with "condition" on a condition variable. Says
// "turns N" when asked.
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int question[2], answer[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static int questions, by_condition;

static void Await(void) {
  char byte;
  if (!by_condition) {
    if (read(question[0], &byte, 1) != 1) pthread_exit(NULL);
    return;
  }
  pthread_mutex_lock(&mutex);
  while (questions == 0) pthread_cond_wait(&asked, &mutex);
  --questions;
  pthread_mutex_unlock(&mutex);
}

static void Ask(void) {
  if (!by_condition) {
    if (write(question[1], "q", 1) != 1) _exit(1);
    return;
  }
  pthread_mutex_lock(&mutex);
  ++questions;
  pthread_cond_signal(&asked);
  pthread_mutex_unlock(&mutex);
}

static void* Help(void* unused) {
  for (;;) {
    Await();
    if (send(answer[1], "a", 1, 0) != 1) return unused;
  }
}

int main(int argc, char** argv) {
  pthread_t helper;
  char byte;
  by_condition = argc > 1 && strcmp(argv[1], "condition") == 0;
  if (pipe(question) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, answer) != 0) return 1;
  pthread_create(&helper, NULL, Help, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("ready\n");
  for (long turns = 0;; ++turns) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    if (poll(&input, 1, 0) == 1) {
      if (read(0, &byte, 1) != 1) return 0;
      printf("turns %ld\n", turns);
    }
    Ask();
    if (recv(answer[0], &byte, 1, 0) != 1) return 1;
  }
}
