// Where what the old version's start has allocated is in the new version's start: place by place,
// where nothing but the order of the places and the words in them tells.
//
// A program that takes memory by the block and gives it out itself lays out its blocks otherwise
// as soon as one of the values in them grows, and pointers without types lead to all of it. But
// both starts do nearly the same in the same order. From pointers that are known to correspond
// (variables and fields have names), the words behind both targets are followed in parallel, up to
// the next place that a pointer leads to; where they differ, the longest common subsequence goes
// on. Pointers among them correspond in their turn. A place counts if all that lead to it agree,
// and what is there is alike in both starts.
#ifndef MCR_MUTATOR_MERGE_START_ALIGNMENT_H_
#define MCR_MUTATOR_MERGE_START_ALIGNMENT_H_

#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/merge/rehearsed_heap.h"
#include "mutator/merge/start_words.h"

namespace mcr::mutator {

struct StartPlace {
  Addr base, next;
  bool operator==(const StartPlace&) const = default;
};

class StartAlignment {
 public:
  struct Known {
    std::vector<StartPlace> places;  // that variables lead to
    // That fields and elements lead to: elements of arrays and lists may have shifted.
    std::vector<StartPlace> likely;
    // Where allocations begin that have a type as a whole: nothing is followed in there.
    std::set<Addr> typed_base, typed_next;
  };
  static StartAlignment Find(const RehearsedHeap& before, const RehearsedHeap& after,
                             StartWords& words, const Known& known);

  // Of places that pointers lead to. nullopt: not known.
  std::optional<Addr> ToNext(Addr base) const;
  std::optional<Addr> ToBase(Addr next) const;
  // The word of the base that the one at `next` corresponds to.
  std::optional<Addr> WordInBase(Addr next) const;
  std::optional<Addr> WordInNext(Addr base) const;
  const std::vector<StartPlace>& places() const { return places_.by_base; }

  // Allocations of both starts that lead to each other.
  struct Group {
    std::vector<Range<Addr>> base, next;  // payloads, by address
    bool in_place = false;                // one of each, of one size, with each place where it was
  };
  // Without those that have a type as a whole.
  std::vector<Group> Groups(const RehearsedHeap& before, const RehearsedHeap& after,
                            const Known& known) const;

 private:
  struct Places {
    Places() = default;
    explicit Places(std::vector<StartPlace> places);
    std::vector<StartPlace> by_base, by_next;
  };
  Places places_, words_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_START_ALIGNMENT_H_
