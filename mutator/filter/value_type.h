// What the values in a state filter are.
#ifndef MCR_MUTATOR_FILTER_VALUE_TYPE_H_
#define MCR_MUTATOR_FILTER_VALUE_TYPE_H_

#include <cstdint>
#include <string>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

struct ValueType {
  enum class Kind : uint8_t {
    kInteger,
    kPointer,
    kArray,
    kRecord,
    kText,
    kFunction,
    kFloat,
    kVoid
  };
  Kind kind = Kind::kInteger;
  bool is_signed = true;
  uint64_t size = 8;
  const TypeTable* types = nullptr;  // what the ids are of; nullptr: a number without a type
  TypeId id = 0;                     // 0: computed
  TypeId target = 0;                 // pointee or element
  uint64_t count = 0;                // elements; 0: not known

  bool is_scalar() const {
    return kind == Kind::kInteger || kind == Kind::kPointer || kind == Kind::kArray ||
           kind == Kind::kFunction;
  }
};

// "struct item", "char *".
std::string Describe(const ValueType& type);
ValueType TypeOf(const TypeTable& types, TypeId id);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_VALUE_TYPE_H_
