// What annotations say about what pointers point to, ready to be asked.
#ifndef MCR_MUTATOR_GRAPH_POINTEE_RULES_H_
#define MCR_MUTATOR_GRAPH_POINTEE_RULES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mutator/debuginfo/program.h"
#include "mutator/transform/recipe_book.h"

namespace mcr::mutator {

// What the integer or pointer field `field` of `value` holds; nullopt: `owner`, its type, has no
// such one, or `value` is too short.
std::optional<uint64_t> NumberIn(std::span<const std::byte> value, const Type& owner,
                                 std::string_view field, const RecipeBook& recipes);

class PointeeRules {
 public:
  // All outlive the rules. `memory`: of the process that is asked about, in which the program has
  // that `bias`.
  PointeeRules(const MemoryReader& memory, const Program& program, Addr bias,
               const RecipeBook& recipes);

  struct Answer {
    TypeId type = 0;  // 0: memory without types or pointers
  };
  // Of the field `field` of `value`, which is of type `owner`. nullopt: no annotation speaks of it,
  // or none of those that do holds.
  std::optional<Answer> OfField(const Type& owner, std::string_view field,
                                std::span<const std::byte> value) const;
  std::optional<Answer> OfVariable(std::string_view name) const;
  // How many values of type `pointee` the field `field` of `value` points to. nullopt: no
  // annotation says it.
  std::optional<uint64_t> CountOf(const Type& owner, std::string_view field,
                                  std::span<const std::byte> value, TypeId pointee) const;

  // What the links of a list lead to.
  struct Listed {
    TypeId type = 0;         // of what is in the list
    uint64_t link = 0;       // the offset of its link
    uint64_t neighbour = 0;  // in a link, that of a pointer to another one
  };
  // If the field `field` of `owner` is a list's head.
  std::optional<Listed> ListAt(const Type& owner, std::string_view field) const;

  // What a container leads to.
  struct Number {
    uint64_t offset = 0, size = 0;  // bytes
  };
  struct Contained {
    TypeId type = 0;             // of the elements
    uint64_t part = 0;           // where in the container what leads to the first of them is
    Number elements, count;      // in such a part
    std::optional<Number> next;  // the same
    std::optional<Number> room;  // in the container
  };
  // If the field `field` of `owner`, of type `type`, is one.
  std::optional<Contained> ContainerAt(const Type& owner, std::string_view field,
                                       TypeId type) const;

 private:
  std::optional<Contained> PartsOf(const profiles::Container& container, TypeId type) const;
  std::optional<Number> NumberAt(std::string_view path, TypeId type) const;
  std::optional<Listed> LinkOf(std::string_view annotated) const;
  const profiles::Pointee::Case* CaseOf(const profiles::Pointee& rule, const Type& owner,
                                        std::span<const std::byte> value) const;

  struct Field {
    TypeId type = 0;
    uint64_t value = 0;
  };
  std::optional<Field> Find(std::string_view path, const Type& owner,
                            std::span<const std::byte> value) const;
  bool IsNumber(const Field& field, const std::string& text) const;
  bool IsFunction(uint64_t word, std::string_view name) const;

  const MemoryReader& memory_;
  const Program& program_;
  Addr bias_;
  const RecipeBook& recipes_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_POINTEE_RULES_H_
