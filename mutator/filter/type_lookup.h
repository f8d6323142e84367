// Types by what they are called in a state filter, and what is in them.
#ifndef MCR_MUTATOR_FILTER_TYPE_LOOKUP_H_
#define MCR_MUTATOR_FILTER_TYPE_LOOKUP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "mcr/base/result.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/filter/syntax.h"
#include "mutator/filter/value_type.h"

namespace mcr::mutator {

struct FoundMember {
  const Member* member = nullptr;
  uint64_t offset = 0;  // from the start of the outermost record
};

// Also in what has no name, and in base classes.
std::optional<FoundMember> FindMember(const TypeTable& types, TypeId record,
                                      const std::string& name);

// An integer, or a pointer to a type of the table.
Result<ValueType> TypeNamed(const TypeName& wanted, const TypeTable& types);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_TYPE_LOOKUP_H_
