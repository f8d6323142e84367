// What both units of the test program share. V2 is the new version.
#ifndef MCR_MUTATOR_DEBUGINFO_TESTDATA_SHAPES_H_
#define MCR_MUTATOR_DEBUGINFO_TESTDATA_SHAPES_H_

typedef struct node_s node_t;

struct node_s {
  node_t *next;
  struct payload *payload;  // only second.c knows what is in it
#ifdef V2
  long value;
#else
  int value;
#endif
};

typedef struct {
  char *data;
  unsigned long length;
} text_t;

enum color { RED, GREEN = 5, BLUE = -1 };

union number {
  int i;
  double d;
};

typedef void (*handler_t)(int);

struct record {
  unsigned low : 3;
  unsigned high : 5;
#ifdef V2
  unsigned added : 2;
#endif
  text_t name;
  enum color color;
  union number number;
  int grid[2][3];
  handler_t handler;
  struct {
    int inner;
  };
};

struct unchanged {
  struct unchanged *self;
  const volatile text_t *name;
};

extern node_t *list;
extern struct record table[4];
int sum(const node_t *node);

#endif  // MCR_MUTATOR_DEBUGINFO_TESTDATA_SHAPES_H_
