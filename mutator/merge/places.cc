#include "mutator/merge/places.h"

#include "mutator/merge/free_range.h"

namespace mcr::mutator {

Result<Range<Addr>> Places::Find(Key key, Addr old_place, uint64_t size, Addr limit) {
  const std::pair wanted(key, old_place);
  if (const auto known = found_.find(wanted); known != found_.end()) return known->second;
  std::vector<const Mappings*> occupied = processes_;
  occupied.push_back(&taken_);
  MCR_ASSIGN(const Range<Addr> range, FindFreeRange(occupied, size, limit, old_place));
  Mapping taken;
  taken.range = range;
  taken_.push_back(taken);
  return found_[wanted] = range;
}

}  // namespace mcr::mutator
