#include "mutator/graph/node_types.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

namespace mcr::mutator {
namespace {

// A class template that is linked to nodes, and which of its arguments is the value of these.
struct Linked {
  std::string_view name;
  size_t argument;
  std::string_view node;
};
constexpr Linked kLinked[] = {
    {"std::_Rb_tree<", 1, "std::_Rb_tree_node<"},
    {"std::_Rb_tree_node<", 0, "std::_Rb_tree_node<"},
    {"std::__cxx11::_List_base<", 0, "std::_List_node<"},
    {"std::_List_node<", 0, "std::_List_node<"},
    {"std::_Fwd_list_base<", 0, "std::_Fwd_list_node<"},
    {"std::_Fwd_list_node<", 0, "std::_Fwd_list_node<"},
    {"std::_Hashtable<", 1, "std::__detail::_Hash_node<"},
    {"std::__detail::_Hash_node<", 0, "std::__detail::_Hash_node<"},
};
constexpr std::string_view kBases[] = {"std::_Rb_tree_node_base", "std::__detail::_List_node_base",
                                       "std::_Fwd_list_node_base",
                                       "std::__detail::_Hash_node_base"};
// Between a container and its links.
constexpr std::string_view kInner[] = {"std::_Rb_tree_header", "std::__detail::_List_node_header"};
constexpr std::string_view kInnerClasses[] = {"::_Rb_tree_impl", "::_List_impl",
                                              "::_Fwd_list_impl"};

// "std::pair<int const, Item>" of "std::_Rb_tree<int, std::pair<int const, Item>, …>"; nullopt:
// that is not one class template with its arguments.
std::optional<std::string_view> Argument(std::string_view arguments, size_t wanted) {
  size_t begin = 0, depth = 0;
  for (size_t at = 0; at < arguments.size(); ++at) {
    const char c = arguments[at];
    if (c == '<' || c == '(') ++depth;
    const bool ends = depth == 0 && (c == ',' || c == '>');
    if (ends && wanted == 0) {
      std::string_view found = arguments.substr(begin, at - begin);
      while (found.ends_with(' ')) found.remove_suffix(1);
      return found;
    }
    if (ends && c == '>') return std::nullopt;
    if (ends) {
      --wanted;
      begin = arguments.find_first_not_of(' ', at + 1);
      if (begin == std::string_view::npos) return std::nullopt;
    }
    if (c == '>' || c == ')') --depth;
  }
  return std::nullopt;
}

// Whether `name` is "PREFIX…>" and nothing behind it: not a class within the class.
bool IsInstance(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || !name.ends_with('>')) return false;
  int depth = 0;
  for (size_t at = prefix.size() - 1; at < name.size(); ++at) {
    if (name[at] == '<') ++depth;
    if (name[at] == '>' && --depth == 0) return at + 1 == name.size();
  }
  return false;
}

TypeId FindStruct(const TypeTable& types, const std::string& name) {
  for (const TypeId id : types.Find(TypeKind::kStruct, name)) {
    if (!types[id].is_declaration) return id;
  }
  return 0;
}

// The node of that value, if there is exactly one: hash tables have two, with and without the hash.
TypeId FindNode(const TypeTable& types, std::string_view node, std::string_view value) {
  const std::string begin = std::string(node) + std::string(value);
  const bool nested = value.ends_with('>');
  TypeId found = 0;
  for (const char* end : {nested ? " >" : ">", ", true>", ", false>"}) {
    const TypeId type = FindStruct(types, begin + end);
    if (type != 0 && found != 0) return 0;
    if (type != 0) found = type;
  }
  return found;
}

}  // namespace

NodeTypes::NodeTypes(const TypeTable& types) : types_(types), roles_(types.size()) {
  for (TypeId id = 1; id < types.size(); ++id) {
    if (types[id].kind == TypeKind::kStruct) roles_[id] = RoleOf(types[id].name);
  }
}

NodeTypes::Role NodeTypes::RoleOf(std::string_view name) const {
  Role role;
  role.is_base = std::ranges::find(kBases, name) != std::end(kBases);
  role.is_inner = role.is_base || std::ranges::find(kInner, name) != std::end(kInner) ||
                  std::ranges::any_of(kInnerClasses, [&](std::string_view inner) {
                    return name.starts_with("std::") && name.find(inner) != std::string_view::npos;
                  });
  for (const Linked& linked : kLinked) {
    if (!IsInstance(name, linked.name)) continue;
    if (const auto value = Argument(name.substr(linked.name.size()), linked.argument)) {
      role.node = FindNode(types_, linked.node, *value);
    }
  }
  return role;
}

}  // namespace mcr::mutator
