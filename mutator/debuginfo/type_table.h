// The types of a program, from DWARF (version 5, chapter 5), without duplicates.
#ifndef MCR_MUTATOR_DEBUGINFO_TYPE_TABLE_H_
#define MCR_MUTATOR_DEBUGINFO_TYPE_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mcr::mutator {

// Index into a TypeTable; 0 is `void` / unknown.
using TypeId = uint32_t;

enum class TypeKind : uint8_t {
  kVoid,
  kInteger,  // char, bool and enumerations' underlying types included
  kFloat,
  kEnum,
  kPointer,  // references too
  kFunction,
  kStruct,  // classes too
  kUnion,
  kArray,
  kMemberPointer,
};

struct Member {
  std::string name;  // "" for anonymous members; base classes: the class name
  TypeId type = 0;
  uint64_t offset = 0;      // bytes
  uint32_t bit_offset = 0;  // from the start of `offset`'s byte; only if bit_size != 0
  uint32_t bit_size = 0;    // 0: not a bit-field
};

struct Enumerator {
  std::string name;
  int64_t value = 0;
};

struct Type {
  TypeKind kind = TypeKind::kVoid;
  std::string name;             // tag or base type name with its namespace; "" if it has none
  uint64_t size = 0;            // bytes; arrays of unknown extent: 0
  bool is_signed = false;       // integers
  bool is_declaration = false;  // never completed in this program
  TypeId target = 0;            // pointee, element, underlying type, return type
  uint64_t count = 0;           // array elements; multi-dimensional arrays nest
  std::vector<Member> members;  // structs and unions
  std::vector<Enumerator> enumerators;
  std::vector<TypeId> parameters;     // functions
  std::vector<std::string> typedefs;  // other names of structs, unions and enums
};

// Typedefs and qualifiers are resolved; a typedef's name is given to an unnamed struct, union or
// enum.
class TypeTable {
 public:
  TypeTable();
  TypeId Add(Type type);
  void AddTypedef(TypeId id, std::string_view name);
  Type& Edit(TypeId id) { return types_[id]; }
  const Type& operator[](TypeId id) const { return types_[id]; }
  size_t size() const { return types_.size(); }

  // All types of that kind whose name or typedef it is (one per differing definition: C allows two
  // units to disagree).
  std::vector<TypeId> Find(TypeKind kind, std::string_view name) const;

  // The first definition, if there is one, of what a unit may only declare; else `id` itself.
  TypeId Definition(TypeId id) const;

  // "struct str_s", "char *", "int [4]".
  std::string Describe(TypeId id) const;

 private:
  std::vector<Type> types_;
  std::unordered_map<std::string, std::vector<TypeId>> by_name_;  // as each was named when added
};

// A type that both programs name and lay out differently.
struct TypeChange {
  std::string name;  // "struct request_s"
  TypeId before = 0;
  TypeId after = 0;
  std::string difference;  // "field `pool` moved from 88 to 80"
};

// Compares one type of each program by value, through members and arrays; pointees by name only
// (their own definitions are compared where they are named). nullopt: the same layout and meaning.
std::optional<std::string> LayoutDifference(const TypeTable& before, TypeId a,
                                            const TypeTable& after, TypeId b);

// Every named struct, union and enum that both programs complete and that differs.
std::vector<TypeChange> DiffTypes(const TypeTable& before, const TypeTable& after);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_TYPE_TABLE_H_
