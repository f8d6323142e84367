// Where glibc has the thread-local variables of the modules that a program was started with: in
// blocks below each thread's control block, at the same distances from it in every thread ("Variant
// II", Drepper, ELF Handling For Thread-Local Storage). Code has these distances compiled in, or
// reads them from global offset tables.
//
// glibc exports where its private structures have them, for debuggers (nptl_db).
#ifndef MCR_MUTATOR_MERGE_STATIC_TLS_H_
#define MCR_MUTATOR_MERGE_STATIC_TLS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/merge/loader_state.h"

namespace mcr::mutator {

class StaticTls {
 public:
  struct Block {
    const LoadedModule* module = nullptr;
    uint64_t id = 0;        // by which the loader knows the module's storage
    uint64_t distance = 0;  // of its begin, below the control block
    uint64_t size = 0;
    uint64_t alignment = 1;
    Range<Addr> initial;  // what it begins with in a new thread; zeros follow
    Addr distance_slot;   // the word of the link map that says `distance`
  };

  // Empty if no module has any. `modules` outlive this.
  static Result<StaticTls> Find(const checkpoint::ProcessImage& image, const LoadedModules& modules,
                                const LinkMaps& links);

  const std::vector<Block>& blocks() const { return blocks_; }
  // nullptr: it has none.
  const Block* Of(const LoadedModule& module) const;
  // The one that holds the byte so far below the control block.
  const Block* At(uint64_t distance) const;
  // Bytes below the control block that are taken.
  uint64_t used() const;

  // The loader's own account of used(), and how much there could be: found in both images at once,
  // because only what fits both is certain. Fails if there is no such place.
  struct Room {
    Addr used_slot;
    uint64_t size = 0;  // bytes below the control block
    uint64_t alignment = 1;
  };
  static Result<Room> FindRoom(const checkpoint::ProcessImage& live, const LoadedModules& modules,
                               const StaticTls& tls, const checkpoint::ProcessImage& next,
                               const LoadedModules& next_modules, const StaticTls& next_tls);

 private:
  std::vector<Block> blocks_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STATIC_TLS_H_
