// The recipes between the types of two programs, made when they are asked for.
#ifndef MCR_MUTATOR_TRANSFORM_RECIPE_BOOK_H_
#define MCR_MUTATOR_TRANSFORM_RECIPE_BOOK_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/transform/recipe.h"
#include "profiles/profile.pb.h"

namespace mcr::mutator {

class RecipeBook {
 public:
  // Where a function of the new version is.
  using FindFunction = std::function<std::optional<FileAddr>(const std::string& name)>;

  // The tables outlive the book.
  RecipeBook(const TypeTable& before, const TypeTable& after, profiles::Annotations annotations,
             FindFunction find_function = {});

  // Never fails: what cannot be done is Recipe::problem. Valid as long as the book.
  const Recipe& Get(TypeId before, TypeId after);

  // The new version's type of that name; of pointers, arrays and numbers, one of the same shape.
  // 0: none.
  TypeId Counterpart(TypeId before);

  // The recipe to the counterpart; one with a problem if there is none.
  const Recipe& Get(TypeId before);

  // That of a variable that annotations may speak of: what they call a field is its name there.
  // `is_called` says whether a name is one of the variable's.
  const Recipe& GetVariable(TypeId before, TypeId after,
                            const std::function<bool(const std::string&)>& is_called);

  // That of a field that an annotation says is a container; `annotation` is one of this book's.
  const Recipe& GetContainer(const profiles::Container& annotation, TypeId before, TypeId after);

  // One that nobody else knows of, for as long as the book.
  const Recipe& Keep(Recipe recipe);

  // Whether a value of this type needs more than its pointers translated.
  bool Changes(TypeId before) { return !Get(before).identity; }

  // The old type that an annotation names: "ngx_str_t", "struct item", 0: there is no such type.
  TypeId OldType(std::string_view name) const;
  // Those of a list of them that there are.
  std::set<TypeId> OldTypes(const google::protobuf::RepeatedPtrField<std::string>& names) const;

  // What "3" or "CASE_CLOSED" is as a value of an old type.
  std::optional<int64_t> NumberOf(const Type& type, const std::string& text) const;

  // nullopt: the new version has no function, or not one, of that name.
  std::optional<FileAddr> NewFunction(const std::string& name) const;

  // The structs and unions of the old version of which no value can stay as it is.
  std::vector<TypeId> ChangedTypes();

  const TypeTable& before() const { return before_; }
  const TypeTable& after() const { return after_; }
  const profiles::Annotations& annotations() const { return annotations_; }

  // Whether a type has this name, or is a typedef's of this name.
  static bool IsNamed(const Type& type, std::string_view name);

  // Whether an annotation speaks of this field ("ngx_listening_t.servers") of a type, under any of
  // the type's names.
  static bool IsField(const Type& type, std::string_view field, std::string_view annotated);

 private:
  TypeId FindCounterpart(TypeId before);
  TypeId FindNamed(TypeId before);

  const TypeTable& before_;
  const TypeTable& after_;
  profiles::Annotations annotations_;
  FindFunction find_function_;
  std::map<std::pair<TypeId, TypeId>, std::unique_ptr<Recipe>> recipes_;
  std::vector<std::unique_ptr<Recipe>> kept_;
  std::map<std::tuple<const profiles::Container*, TypeId, TypeId>, const Recipe*> containers_;
  std::map<TypeId, TypeId> counterparts_;
  std::map<std::string, TypeId> shapes_;  // of the new version's types without a name of their own
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_TRANSFORM_RECIPE_BOOK_H_
