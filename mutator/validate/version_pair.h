// Both versions of a module as validation sees them: which variables and functions are the same
// thing, by name. Made before the pause; shares no table with the merge.
#ifndef MCR_MUTATOR_VALIDATE_VERSION_PAIR_H_
#define MCR_MUTATOR_VALIDATE_VERSION_PAIR_H_

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/program.h"
#include "mutator/validate/layout_match.h"
#include "profiles/profile.pb.h"

namespace mcr::mutator {

// A variable that both versions have in memory that stays writable.
struct ComparedVariable {
  const Variable* before = nullptr;
  const Variable* after = nullptr;
  const LayoutMatch* layout = nullptr;  // nullptr: the type is not known in both
  std::string title;                    // "variable `head`"
};

class VersionPair {
 public:
  VersionPair(std::shared_ptr<const Program> before, std::shared_ptr<const Program> after,
              profiles::Annotations annotations);
  VersionPair(const VersionPair&) = delete;
  VersionPair& operator=(const VersionPair&) = delete;

  const Program& before() const { return *before_; }
  const Program& after() const { return *after_; }
  const LayoutMatcher& layouts() const { return layouts_; }
  const std::vector<ComparedVariable>& variables() const { return variables_; }

  // Of a variable of before(); nullptr: the new version has none of that name.
  const Variable* Counterpart(const Variable& old_variable) const;
  // Whether a symbol or function that begins at `before` has the name of one that begins at
  // `after`.
  bool SameName(FileAddr before, FileAddr after) const;

 private:
  using Names = std::unordered_multimap<FileAddr, std::string_view>;

  const Variable* FindCounterpart(const Variable& old_variable) const;
  const LayoutMatch* LayoutOf(const Variable& before, const Variable& after) const;

  std::shared_ptr<const Program> before_;
  std::shared_ptr<const Program> after_;
  profiles::Annotations annotations_;
  LayoutMatcher layouts_;
  std::unordered_map<std::string, const Variable*> new_variables_;
  std::unordered_map<const Variable*, const Variable*> counterparts_;
  Names before_names_, after_names_;
  std::vector<ComparedVariable> variables_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_VERSION_PAIR_H_
