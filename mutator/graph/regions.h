// Allocators of the program's own, as annotations describe them: they take memory by the block,
// give it out in pieces, and free it as a whole (Annotations::region).
//
// A block begins with a header. Of those that are chained behind the first, the header may be
// shorter: only the struct with the field that chains, where that is nested in the header's type.
#ifndef MCR_MUTATOR_GRAPH_REGIONS_H_
#define MCR_MUTATOR_GRAPH_REGIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/program.h"
#include "mutator/transform/recipe_book.h"
#include "profiles/profile.pb.h"

namespace mcr::mutator {

struct RegionKind {
  TypeId block = 0;         // of the first block's header
  TypeId chained = 0;       // of that of a block behind it, which holds the two fields as well
  uint64_t next = 0;        // where the header has the address of the next block
  uint64_t end = 0;         // and the address behind the block's last byte in use
  TypeId region = 0;        // what `allocate` is given; may be the first block itself
  FileAddr allocate;        // of the old version
  bool size_first = false;  // its arguments: the size and the region, or the other way round
};

class Regions {
 public:
  // Both outlive this.
  Regions(const Program& program, RecipeBook& recipes);

  // Whose first block's header is of this type. nullptr: no region's is.
  const RegionKind* WithBlock(TypeId type) const;
  const std::vector<RegionKind>& all() const { return kinds_; }
  // What the annotations say that the program does not bear out.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Field {
    uint64_t offset = 0;
    TypeId owner = 0;  // the struct that it is a direct member of
    uint64_t owner_offset = 0;
  };
  std::optional<Field> FindField(TypeId type, std::string_view path) const;
  std::optional<std::string> Add(const profiles::Region& region, RecipeBook& recipes);
  bool FindAllocate(const profiles::Region& region, RegionKind& kind) const;

  const Program& program_;
  std::vector<RegionKind> kinds_;
  std::vector<std::string> problems_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_REGIONS_H_
