// What validation has looked at, and what it found wrong, check by check.
#ifndef MCR_MUTATOR_VALIDATE_FINDINGS_H_
#define MCR_MUTATOR_VALIDATE_FINDINGS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mcr::mutator {

struct Finding {
  static constexpr size_t kMost = 20;  // lines; more would not help anybody

  uint64_t checked = 0;
  std::vector<std::string> wrong;

  void Wrong(std::string what) {
    if (wrong.size() < kMost) wrong.push_back(std::move(what));
  }
  void Add(const Finding& other) {
    checked += other.checked;
    for (const std::string& what : other.wrong) Wrong(what);
  }
};

struct Findings {
  Finding values;  // of the old state, seen from the new one
  Finding code_pointers, data_pointers;
  Finding heap;

  void Add(const Findings& other) {
    values.Add(other.values);
    code_pointers.Add(other.code_pointers);
    data_pointers.Add(other.data_pointers);
    heap.Add(other.heap);
  }
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_FINDINGS_H_
