// Memory that processes share, and that is to be as the new version's start leaves it: an
// annotation says that what the server has put there may be forgotten (a cache), and types that are
// in there change.
#ifndef MCR_MUTATOR_MERGE_FRESH_SHARED_H_
#define MCR_MUTATOR_MERGE_FRESH_SHARED_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/image_map.h"

namespace mcr::mutator {

class FreshShared {
 public:
  // What is found is put into `next_to_live`: pointers of the start lead to it. Both images outlive
  // the result.
  static FreshShared Find(const checkpoint::ProcessImage& live,
                          const checkpoint::ProcessImage& next, const ChangedModules& modules,
                          ImageMap& next_to_live);

  bool Holds(Addr at) const;
  // Those of which nothing says what the start's are.
  const std::vector<std::string>& problems() const { return problems_; }

  // What differs from the live process's in a mapping whose begin it holds.
  Status Write(const Range<Addr>& range, const ImageMap& next_to_live,
               checkpoint::ProcessGraft& graft) const;

  // A problem for each word of the live process's own that points to what is forgotten, if it
  // `is_pointer` by its type and stays. The begin stays what it is.
  Status RefusePointers(const std::function<bool(Addr)>& is_pointer,
                        std::vector<std::string>& problems) const;

 private:
  FreshShared(const checkpoint::ProcessImage& live, const checkpoint::ProcessImage& next)
      : live_(&live), next_(&next) {}

  const checkpoint::ProcessImage* live_;
  const checkpoint::ProcessImage* next_;
  std::vector<Range<Addr>> ranges_, starts_;  // in the live process, and in the start's, in order
  std::vector<std::string> problems_;
};

// Where the functions of that name are in a process that has the program at `bias`.
std::set<Addr> AddressesOf(const std::string& function, const Program& program, Addr bias);

// What a process shares with others and may write to, in the order of addresses.
std::vector<Mapping> WritableShared(const checkpoint::ProcessImage& image);

// Whether there is one for each of the other, in the same order.
bool SameMappings(const std::vector<Mapping>& one, const std::vector<Mapping>& other);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_FRESH_SHARED_H_
