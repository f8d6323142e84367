#define _GNU_SOURCE
// A raw TCP echo server: `echo PORT`. Lines come back as they were sent: "text" at once, "in N text" after N
// milliseconds; half a line waits for its other half. "version" answers which version this is. The second version
// keeps its clients, buffers and timers in other types.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kMostBytes = 4096, kMostEvents = 16 };

struct timer {
#if VERSION == 2
  unsigned fired;
#endif
  long at_ms;
  char *line;
#if VERSION == 2
  int repeats;
#endif
  LIST_ENTRY(timer) link;
};

struct client {
  int fd;
#if VERSION == 2
  unsigned long lines;
#endif
  unsigned size;
  char buffer[kMostBytes];
  LIST_HEAD(timers, timer) timers;
  LIST_ENTRY(client) link;
};

static LIST_HEAD(clients, client) clients;
static int epoll_fd, listener;

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int fd, struct client *client) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

static void say(struct client *client, const char *text, size_t size) {
  while (size > 0) {
    const ssize_t count = write(client->fd, text, size);
    if (count <= 0) return;
    text += count;
    size -= (size_t)count;
  }
}

static void set_timer(struct client *client, long delay_ms, const char *text) {
  struct timer *timer = calloc(1, sizeof *timer);
  if (!timer) die("calloc");
  timer->at_ms = now_ms() + delay_ms;
  if (asprintf(&timer->line, "%s\n", text) < 0) die("asprintf");
  LIST_INSERT_HEAD(&client->timers, timer, link);
}

static void answer(struct client *client, char *line) {
  long delay_ms;
  int text = 0;
#if VERSION == 2
  ++client->lines;
#endif
  if (sscanf(line, "in %ld %n", &delay_ms, &text) == 1 && text > 0) {
    set_timer(client, delay_ms, line + text);
  } else if (strcmp(line, "version") == 0) {
    char version[32];
    say(client, version, (size_t)snprintf(version, sizeof version, "version %d\n", VERSION));
  } else {
    line[strlen(line)] = '\n';
    say(client, line, (size_t)(strchr(line, '\n') - line) + 1);
  }
}

static void forget(struct client *client) {
  while (!LIST_EMPTY(&client->timers)) {
    struct timer *timer = LIST_FIRST(&client->timers);
    LIST_REMOVE(timer, link);
    free(timer->line);
    free(timer);
  }
  LIST_REMOVE(client, link);
  close(client->fd);
  free(client);
}

static void receive(struct client *client) {
  const ssize_t count = read(client->fd, client->buffer + client->size, kMostBytes - client->size);
  if (count <= 0) {
    forget(client);
    return;
  }
  client->size += (unsigned)count;
  char *line = client->buffer, *end;
  while ((end = memchr(line, '\n', client->size - (size_t)(line - client->buffer)))) {
    *end = '\0';
    answer(client, line);
    line = end + 1;
  }
  client->size -= (unsigned)(line - client->buffer);
  memmove(client->buffer, line, client->size);
}

static void greet(void) {
  struct client *client = calloc(1, sizeof *client);
  if (!client) die("calloc");
  client->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (client->fd < 0) die("accept4");
  LIST_INSERT_HEAD(&clients, client, link);
  watch(client->fd, client);
}

// Returns how long to wait for the next one, -1 if there is none.
static int fire_timers(void) {
  const long now = now_ms();
  long next = -1;
  struct client *client;
  LIST_FOREACH(client, &clients, link) {
    for (struct timer *timer = LIST_FIRST(&client->timers), *after; timer; timer = after) {
      after = LIST_NEXT(timer, link);
      if (timer->at_ms > now) {
        if (next < 0 || timer->at_ms - now < next) next = timer->at_ms - now;
        continue;
      }
      say(client, timer->line, strlen(timer->line));
      LIST_REMOVE(timer, link);
      free(timer->line);
      free(timer);
    }
  }
  return (int)next;
}

int main(int argc, char **argv) {
  const int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (argc != 2) return 2;
  address.sin_port = htons((unsigned short)atoi(argv[1]));
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0) die("listen");
  watch(listener, NULL);
  for (;;) {
    struct epoll_event events[kMostEvents];
    const int count = epoll_wait(epoll_fd, events, kMostEvents, fire_timers());
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr) {
        receive(events[i].data.ptr);
      } else {
        greet();
      }
    }
  }
}
