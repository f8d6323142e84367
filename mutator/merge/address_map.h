// What an address of the old program is called in the new one.
//
// A pointer is "object + offset", a code pointer "function" or "instruction of identical code"
// (DESIGN §2): the names are looked up in the new program. What has no counterpart there has no
// translation, and the reason says what is missing: never a guess.
#ifndef MCR_MUTATOR_MERGE_ADDRESS_MAP_H_
#define MCR_MUTATOR_MERGE_ADDRESS_MAP_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/code_identity.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/kept_constants.h"
#include "mutator/merge/literal_index.h"
#include "mutator/merge/variable_pairs.h"
#include "mutator/transform/recipe_book.h"
#include "profiles/profile.pb.h"

namespace mcr::mutator {

enum class PointerKind {
  kNone,         // no translation
  kFunction,     // the entry of a function
  kInstruction,  // inside a function whose code is identical
  kVariable,     // a variable, or inside of one
  kLiteral,      // read-only bytes without a name, jump tables among them
  kLayout,  // a place in the file's own structure: header, section or segment boundary, dynamic
            // entry
};

struct Translation {
  PointerKind kind = PointerKind::kNone;
  FileAddr to;
  // Whether the old address is one where pointers of programs point: a function's entry, the start
  // of a variable, of a member of it, of a literal. A word with another address is more likely
  // something else (see process_merge.cc).
  bool exact = false;
  bool inside_text = false;  // exact only because every character of a text is an object
  std::string problem;       // kNone: "`handler` is not in the new version"
};

class AddressMap {
 public:
  AddressMap(std::shared_ptr<const Program> before, std::shared_ptr<const Program> after,
             std::unique_ptr<CodeComparer> comparer, profiles::Annotations annotations = {});

  // Remembers what it has answered: ask before the pause, and the pause pays for a hash lookup
  // only.
  const Translation& Translate(FileAddr old_address);
  // Of a pointer whose type is known: an address may be that of a variable and of its first member,
  // which are not at the same place in the new version.
  Translation Translate(FileAddr old_address, TypeId pointee);

  // For return addresses: a call may be its function's last instruction, so that the address after
  // it belongs to the next function, or to none.
  const Translation& TranslateReturnAddress(FileAddr old_address);

  // Functions that both versions have and that are not the same code. Compares all of them, so that
  // no later question has to.
  std::vector<std::string> ChangedFunctions();

  // Whether the new version has it as it is.
  bool HasSame(const Function& old_function);
  // What becomes of the values of variables and objects.
  RecipeBook& recipes() { return recipes_; }
  // The types of both are known.
  const Recipe& RecipeOf(const Variable& old_variable, const Variable& new_variable);
  KeptConstants& kept_constants() { return kept_; }
  const VariableNames& variable_names() const { return new_variables_; }
  // RecipeBook::ChangedTypes, worked out once.
  const std::vector<TypeId>& changed_types() const { return changed_types_; }

  // "`handler`+0x12", "`.rodata`+0x80", for messages.
  static std::string Name(const Program& program, FileAddr address);

 private:
  Translation Find(FileAddr old_address);
  std::optional<FileAddr> NewFunction(const std::string& name) const;
  const Result<InstructionMap>& Identity(const Function& old_function,
                                         const Function& new_function);
  void LearnJumpTables(const InstructionMap& identical);
  Translation FindFunctionEntry(const Function& old_function) const;
  Translation FindInstruction(const Function& old_function, FileAddr at);
  std::optional<Translation> FindVirtualTable(const Variable& old_variable,
                                              const Variable& variable, FileAddr at);
  Translation FindVariable(const Variable& old_variable, FileAddr at, TypeId pointee);
  std::optional<Translation> FindArrayEnd(const Variable& variable, FileAddr at, TypeId pointee);
  Translation FindLayout(FileAddr at) const;
  Translation FindSymbol(FileAddr at) const;
  Translation FindReturnAddress(FileAddr at);
  bool IsInsideJumpTable(FileAddr at) const;

  std::shared_ptr<const Program> before_;
  std::shared_ptr<const Program> after_;
  std::unique_ptr<CodeComparer> comparer_;
  RecipeBook recipes_;
  LiteralIndex literals_;
  KeptConstants kept_;
  std::unordered_map<std::string, const Function*> new_functions_;
  VariableNames new_variables_;
  std::vector<TypeId> changed_types_;
  std::unordered_map<FileAddr, Result<InstructionMap>> identical_;  // by the old function's entry
  // Of the functions that were compared; 0 for one that is not the same for all who use it.
  std::map<FileAddr, FileAddr> jump_tables_;
  std::unordered_map<FileAddr, Translation> known_;
  std::unordered_map<FileAddr, Translation> known_returns_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_ADDRESS_MAP_H_
