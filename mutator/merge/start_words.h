// What a word that a start has left in memory says, in terms that both versions' starts share: a
// number, a function, a text. Words of both that say the same are equal.
#ifndef MCR_MUTATOR_MERGE_START_WORDS_H_
#define MCR_MUTATOR_MERGE_START_WORDS_H_

#include <cstdint>
#include <map>
#include <string>

#include "mcr/base/address.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/rehearsed_heap.h"

namespace mcr::mutator {

struct StartWord {
  enum class Kind : uint8_t {
    kValue,      // a number, or characters
    kHeap,       // points to an allocation: where, does not count
    kTarget,     // into the module whose types change: `value` is where, in the new version
    kText,       // or to this text of it
    kGone,       // or to what the new version does not have
    kLibrary,    // into another module, at this place
    kElsewhere,  // to memory of which nothing says what corresponds to what: stacks, mappings
  };
  Kind kind = Kind::kValue;
  uint64_t value = 0;

  bool operator==(const StartWord&) const = default;
};

class StartWords {
 public:
  // All outlive this.
  StartWords(const ChangedModule& module, const RehearsedHeap& before, const RehearsedHeap& after);

  StartWord OfBase(uint64_t word);
  StartWord OfNext(uint64_t word);

 private:
  struct Side {
    explicit Side(const RehearsedHeap& rehearsed)
        : heap(rehearsed), modules(LoadedModules::Find(rehearsed.memory().image())) {}

    const RehearsedHeap& heap;
    LoadedModules modules;
  };

  StartWord Outside(const Side& side, uint64_t word);

  const ChangedModule& module_;
  const Side before_, after_;
  std::map<std::string, uint64_t> libraries_;  // path -> a number of its own
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_START_WORDS_H_
