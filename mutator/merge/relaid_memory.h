// Memory of one live process that the new version's start lays out otherwise as a whole, and that
// nobody has touched since the old version's start: it is to be as the new version's start leaves
// it (DESIGN §3, "Derived state"), whatever types are in there.
//
// The new version's memory is made anew beside the old one, which nothing leads to any more. Of
// the old one stays, where it is, what the server has changed and what has a type: the objects
// that the new version's pointers have to lead to (typed_objects.h). If it has changed something
// else, nothing is laid out anew of what leads there.
#ifndef MCR_MUTATOR_MERGE_RELAID_MEMORY_H_
#define MCR_MUTATOR_MERGE_RELAID_MEMORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/chunk_pairing.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/object_graph.h"
#include "mutator/graph/same_word.h"
#include "mutator/graph/snapshot.h"
#include "mutator/merge/account.h"
#include "mutator/merge/base.h"
#include "mutator/merge/start_heap.h"

namespace mcr::mutator {

class RelaidMemory {
 public:
  struct Context {
    const Snapshot& live;
    const std::vector<HeapChunk>& live_chunks;
    const ObjectGraph& graph;  // of `live`
    const StartHeap& heap;
    const Base& base;
  };
  // All that the context refers to outlives the result.
  static std::unique_ptr<RelaidMemory> Find(const Context& context);

  // Whether the new version's start says what is there instead. `at`: in the live process.
  bool Holds(Addr at) const;
  const std::vector<ChunkPair>& blocks() const { return blocks_; }  // by address
  // Words of the live process that the server has changed, and of which nothing says what they are,
  // so that nothing is laid out anew of what leads there: the first one of each such memory.
  const std::vector<Addr>& unexplained() const { return unexplained_; }
  // Whether it is right as it is, whatever types are in there: nobody has touched it since the old
  // version's start, and the new one's leaves the same, or nothing that the server has changed
  // since leads there.
  bool IsSettled(const UntypedObject& object);
  // Whether the word at `at` is a pointer that the old version's start has left there when what it
  // points to had been given back: what is there now is something else.
  bool Dangles(Addr at) const;
  // Whether both sides of it, as far as they are, are laid out anew.
  bool Replaces(const StartHeap::OtherMemory& other) const;

  // An allocation of the new version's start that takes the place of those of the old one's.
  struct Copy {
    Range<Addr> next;
    bool in_place = false;
    Addr to = {};  // where it is if that is in place; else a placeholder, given later
  };
  std::vector<Copy>& copies() { return copies_; }
  const std::vector<Copy>& copies() const { return copies_; }
  // Where what is at `at` will be. nullopt: that is not known.
  std::optional<Addr> Translate(Addr at) const;
  // Whether the word at `at`, wherever that is in the heap, is one that the old version's start has
  // left there.
  bool IsLeftOver(Addr at, uint64_t word) const;

  // An object that stays, and its counterpart in the new version's start.
  struct Kept {
    Range<Addr> live, next;
  };
  const Kept* KeptAt(Addr next) const;
  // The word of the live process that is to be in the place of the new version's at `next`;
  // nullopt: that one stays.
  std::optional<uint64_t> LiveWord(Addr next) const;

  // What validation is told of it.
  void AddTo(Account& account) const;

 private:
  explicit RelaidMemory(const Context& context)
      : context_(context),
        base_(*context.base.start.image),
        again_(*context.base.again.image),
        live_words_(context.live.image()),
        base_words_(base_.image()),
        again_words_(again_.image()) {}

  void Judge();
  void JudgeGroup(const StartAlignment::Group& group);
  const HeapChunk* SameBlock(Range<Addr> in_base) const;
  struct Changes {
    std::set<Addr> touched, noise;  // words of the live process
  };
  Changes ChangesOf(const ChunkPair& block) const;
  void FindDoubtful();
  void Expand(Range<Addr> memory, std::vector<const HeapChunk*>& found);
  bool ReshapedCorrespond(const ChunkPair& block) const;
  std::optional<Kept> Keep(const Object& object, const ChunkPair& block) const;
  const ChunkPair* BlockOf(Addr at, Range<Addr> ChunkPair::* side) const;
  bool IsKept(Addr at) const;
  const Copy* CopyOf(Addr next) const;
  std::optional<Addr> InNext(Addr base) const;
  bool IsText(Addr at) const;
  std::vector<Range<Addr>> Untouched() const;
  std::vector<Account::Run> Runs() const;

  Context context_;
  Snapshot base_, again_;
  WordsOf live_words_, base_words_, again_words_;
  std::vector<ChunkPair> pairs_;  // with the base
  std::vector<ChunkPair> blocks_;
  // Where those of them begin that are written over; in which nothing but values changes then.
  std::set<Addr> rewritten_, in_place_;
  std::vector<Copy> copies_;  // by `next`
  std::vector<Kept> kept_;
  std::vector<Addr> unexplained_;
  // Where allocations begin that are as the old version's start left them, and those of them that
  // memory may lead to that the server has changed. Worked out when they are asked for: this goes
  // through the whole heap.
  std::set<Addr> untouched_, doubtful_;
  bool doubtful_known_ = false;
  std::set<Addr> noise_;  // words that no two starts agree about: they stay the live process's
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_RELAID_MEMORY_H_
