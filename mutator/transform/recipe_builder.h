// Makes one recipe.
#ifndef MCR_MUTATOR_TRANSFORM_RECIPE_BUILDER_H_
#define MCR_MUTATOR_TRANSFORM_RECIPE_BUILDER_H_

#include <optional>
#include <string>

#include "mutator/debuginfo/type_table.h"
#include "mutator/transform/recipe.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {

class RecipeBuilder {
 public:
  explicit RecipeBuilder(RecipeBook& book)
      : book_(book), before_(book.before()), after_(book.after()) {}

  Recipe Build(TypeId before, TypeId after);
  // Of a field that is a container.
  Recipe BuildContainer(const profiles::Container& annotation, TypeId before, TypeId after);
  // Of a variable that holds an address with flags.
  Recipe BuildTagged(const profiles::TaggedPointer& annotation, TypeId before, TypeId after);

 private:
  void Add(const Member& from, const Member& to, Recipe& recipe);
  void AddZero(const Member& from, Recipe& recipe);
  void AddInitial(const Member& to, Recipe& recipe);
  std::optional<Step> InitialStep(const Member& to, const std::string& value) const;
  void AddValue(TypeId before, TypeId after, Step step, Recipe& recipe);
  std::optional<uint64_t> FirstOf(const std::string& field) const;
  bool AddTagged(Step step, Recipe& recipe);
  bool AddAddress(const profiles::TaggedPointer& annotation, Step step, Recipe& recipe);
  bool AddCopy(Step step, Recipe& recipe);
  bool AddSizeOf(Step step, Recipe& recipe);
  bool FollowSize(TypeId element, TypeId counterpart, Step& step) const;
  TypeId ElementOf(const std::string& annotated) const;
  void AddBits(const Member& from, const Member& to, Step step, Recipe& recipe);
  void AddEnum(TypeId before, TypeId after, Step step, Recipe& recipe);
  void AddArray(TypeId before, TypeId after, Step step, Recipe& recipe);
  void AddUnion(TypeId before, TypeId after, Step step, Recipe& recipe);
  void AddNested(const Recipe& element, Step step, Recipe& recipe);
  void AddRecord(Recipe& recipe);
  void AddFlexible(const Member& from, const Member& to, Recipe& recipe);
  bool SameUnion(const Type& before, const Type& after);
  // The discriminated cases of a union that an annotation speaks of; false: none does.
  bool AddCases(const Type& before, const Type& after, Step step, Recipe& recipe);
  bool IsDroppedWhileZero(const Type& owner, const Member& from, const Member& to) const;
  const Member* Counterpart(const Type& owner, size_t index, const Type& in) const;
  std::string RenamedField(const Type& owner, const std::string& field) const;
  std::string NameOf(const Step& step) const;  // "field `owner.x`: ", "" if it has no name
  static void Problem(Recipe& recipe, std::string what);

  RecipeBook& book_;
  const TypeTable& before_;
  const TypeTable& after_;
  TypeId owner_ = 0;  // the struct whose fields are being added
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_TRANSFORM_RECIPE_BUILDER_H_
