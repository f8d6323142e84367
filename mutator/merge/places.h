// Where the new versions of modules go in the live processes.
#ifndef MCR_MUTATOR_MERGE_PLACES_H_
#define MCR_MUTATOR_MERGE_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::mutator {

class Places {
 public:
  // What there may be a place of for one module each.
  enum class Use { kNewVersion, kConstants };
  struct Key {
    size_t module = 0;
    Use use = Use::kNewVersion;
    auto operator<=>(const Key&) const = default;
  };

  // `processes`: the mappings of all of them; they outlive this.
  explicit Places(std::vector<const Mappings*> processes) : processes_(std::move(processes)) {}

  // A place of `size` bytes that is free in every process. A module that is at one address in
  // several processes goes to one place in all of them: shared memory may hold pointers into it.
  // Processes that were executed separately have it at different addresses.
  Result<Range<Addr>> Find(Key key, Addr old_place, uint64_t size, Addr limit);

 private:
  std::vector<const Mappings*> processes_;
  std::map<std::pair<Key, Addr>, Range<Addr>> found_;
  Mappings taken_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_PLACES_H_
