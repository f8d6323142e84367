// From addresses of a rehearsed process to addresses of the live one: the same files are mapped in
// both, elsewhere.
#ifndef MCR_MUTATOR_MERGE_IMAGE_MAP_H_
#define MCR_MUTATOR_MERGE_IMAGE_MAP_H_

#include <cstdint>
#include <span>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::mutator {

class ImageMap {
 public:
  // A module of `next` that the update exchanges, and where it will be in the live process.
  struct Moved {
    Range<Addr> from;
    Addr to;
  };
  // Every module of `next` that is not `moved` has to be in `live` with the same build-id, or this
  // fails and names it.
  static Result<ImageMap> Create(const LoadedModules& next, const Mappings& next_mappings,
                                 const LoadedModules& live, std::span<const Moved> moved);

  // An object outside the modules that both processes have, each at its own place.
  void AddObject(Range<Addr> next, Addr live);

  enum class Kind {
    kValue,    // no address of the rehearsed process
    kPointer,  // into a module or known object: `value` is where that is in the live process
    kForeign,  // into the rehearsed process's heap, stack or other memory, which the live one does
               // not have
  };
  struct Word {
    Kind kind = Kind::kValue;
    uint64_t value = 0;
  };
  Word Translate(uint64_t next_word) const;

  bool operator==(const ImageMap&) const = default;

 private:
  struct Entry {
    Range<NextAddr> from;
    bool is_module = false;  // or an object
    LiveAddr to;
    bool operator==(const Entry&) const = default;
  };
  static const Entry* Holder(const std::vector<Entry>& entries, NextAddr address);

  std::vector<Entry> entries_;  // by address, not overlapping
  std::vector<Entry> objects_;  // the same; they lie within `entries_`
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_IMAGE_MAP_H_
