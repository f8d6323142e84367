// Objects that change, shared and counted: made together with their counts, and apart from them.
#include <memory>

static std::shared_ptr<Item> together;
static std::shared_ptr<Item> apart;
static std::shared_ptr<Item> again;
static std::weak_ptr<Item> watcher;
static std::unique_ptr<Item> single;
static Item* plain;

void pair_start() {
  together = std::make_shared<Item>();
  together->id = 1;
}

void pair_state() {
  apart = std::shared_ptr<Item>(new Item());
  apart->id = 2;
  again = together;
  watcher = apart;
  apart->peer = together.get();
  plain = apart.get();
  single = std::make_unique<Item>();
  single->id = 3;
}

const char* pair_check() {
  EXPECT(together->id == 1 && together.use_count() == 2 && again == together);
  EXPECT(apart->id == 2 && apart.use_count() == 1 && apart->peer == together.get());
  EXPECT(watcher.lock() == apart && plain == apart.get());
  EXPECT(single->id == 3);
  return nullptr;
}

void pair_end() {
  together.reset();
  again.reset();
  apart.reset();
  single.reset();
}
