// Makes the keys of variables or functions unique within a program.
#ifndef MCR_MUTATOR_DEBUGINFO_UNIQUE_KEYS_H_
#define MCR_MUTATOR_DEBUGINFO_UNIQUE_KEYS_H_

#include <string>
#include <unordered_map>
#include <vector>

namespace mcr::mutator {

// Appends "#2", "#3" … to the name of every item whose Key() an earlier item has.
template <class Item>
void MakeKeysUnique(std::vector<Item>& items) {
  std::unordered_map<std::string, int> seen;
  for (Item& item : items) {
    const int count = ++seen[item.Key()];
    if (count > 1) item.name += "#" + std::to_string(count);
  }
}

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_UNIQUE_KEYS_H_
