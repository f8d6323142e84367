// Start-up fills a pool with a configuration of several types, to which nothing but `void *` leads.
// A version says what struct limits is, what else its start puts there, and what follows it.
#include "programs/pool_allocator.h"

struct names {
  const char* literal;
  char* copied;
  size_t length;
};
struct action {
  int (*handler)(int);
  void* limits;
};
struct ports {
  int count, port[5];
};
enum { LIMITS, NAMES, ACTION, PORTS, CONFIGS };

struct session {
  void* config;
  long id;
  struct session* next;
};

static struct pool* pool;
static void** configs;
static struct session* sessions;

static void start_limits(void) {
  struct limits* limits = configs[LIMITS] = pool_allocate(pool, sizeof *limits);
  limits->timeout = TIMEOUT;
  limits->size = 1000;
  START_NEW_LIMITS(limits);
}

static void start_names(void) {
  struct names* names = configs[NAMES] = pool_allocate(pool, sizeof *names);
  names->literal = "a literal";
  names->length = strlen("copied into the pool");
  names->copied = pool_allocate(pool, names->length + 1);
  memcpy(names->copied, "copied into the pool", names->length);
}

static void start_action(void) {
  struct action* action = configs[ACTION] = pool_allocate(pool, sizeof *action);
  action->handler = HANDLER;
  action->limits = configs[LIMITS];
}

static void start_ports(void) {
  struct ports* ports = configs[PORTS] = pool_allocate(pool, sizeof *ports);
  while (ports->count < 5) {
    ports->port[ports->count] = 8000 + ports->count;
    ++ports->count;
  }
}

void pair_start(void) {
  pool = pool_create();
  configs = pool_allocate(pool, CONFIGS * sizeof *configs);
  start_limits();
  start_names();
  start_action();
  start_ports();
}

static int config_of(long id) { return NAMES + (int)(id % (CONFIGS - NAMES)); }

static void add_sessions(void) {
  for (long id = 0; id < 9; ++id) {
    struct session* session = malloc(sizeof *session);
    session->config = configs[config_of(id)];
    session->id = id;
    session->next = sessions;
    sessions = session;
  }
}

static const char* check_configs(void* const* all) {
  const struct limits* limits = all[LIMITS];
  EXPECT(limits->timeout == TIMEOUT && limits->size == SIZE && NEW_LIMITS_ARE_RIGHT(limits));
  const struct names* names = all[NAMES];
  EXPECT(strcmp(names->literal, "a literal") == 0);
  EXPECT(strcmp(names->copied, "copied into the pool") == 0);
  EXPECT(names->length == strlen(names->copied));
  const struct action* action = all[ACTION];
  EXPECT(action->handler == HANDLER && action->handler(3) == HANDLED_3);
  EXPECT(action->limits == limits);
  const struct ports* ports = all[PORTS];
  EXPECT(ports->count == 5);
  for (int i = 0; i < ports->count; ++i) EXPECT(ports->port[i] == 8000 + i);
  return NULL;
}

// What the sessions lead to is what the program itself leads to, and so is as right as that.
static const char* check_sessions(void) {
  long id = 9;
  for (const struct session* session = sessions; session != NULL; session = session->next) {
    EXPECT(session->id == --id);
    EXPECT(session->config == configs[config_of(id)]);
  }
  EXPECT(id == 0);
  return NULL;
}

const char* pair_check(void) {
  const char* wrong = check_configs(configs);
  if (wrong == NULL) wrong = check_sessions();
  if (wrong != NULL || pair_version() == 1) return wrong;  // which leaves the pool as it is
  memset(pool_allocate(pool, 40), 0x5a, 40);               // must not be in use
  return check_configs(configs);
}

void pair_end(void) {
  for (struct session *session = sessions, *next; session != NULL; session = next) {
    next = session->next;
    free(session);
  }
  pool_destroy(pool);
}
