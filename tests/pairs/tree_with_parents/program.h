// A binary search tree whose nodes know their parents.
#include <stdlib.h>

#include "pair.h"

#define COUNT 500

static struct node* root;
static struct node* last_added;

static void add(int key) {
  struct node** place = &root;
  struct node* parent = NULL;
  while (*place != NULL) {
    parent = *place;
    place = key < parent->key ? &parent->left : &parent->right;
  }
  struct node* node = calloc(1, sizeof *node);
  node->key = key;
  node->parent = parent;
  *place = last_added = node;
}

static int scrambled(int i) { return (i * 7919) % 10007; }

void pair_start(void) {
  for (int i = 0; i < COUNT / 2; ++i) add(scrambled(i));
}

void pair_state(void) {
  for (int i = COUNT / 2; i < COUNT; ++i) add(scrambled(i));
}

static int count(const struct node* node, const struct node* parent, int low, int high) {
  if (node == NULL) return 0;
  if (node->parent != parent || node->key < low || node->key >= high) return -2 * COUNT;
  return 1 + count(node->left, node, low, node->key) + count(node->right, node, node->key, high);
}

const char* pair_check(void) {
  EXPECT(count(root, NULL, 0, 10007) == COUNT);
  for (int i = 0; i < COUNT; ++i) {
    const struct node* node = root;
    while (node != NULL && node->key != scrambled(i)) {
      node = scrambled(i) < node->key ? node->left : node->right;
    }
    EXPECT(node != NULL);
    if (i == COUNT - 1) EXPECT(node == last_added);
  }
  return NULL;
}

static void clear(struct node* node) {
  if (node == NULL) return;
  clear(node->left);
  clear(node->right);
  free(node);
}

void pair_end(void) { clear(root); }
