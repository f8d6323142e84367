// Makes an ObjectGraph.
#ifndef MCR_MUTATOR_GRAPH_TRACER_H_
#define MCR_MUTATOR_GRAPH_TRACER_H_

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/program.h"
#include "mutator/graph/allocation_types.h"
#include "mutator/graph/container_index.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/indexed_arrays.h"
#include "mutator/graph/node_types.h"
#include "mutator/graph/object_graph.h"
#include "mutator/graph/pointee_rules.h"
#include "mutator/graph/region_pieces.h"
#include "mutator/graph/regions.h"
#include "mutator/graph/snapshot.h"
#include "mutator/graph/virtual_tables.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {

class Tracer {
 public:
  using Label = const std::string*;

  // All references outlive the tracer.
  Tracer(const Snapshot& memory, const Program& program, Addr bias, RecipeBook& recipes,
         const std::vector<HeapChunk>& chunks);

  // Arrays that `indexed` speaks of are what it says; it outlives the tracer.
  void Use(const IndexedArrays& indexed) { indexed_ = &indexed; }

  // A value outside the heap that is traced as well: a variable. `name` is for messages and
  // annotations.
  void AddRoot(Addr at, const Recipe& recipe, const std::string& name);
  // A value that is not looked at where it is: a local variable, which may be in registers.
  void AddValue(std::span<const std::byte> value, TypeId before, const std::string& name);
  Label NewLabel(std::string text);
  // A word of memory without types that may point to an allocation. `found_by`: a NewLabel.
  void AddLikely(uint64_t word, Label found_by);

  // Follows everything; then the types of all that can be reached are known, or are not to be had.
  ObjectGraph Finish();

 private:
  struct Typed {
    const Recipe* recipe = nullptr;
    Label found_by = nullptr;
    std::optional<uint64_t> count;  // of values, if an annotation says it
    uint64_t spare = 0;             // as an Object has it
  };
  struct Pending {  // values to look for pointers in
    Addr at;
    const Recipe* recipe = nullptr;
    uint64_t count = 1;
    uint64_t room = 0;     // bytes of the allocation, for a flexible array
    Label name = nullptr;  // of a variable
  };
  struct Inner {  // a pointer into an allocation that has no type yet
    size_t chunk;
    uint64_t offset;
    TypeId before = 0;
    Label found_by = nullptr;
    std::optional<uint64_t> count;  // these as Pointed has them
    uint64_t spare = 0;
    const Recipe* recipe = nullptr;
  };
  struct Likely {
    uint64_t word = 0;
    Label found_by = nullptr;
    bool precise = false;
    bool foreign = false;
    Addr at;  // of the pointer; null: not known
  };

  void TraceAll();
  uint64_t CountValues(const HeapChunk& memory, const Recipe& recipe);
  void TraceValue(const Pending& value);
  void TraceSteps(const Recipe& recipe, std::span<const std::byte> bytes, uint64_t offset,
                  Label name);
  void TraceFlexible(const FlexibleArray& array, std::span<const std::byte> bytes, Label name);
  // What is known of the values that a pointer points to, besides their type.
  struct Pointed {
    Label found_by = nullptr;
    std::optional<uint64_t> count = {};  // as an annotation says
    TypeId owner = 0;                    // what the pointer is a field of, and where that is
    Addr owner_at = {};
    uint64_t spare = 0;              // of `count`, as an Object has it
    const Recipe* recipe = nullptr;  // instead of that of the type
  };
  void FollowPointer(const Step& step, uint64_t word, const Recipe& owner,
                     std::span<const std::byte> value, Addr at, Label name);
  void Follow(uint64_t word, TypeId before, TypeId after, const Pointed& pointed);
  void Follow(uint64_t word, TypeId before, TypeId after, Label found_by) {
    Follow(word, before, after, Pointed{.found_by = found_by});
  }
  void FollowContainer(const Step& step, const Type& owner, Addr container);
  void FollowList(const Step& step, const Type& owner, Addr head);
  void FollowOpaque(const Step& step, std::span<const std::byte> value, Label found_by);
  TypeId PointeeInUnion(TypeId type, uint64_t offset, uint64_t word);
  void FollowUntyped(uint64_t word, Label found_by, bool precise, bool foreign = false);
  void FollowOutside(uint64_t word, TypeId before, TypeId after, Label found_by);
  TypeId Complete(TypeId before) const;  // 0: the program has no definition
  bool IsText(TypeId type) const;
  void Claim(size_t chunk, TypeId before, TypeId after, Label found_by);
  bool GiveAsTold(size_t chunk, const Pointed& pointed);
  void Give(size_t chunk, const Recipe& recipe, Label found_by);
  void CheckInner(size_t chunk, uint64_t offset, TypeId before, Label found_by);
  bool SettleInner();
  void RefuseInner(const Inner& inner);
  void RefuseTold(uint64_t word, Label found_by);
  bool IsNode(uint64_t word, TypeId pointee) const;
  size_t ChunkAt(uint64_t word) const;
  bool IsPastEnd(uint64_t word) const;
  void TraceUntyped();

  // Of regions (tracer_regions.cc).
  bool FollowBlock(uint64_t word, size_t chunk, TypeId before, const Pointed& pointed);
  bool FollowIntoBlock(const Inner& inner);
  bool MayBeBlock(const HeapChunk& chunk, uint64_t offset, const RegionKind& kind) const;
  void GiveBlocks(size_t chunk, const RegionKind& kind, Addr region, Label found_by);
  struct Block {
    Range<Addr> room;  // behind the header, up to the last byte in use
    Addr next;
  };
  std::optional<Block> BlockIn(size_t chunk, const RegionKind& kind, TypeId header) const;
  std::optional<Addr> GiveBlock(size_t chunk, const RegionKind& kind, TypeId header, Addr region,
                                Label found_by);
  void FollowPiece(size_t chunk, uint64_t word, TypeId before, TypeId after,
                   const Pointed& pointed);
  void AddGaps();
  void AddPieces(ObjectGraph& graph);
  void CheckPiece(const Piece& piece, const RegionBlock& block);
  bool StaysAsItIs(Addr region) const;
  bool MayContinue(const Piece& piece, const RegionBlock& block);
  struct Part {
    TypeId whole = 0;
    uint64_t offset = 0;
  };
  const std::vector<Part>& PartsOf(TypeId type);
  TypeId MayBePartOf(const Piece& piece, const RegionBlock& block);
  const RegionBlock* BlockAt(uint64_t word) const;

  Label LabelOf(const Step& step, const Type& owner);
  bool IsTyped(size_t chunk) const { return typed_[chunk].recipe != nullptr; }
  std::string Where(const HeapChunk& chunk) const;

  static constexpr size_t kNone = ~size_t{0};

  const Snapshot& memory_;
  const Program& program_;
  Addr bias_;
  RecipeBook& recipes_;
  const std::vector<HeapChunk>& chunks_;
  ContainerIndex containers_;
  AllocationTypes allocation_types_;
  NodeTypes node_types_;
  TypeId node_ = 0;  // of the container whose links are looked at; 0: none
  VirtualTables virtual_tables_;
  PointeeRules rules_;
  const IndexedArrays* indexed_ = nullptr;
  Regions regions_;
  RegionPieces pieces_;
  std::map<TypeId, std::vector<Part>> parts_;  // by type: where types that change have one
  // As annotations say: no value of these is where only a pointer to one of its fields leads.
  std::set<TypeId> elsewhere_;
  // Where pointers without types point to in blocks.
  struct UntypedPiece {
    Label found_by = nullptr;
    std::vector<Addr> pointers;
  };
  std::map<uint64_t, UntypedPiece> untyped_pieces_;
  Addr pointer_at_;           // of the one that is followed; null: not known
  std::vector<Typed> typed_;  // by chunk; recipe nullptr: it has no type
  std::unordered_map<size_t, UntypedObject> untyped_;
  std::map<std::pair<Addr, const Recipe*>, bool> outside_;
  std::vector<Inner> inner_;
  std::set<size_t> texts_;  // chunks that are a text as a whole, as an annotation says
  std::vector<Likely> likely_;
  std::deque<std::string> labels_;
  std::unordered_map<const Step*, Label> step_labels_;
  std::vector<std::byte> bytes_;  // of the value that is looked at
  Addr bytes_at_;                 // where they are; null: nowhere
  std::deque<Pending> pending_;
  std::vector<GraphProblem> problems_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_TRACER_H_
