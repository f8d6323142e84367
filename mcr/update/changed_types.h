// Old and new layout of the types that changed, side by side: for plans and reports.
#ifndef MCR_UPDATE_CHANGED_TYPES_H_
#define MCR_UPDATE_CHANGED_TYPES_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mutator/debuginfo/type_table.h"

namespace mcr::update {

// Where a member is in one version of its type; of an enumeration's member, its value.
struct FieldPlace {
  uint64_t offset = 0;  // bytes
  uint64_t size = 0;    // bytes
  uint32_t bit_offset = 0, bit_size = 0;
  std::string type;
  int64_t value = 0;
  bool operator==(const FieldPlace&) const = default;
};

// One member, paired by name; missing on the side that does not have it.
struct ChangedField {
  std::string name;  // "" for an anonymous member
  std::optional<FieldPlace> before, after;
};

struct ChangedType {
  std::string name;        // "struct request_s"
  std::string difference;  // the first one, in words
  bool is_enum = false;
  uint64_t size_before = 0, size_after = 0;  // bytes
  std::vector<ChangedField> fields;  // in the new order, dropped ones where they were before
};

std::vector<ChangedType> DescribeChangedTypes(const mutator::TypeTable& before,
                                              const mutator::TypeTable& after,
                                              const std::vector<mutator::TypeChange>& changes);

nlohmann::ordered_json ToJson(const std::vector<ChangedType>& types);
// Lines of two columns; runs of fields that did not change, or all moved alike, are one line.
std::string ToText(const ChangedType& type);

}  // namespace mcr::update

#endif  // MCR_UPDATE_CHANGED_TYPES_H_
