// Vectors of objects that change: the elements move apart, pointers to elements follow.
#include <string>
#include <vector>

static std::vector<Item> items;
static std::vector<std::vector<Item>> nested;
static std::vector<Item*> pointers;
static std::vector<std::string> words = {"one", "two"};
static Item* middle;

static Item Make(int id) {
  Item item;
  item.id = id;
  return item;
}

void pair_start() {
  for (int i = 0; i < 10; ++i) items.push_back(Make(i));
}

void pair_state() {
  for (int i = 10; i < 50; ++i) items.push_back(Make(i));  // 64 have room
  middle = &items[25];
  items[0].peer = &items[49];
  for (int i = 0; i < 3; ++i) nested.emplace_back(i, Make(100 + i));
  for (int i = 0; i < 5; ++i) pointers.push_back(new Item(Make(200 + i)));
  words.push_back("a third one, which is longer than what fits into the string itself");
}

const char* pair_check() {
  EXPECT(items.size() == 50);
  for (int i = 0; i < 50; ++i) EXPECT(items[i].id == i);
  EXPECT(middle == &items[25] && items[0].peer == &items[49]);
  EXPECT(nested.size() == 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT(nested[i].size() == static_cast<size_t>(i));
    for (const Item& item : nested[i]) EXPECT(item.id == 100 + i);
  }
  EXPECT(pointers.size() == 5);
  for (int i = 0; i < 5; ++i) EXPECT(pointers[i]->id == 200 + i);
  EXPECT(words.size() == 3 && words[0] == "one" && words[2].size() == 66);
  for (int i = 50; i < 100; ++i) items.push_back(Make(i));  // also beyond its capacity
  for (int i = 0; i < 100; ++i) EXPECT(items[i].id == i);
  items.resize(50);
  items.reserve(64);
  middle = &items[25];
  items[0].peer = &items[49];
  return nullptr;
}

void pair_end() {
  for (Item* item : pointers) delete item;
  items = {};
  nested = {};
}
