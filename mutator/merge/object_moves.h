// The objects whose types change: where each goes, and what it becomes there (DESIGN §4,
// "Placement").
//
// An object stays where it is if it fits its allocation; otherwise it gets a new one from the
// process's own allocator, and the old one is given back at commit: to malloc, since a region takes
// nothing back before it goes as a whole.
#ifndef MCR_MUTATOR_MERGE_OBJECT_MOVES_H_
#define MCR_MUTATOR_MERGE_OBJECT_MOVES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/object_graph.h"
#include "mutator/merge/relaid_memory.h"

namespace mcr::mutator {

struct ObjectMove {
  const Object* object = nullptr;
  Addr to;               // a placeholder if the object moves (checkpoint::Allocation)
  uint64_t to_size = 0;  // bytes of all its values in the new version
  bool moves = false;
  const std::string* type_name = nullptr;  // "struct item"; lives with the moves
};

// Not canonical: no process has memory here.
inline constexpr Addr kFirstPlaceholder(uint64_t{0x7000} << 48);

// Whether a word is an address within an allocation that is yet to be made.
bool IsPlaceholder(uint64_t word);

class ObjectMoves {
 public:
  ObjectMoves() = default;
  // `graph` and `types` outlive the moves; `types` are those of its objects. Objects that only have
  // pointers to translate are left out. `bias`: of the old version in the process. Objects in
  // memory that `relaid` holds are not reshaped: that moves as a whole. Its copies get their
  // placeholders. `relaid`: nullptr, or outlives the moves.
  ObjectMoves(const ObjectGraph& graph, const TypeTable& types, Addr bias, RelaidMemory* relaid);

  const std::vector<ObjectMove>& all() const { return moves_; }  // by old address
  bool empty() const { return moves_.empty() && blocks_.empty(); }
  const RelaidMemory* relaid() const { return relaid_; }
  // From the first to behind the last: what is not in here needs no further question.
  Range<Addr> hull() const { return hull_; }

  // The one whose old memory holds `at`; or what stands for memory that is laid out anew.
  const ObjectMove* Find(Addr at) const;

  struct Landing {
    const ObjectMove* move = nullptr;  // nullptr: the word points to no object of a changed type
    std::optional<uint64_t> to;        // nullopt: what it points to is not in the new type
    bool may_be_end = false;           // or it may be the end of what is before
  };
  // `pointee` as MapOffset (recipe.h).
  Landing Translate(uint64_t word, TypeId pointee) const;

  // The first placeholder behind those of the moves.
  Addr free_placeholder() const { return free_placeholder_; }
  // The one behind that of an allocation of `size` bytes.
  static Addr PlaceholderAfter(Addr placeholder, uint64_t size);

  // What the process's allocator is to be asked for, and what it gets back.
  void AddTo(checkpoint::ProcessGraft& graft) const;

 private:
  Landing BehindEnd(Addr at, TypeId pointee) const;
  const ObjectMove* FindObject(Addr at) const;
  const ObjectMove* FindBlock(Addr at) const;
  void AddBlocks();
  bool MayBeEnd(const Object& object, TypeId pointee) const;
  bool IsNowhere(const Recipe& recipe, uint64_t offset) const;

  const TypeTable* types_ = nullptr;
  std::vector<ObjectMove> moves_;
  RelaidMemory* relaid_ = nullptr;
  std::vector<Object> block_memory_;
  std::vector<ObjectMove> blocks_;  // stand for those of relaid_
  std::map<TypeId, std::string> type_names_;
  Range<Addr> hull_;
  Addr bias_;
  Addr free_placeholder_ = kFirstPlaceholder;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_OBJECT_MOVES_H_
