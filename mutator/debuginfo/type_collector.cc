#include "mutator/debuginfo/type_collector.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/Support/DataExtractor.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "mutator/debuginfo/die.h"
#include "mutator/debuginfo/raw_storage.h"

namespace mcr::mutator {
namespace {

using llvm::DWARFDie;
namespace dwarf = llvm::dwarf;

constexpr size_t kMostDimensions = 16;  // of one array
constexpr uint64_t kPointerSize = 8;    // bytes, x86-64

bool IsTagged(dwarf::Tag tag) {
  return tag == dwarf::DW_TAG_structure_type || tag == dwarf::DW_TAG_class_type ||
         tag == dwarf::DW_TAG_union_type || tag == dwarf::DW_TAG_enumeration_type;
}

TypeKind KindOf(dwarf::Tag tag) {
  switch (tag) {
    case dwarf::DW_TAG_base_type:
      return TypeKind::kInteger;
    case dwarf::DW_TAG_enumeration_type:
      return TypeKind::kEnum;
    case dwarf::DW_TAG_pointer_type:
    case dwarf::DW_TAG_reference_type:
    case dwarf::DW_TAG_rvalue_reference_type:
      return TypeKind::kPointer;
    case dwarf::DW_TAG_subroutine_type:
    case dwarf::DW_TAG_subprogram:
      return TypeKind::kFunction;
    case dwarf::DW_TAG_structure_type:
    case dwarf::DW_TAG_class_type:
      return TypeKind::kStruct;
    case dwarf::DW_TAG_union_type:
      return TypeKind::kUnion;
    case dwarf::DW_TAG_array_type:
      return TypeKind::kArray;
    case dwarf::DW_TAG_ptr_to_member_type:
      return TypeKind::kMemberPointer;
    default:
      return TypeKind::kVoid;
  }
}

// DW_AT_data_member_location: a constant, or in old DWARF the expression "add this constant".
uint64_t MemberLocation(const DWARFDie& die) {
  if (const auto offset = Unsigned(die, dwarf::DW_AT_data_member_location)) return *offset;
  const auto value = die.find(dwarf::DW_AT_data_member_location);
  const auto block = value ? value->getAsBlock() : std::nullopt;
  if (!block || block->empty() || block->front() != dwarf::DW_OP_plus_uconst) return 0;
  const llvm::DataExtractor data(*block, /*IsLittleEndian=*/true, /*AddressSize=*/8);
  uint64_t position = 1;
  return data.getULEB128(&position);
}

// Bit-fields: DWARF 4's offset counts from the start of the struct; DWARF 2's from the most
// significant bit of the storage unit.
void PlaceBits(const DWARFDie& die, uint64_t storage_size, TypeGraph::Edge& edge) {
  const auto size = Unsigned(die, dwarf::DW_AT_bit_size);
  if (!size || *size > 128) return;
  edge.bit_size = static_cast<uint32_t>(*size);
  uint64_t bits = edge.offset * 8;
  if (const auto offset = Unsigned(die, dwarf::DW_AT_data_bit_offset)) {
    bits = *offset;
  } else if (const auto from_top = Unsigned(die, dwarf::DW_AT_bit_offset)) {
    bits += storage_size * 8 - *from_top - *size;
  }
  edge.offset = bits / 8;
  edge.bit_offset = static_cast<uint32_t>(bits % 8);
}

// 0 for an unknown or variable extent.
uint64_t ExtentOf(const DWARFDie& subrange) {
  if (const auto count = Unsigned(subrange, dwarf::DW_AT_count)) return *count;
  const auto upper = Unsigned(subrange, dwarf::DW_AT_upper_bound);
  return upper ? *upper + 1 : 0;  // upper bound -1: zero elements
}

}  // namespace

void TypeCollector::NoteTypedef(const DWARFDie& die) {
  const DWARFDie target = Unaliased(die);
  const std::string_view name = Name(die);
  if (!target || !IsTagged(target.getTag()) || name.empty()) return;
  graph_.typedefs.push_back({name, NodeOf(target)});
  // An unnamed type goes by the typedef that it was defined with, not by a typedef of that.
  const bool direct = die.getAttributeValueAsReferencedDie(dwarf::DW_AT_type) == target;
  if (direct && Name(target).empty()) {
    typedef_names_.try_emplace(target.getDebugInfoEntry(), name.data());
  }
}

NodeId TypeCollector::NodeOf(const DWARFDie& die) {
  const DWARFDie type = Unaliased(die);
  if (!type || KindOf(type.getTag()) == TypeKind::kVoid) return 0;
  const auto [found, is_new] =
      ids_.try_emplace(type.getDebugInfoEntry(), static_cast<NodeId>(graph_.nodes.size()));
  if (is_new) {
    graph_.nodes.push_back(TypeGraph::Node{.kind = KindOf(type.getTag())});
    pending_.push_back(Pending{found->second, type});
  }
  return found->second;
}

NodeId TypeCollector::TypeOf(const DWARFDie& die) {
  return NodeOf(die.getAttributeValueAsReferencedDie(dwarf::DW_AT_type));
}

TypeGraph TypeCollector::Finish() {
  while (!pending_.empty()) {
    const Pending next = pending_.back();
    pending_.pop_back();
    Fill(next.node, next.die);
  }
  return std::move(graph_);
}

// graph_.nodes may grow, and so move, whenever a node is asked for: no reference is held across
// NodeOf.
void TypeCollector::Fill(NodeId id, const DWARFDie& die) {
  switch (graph_.nodes[id].kind) {
    case TypeKind::kInteger:
      return FillBase(graph_.nodes[id], die);
    case TypeKind::kStruct:
    case TypeKind::kUnion:
      return FillRecord(id, die);
    case TypeKind::kEnum:
      return FillEnum(id, die);
    case TypeKind::kFunction:
      return FillFunction(id, die);
    case TypeKind::kArray:
      return FillArray(id, die);
    default:
      break;
  }
  const NodeId target = TypeOf(die);
  graph_.nodes[id].target = target;
  graph_.nodes[id].size = kPointerSize;
  // A pointer to a member function is an address and an adjustment (Itanium C++ ABI 2.3).
  if (graph_.nodes[id].kind == TypeKind::kMemberPointer &&
      graph_.nodes[target].kind == TypeKind::kFunction) {
    graph_.nodes[id].size = 2 * kPointerSize;
  }
}

void TypeCollector::FillBase(TypeGraph::Node& node, const DWARFDie& die) {
  node.name = Name(die);
  node.size = Unsigned(die, dwarf::DW_AT_byte_size).value_or(0);
  switch (Unsigned(die, dwarf::DW_AT_encoding).value_or(0)) {
    case dwarf::DW_ATE_signed:
    case dwarf::DW_ATE_signed_char:
    case dwarf::DW_ATE_signed_fixed:
      node.is_signed = true;
      break;
    case dwarf::DW_ATE_float:
    case dwarf::DW_ATE_complex_float:
    case dwarf::DW_ATE_imaginary_float:
    case dwarf::DW_ATE_decimal_float:
      node.kind = TypeKind::kFloat;
      break;
    default:
      break;
  }
}

std::string_view TypeCollector::TagName(const DWARFDie& die) {
  std::string_view name = Name(die);
  if (name.empty()) {
    const char* typedef_name = typedef_names_.lookup(die.getDebugInfoEntry());
    if (typedef_name == nullptr) return {};
    name = typedef_name;
  }
  const std::string prefix = ScopePrefix(die);
  if (prefix.empty()) return name;
  return graph_.names.emplace_back(prefix + std::string(name));
}

void TypeCollector::FillRecord(NodeId id, const DWARFDie& die) {
  const std::string_view name = TagName(die);
  const DWARFDie stored = ReadRawStorage(die);
  const auto first = static_cast<uint32_t>(graph_.edges.size());
  if (stored) AddStored(stored);
  if (die.find(dwarf::DW_AT_containing_type)) NoteLinkageName(id, die);
  for (const DWARFDie child : die.children()) {
    const dwarf::Tag tag = child.getTag();
    if (stored) break;
    if (tag == dwarf::DW_TAG_member || tag == dwarf::DW_TAG_inheritance) AddMember(child);
  }
  TypeGraph::Node& node = graph_.nodes[id];
  node.name = name;
  node.size = Unsigned(die, dwarf::DW_AT_byte_size).value_or(0);
  node.is_declaration = Flag(die, dwarf::DW_AT_declaration);
  node.first_edge = first;
  node.edge_count = static_cast<uint32_t>(graph_.edges.size()) - first;
}

// Symbols call a class by another name than debug information where it is an instance of a
// template: its virtual functions' symbols tell.
void TypeCollector::NoteLinkageName(NodeId id, const DWARFDie& die) {
  for (const DWARFDie child : die.children()) {
    if (child.getTag() != dwarf::DW_TAG_subprogram) continue;
    const char* symbol = child.getLinkageName();
    llvm::ItaniumPartialDemangler demangler;
    if (symbol == nullptr || demangler.partialDemangle(symbol)) continue;
    char* scope = demangler.getFunctionDeclContextName(nullptr, nullptr);
    if (scope == nullptr) continue;
    graph_.typedefs.push_back({graph_.names.emplace_back(scope), id});
    std::free(scope);
    return;
  }
}

// Raw storage counts as the value that it is for.
void TypeCollector::AddStored(const DWARFDie& type) {
  const NodeId target = NodeOf(type);
  graph_.edges.push_back(TypeGraph::Edge{.name = "value", .target = target});
}

void TypeCollector::AddMember(const DWARFDie& die) {
  // C++ static members are variables, whatever DWARF 4 calls them.
  if (Flag(die, dwarf::DW_AT_external) || Flag(die, dwarf::DW_AT_declaration)) return;
  TypeGraph::Edge edge{.name = Name(die), .target = TypeOf(die), .offset = MemberLocation(die)};
  const DWARFDie type = Unaliased(die.getAttributeValueAsReferencedDie(dwarf::DW_AT_type));
  if (die.getTag() == dwarf::DW_TAG_inheritance && type) edge.name = Name(type);
  const auto own_size = Unsigned(die, dwarf::DW_AT_byte_size);
  const auto type_size = type ? Unsigned(type, dwarf::DW_AT_byte_size) : std::nullopt;
  PlaceBits(die, own_size.value_or(type_size.value_or(0)), edge);
  graph_.edges.push_back(edge);
}

void TypeCollector::FillEnum(NodeId id, const DWARFDie& die) {
  const auto first = static_cast<uint32_t>(graph_.constants.size());
  for (const DWARFDie child : die.children()) {
    if (child.getTag() != dwarf::DW_TAG_enumerator) continue;
    const auto value = child.find(dwarf::DW_AT_const_value);
    const int64_t number = value ? value->getAsSignedConstant().value_or(static_cast<int64_t>(
                                       value->getAsUnsignedConstant().value_or(0)))
                                 : 0;
    graph_.constants.push_back({Name(child), number});
  }
  const std::string_view name = TagName(die);
  const NodeId target = TypeOf(die);
  TypeGraph::Node& node = graph_.nodes[id];
  node.name = name;
  node.target = target;
  node.size = Unsigned(die, dwarf::DW_AT_byte_size).value_or(0);
  node.is_signed = Unsigned(die, dwarf::DW_AT_encoding).value_or(0) == dwarf::DW_ATE_signed;
  node.is_declaration = Flag(die, dwarf::DW_AT_declaration);
  node.first_constant = first;
  node.constant_count = static_cast<uint32_t>(graph_.constants.size()) - first;
}

void TypeCollector::FillFunction(NodeId id, const DWARFDie& die) {
  const NodeId result = TypeOf(die);
  const auto first = static_cast<uint32_t>(graph_.edges.size());
  for (const DWARFDie child : die.children()) {
    if (child.getTag() != dwarf::DW_TAG_formal_parameter) continue;
    const NodeId parameter = TypeOf(child);
    graph_.edges.push_back(TypeGraph::Edge{.target = parameter});
  }
  TypeGraph::Node& node = graph_.nodes[id];
  node.target = result;
  node.first_edge = first;
  node.edge_count = static_cast<uint32_t>(graph_.edges.size()) - first;
}

void TypeCollector::FillArray(NodeId id, const DWARFDie& die) {
  std::vector<uint64_t> extents;
  for (const DWARFDie child : die.children()) {
    if (child.getTag() != dwarf::DW_TAG_subrange_type || extents.size() == kMostDimensions)
      continue;
    extents.push_back(ExtentOf(child));
  }
  if (extents.empty()) extents.push_back(0);
  NodeId element = TypeOf(die);
  // The last dimension is the innermost array.
  for (; extents.size() > 1; extents.pop_back()) {
    const auto inner = static_cast<NodeId>(graph_.nodes.size());
    graph_.nodes.push_back(
        TypeGraph::Node{.kind = TypeKind::kArray, .count = extents.back(), .target = element});
    element = inner;
  }
  graph_.nodes[id].count = extents.back();
  graph_.nodes[id].target = element;
}

}  // namespace mcr::mutator
