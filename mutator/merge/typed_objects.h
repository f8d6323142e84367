// The objects of one live process that the update reshapes, and whether it is certain that these
// are all (DESIGN §4, "No silent guess").
#ifndef MCR_MUTATOR_MERGE_TYPED_OBJECTS_H_
#define MCR_MUTATOR_MERGE_TYPED_OBJECTS_H_

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/loaded_modules.h"
#include "mutator/graph/object_graph.h"
#include "mutator/graph/snapshot.h"
#include "mutator/merge/base.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/fresh_shared.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/relaid_memory.h"
#include "mutator/merge/shared_objects.h"
#include "mutator/merge/start_heap.h"

namespace mcr::mutator {

class TypedObjects {
 public:
  // Traces the process from the variables of each module whose types change; without such a module
  // there is nothing to do, and nothing is read, unless `always`. `live` outlives the result.
  static Result<std::unique_ptr<TypedObjects>> Find(const checkpoint::ProcessImage& live,
                                                    const LoadedModules& loaded,
                                                    const ChangedModules& modules,
                                                    const checkpoint::ProcessImage& next,
                                                    bool always);
  // What becomes of them, and what stands in the way. Both nullptr: the old version's start is
  // not known. `next`: the new one's.
  void Settle(const StartHeap* heap, const Base* base, const checkpoint::ProcessImage& next,
              const FreshShared& fresh);

  // After Settle.
  const ObjectMoves& moves() const { return moves_; }
  const std::vector<HeapChunk>& chunks() const { return chunks_; }
  // Whose types the objects are of; nullptr: there are none.
  const ChangedModule* module() const { return module_; }
  const Snapshot& memory() const { return memory_; }
  const std::vector<std::string>& problems() const { return problems_; }

  // nullptr: the memory there has no known type.
  const Object* TypeAt(Addr at) const { return graph_.Find(at); }
  // Whether a region has the memory there, and has not given it out yet.
  bool IsUnused(Addr at) const { return graph_.IsUnused(at); }
  size_t object_count() const { return graph_.objects.size(); }

 private:
  explicit TypedObjects(const checkpoint::ProcessImage& live) : memory_(live) {}

  void Trace(const ChangedModule& module, const LoadedModules& loaded,
             const ChangedModules& modules, const checkpoint::ProcessImage& next);
  bool IsLaidOutAnew(Addr at) const { return relaid_ != nullptr && relaid_->Holds(at); }
  void ExplainStays();
  bool OnlyDangle(const std::vector<Addr>& pointers) const;
  void RefuseUntyped(const Starts& starts, const FreshShared& fresh);

  Snapshot memory_;
  std::vector<HeapChunk> chunks_;
  const ChangedModule* module_ = nullptr;
  ObjectGraph graph_;
  std::unique_ptr<RelaidMemory> relaid_;
  ObjectMoves moves_;
  std::vector<std::string> problems_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_TYPED_OBJECTS_H_
