// What both versions' starts leave in the heap: where the new version's start computes something
// else than the old one's did.
//
// Objects of the two rehearsals are paired by the paths that lead to them from variables that both
// versions have. Numbers among their values are start-up's own results: sizes and offsets of types
// that changed, hashes, limits. Where the server has not touched them since its start, they are to
// be the new version's (DESIGN §2), as long as they cannot be the size of some memory that only the
// new version's start allocates.
#ifndef MCR_MUTATOR_MERGE_START_HEAP_H_
#define MCR_MUTATOR_MERGE_START_HEAP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/heap_holders.h"
#include "mutator/merge/base.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/start_alignment.h"
#include "mutator/transform/recipe.h"

namespace mcr::mutator {

struct StartDifference {
  Addr value;                      // in the base: an object, or memory without types
  const Recipe* recipe = nullptr;  // the object's; nullptr: it has no type
  uint64_t from = 0, size = 0;     // bytes of the old value
  uint64_t to = 0;                 // where they are in the new one
  std::vector<std::byte> next;     // what the new version's start leaves there
  std::optional<FileAddr> target;  // or it points there, in the new version
  bool bits = false;               // part of these bytes only
  bool text = false;               // memory without types that may be characters
  bool plain = false;   // it is characters, or what malloc gave beyond what was asked for
  bool mapped = false;  // malloc mapped it by itself: not to be found in other processes
  Range<Addr> memory;   // of memory without types: all of it
  std::string name;     // "table.offset"
};

struct StartHeap {
  std::vector<StartDifference> differences;
  // What one of the starts leads to, or both, and the other one does not have so.
  struct OtherMemory {
    std::optional<Addr> base, next;  // where the allocations begin
    std::string name;                // of what leads there
  };
  std::vector<OtherMemory> others;
  StartAlignment alignment;
  // What has no type as a whole, and is not the same in the new version's start.
  std::vector<StartAlignment::Group> laid_out_anew;
  // Where allocations of the base begin. `own`: the program's, not a library's: blocks of regions,
  // and what its pointers without a type lead to. `kept`: in place, and not laid out anew.
  // `reached`: what is known to be the program's to look at, as a whole, in part, or behind other
  // memory.
  std::set<Addr> own, kept, reached;
  // Of allocations that nothing is known to lead to, by where the new version's start has them: the
  // base's that is in the same place among the others, and holds the same.
  std::map<Addr, Range<Addr>> neighbours;
  // Words of the new version's start that malloc gave beyond what was asked for.
  std::set<Addr> beyond;
  std::vector<HeapChunk> base_chunks, next_chunks;
  struct Counterpart {
    Range<Addr> base;  // empty: paths lead to several
    std::string name;  // of the first path
  };
  // By where the new version's start has an allocation: the old one's that paths lead to in the
  // same way.
  std::map<Addr, Counterpart> counterparts;
  std::vector<HeapHolder> next_holders;
};

// `module`: the one whose types change. `next`: the new version's rehearsal.
Result<StartHeap> CompareStartHeaps(const Base& base, const checkpoint::ProcessImage& next,
                                    const ChangedModule& module);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_START_HEAP_H_
