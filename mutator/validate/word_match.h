// Whether a word of the new state means what the one in its place meant in the old state: a pointer
// to the same function, variable, text or object, or the same number.
//
// Goes by names and types alone, from the new word back to the old one: it asks neither where the
// merge has put what, nor how it has translated anything.
#ifndef MCR_MUTATOR_VALIDATE_WORD_MATCH_H_
#define MCR_MUTATOR_VALIDATE_WORD_MATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/merge/account.h"
#include "mutator/validate/heap_view.h"
#include "mutator/validate/version_pair.h"

namespace mcr::mutator {

// What is known of a word by its type.
struct WordType {
  const VersionPair* owner = nullptr;  // whose types these are
  TypeId before = 0, after = 0;        // of what it points to
  bool is_pointer = false;             // false: nobody knows
};

struct WordVerdict {
  enum class Target : uint8_t { kNone, kData, kCode };
  Target target = Target::kNone;  // of the old word
  std::string wrong;              // what the new one points to instead; "": it is right
  bool ok() const { return wrong.empty(); }
};

class WordMatch {
 public:
  // All outlive this. `versions` by Account::Module::index; `before` and `after`: the memory of the
  // old and the new state, at their own addresses.
  WordMatch(const Account& account, std::span<const std::unique_ptr<VersionPair>> versions,
            const MemoryReader& before, const MemoryReader& after, const HeapView& heap);

  WordVerdict Check(uint64_t before, uint64_t after, const WordType& type) const;
  // Of a word that the kernel keeps for the program: with flags, if it is the address of a value
  // with a new layout but for its lowest bits.
  WordVerdict CheckKept(uint64_t before, uint64_t after) const;
  // Of a word that a call has pushed.
  WordVerdict CheckReturn(uint64_t before, uint64_t after) const;

  // The object with a new layout whose old memory holds `at`, its end included if nothing else can
  // begin there; nullptr: none.
  const Account::Object* ObjectOf(uint64_t at) const;
  // `object` is the account's.
  const LayoutMatch& LayoutOf(const Account::Object& object) const {
    return *layouts_[static_cast<size_t>(&object - account_.objects.data())];
  }
  const VersionPair& VersionOf(const Account::Module& module) const {
    return *versions_[module.index];
  }
  const Account& account() const { return account_; }
  const HeapView& heap() const { return heap_; }

 private:
  void FindLayouts();
  const Account::Module* ModuleOf(uint64_t before) const;
  WordVerdict CheckAddress(uint64_t before, uint64_t after, const WordType& type) const;
  WordVerdict InModule(const Account::Module& module, uint64_t before, uint64_t after,
                       const WordType& type) const;
  bool InFunction(const VersionPair& versions, const Function& function, FileAddr before,
                  FileAddr after, const WordType& type, std::string& wrong) const;
  bool InVariable(const VersionPair& versions, const Variable& variable, FileAddr before,
                  FileAddr after, const WordType& type) const;
  bool IsCopied(const VersionPair& versions, FileAddr before_file, uint64_t before,
                uint64_t after) const;
  bool SameText(const VersionPair& versions, FileAddr before, uint64_t after) const;
  WordVerdict InObject(const Account::Object& object, uint64_t before, uint64_t after,
                       const WordType& type) const;
  std::optional<WordVerdict> InRun(uint64_t before, uint64_t after) const;
  WordVerdict Elsewhere(uint64_t before, uint64_t after, const WordType& type) const;

  const Account& account_;
  std::span<const std::unique_ptr<VersionPair>> versions_;
  const MemoryReader& before_;
  const MemoryReader& after_;
  const HeapView& heap_;
  std::vector<const LayoutMatch*> layouts_;  // of the account's objects
  std::vector<uint64_t> tag_masks_;          // of what may be an address with flags in it
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_WORD_MATCH_H_
