// Hash tables of objects that change: an array of pointers to the bases of nodes.
#include <string>
#include <unordered_map>

static std::unordered_map<int, Item> by_number;
static std::unordered_map<std::string, Item> by_name;
static std::unordered_map<int, int> unchanged;
static Item* one;

static void Add(int id) {
  by_number[id].id = id;
  by_name["name " + std::to_string(id)].id = id;
  unchanged[id] = -id;
}

void pair_start() {
  for (int i = 0; i < 20; ++i) Add(i);
}

void pair_state() {
  for (int i = 20; i < 100; ++i) Add(i);
  one = &by_number[33];
  by_number[1].peer = one;
}

const char* pair_check() {
  EXPECT(by_number.size() == 100 && by_name.size() == 100 && unchanged.size() == 100);
  for (int i = 0; i < 100; ++i) {
    EXPECT(by_number.at(i).id == i && unchanged.at(i) == -i);
    EXPECT(by_name.at("name " + std::to_string(i)).id == i);
  }
  int count = 0;
  for (const auto& [key, item] : by_number) count += key == item.id;
  EXPECT(count == 100);
  EXPECT(one == &by_number.at(33) && by_number.at(1).peer == one);
  for (int i = 100; i < 300; ++i) Add(i);
  for (int i = 100; i < 300; ++i) {
    EXPECT(by_number.erase(i) == 1 && by_name.erase("name " + std::to_string(i)) == 1);
    unchanged.erase(i);
  }
  return nullptr;
}

void pair_end() {
  by_number.clear();
  by_name.clear();
  unchanged.clear();
}
