#include "mutator/merge/address_map.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "mutator/merge/object_start.h"

namespace mcr::mutator {
namespace {

Translation Found(PointerKind kind, FileAddr to, bool exact = true) {
  return {kind, to, exact, false, ""};
}
Translation NotFound(std::string problem, bool exact) {
  return {PointerKind::kNone, FileAddr(), exact, false, std::move(problem)};
}

// Whether the literal that holds `at` begins there.
bool IsLiteralStart(const Program& program, FileAddr at) {
  const Section* section = program.FindSection(at);
  if (section == nullptr || section->range.begin() == at) return true;
  const auto before = program.Contents(at - 1);
  return before.empty() || before.front() == std::byte{0};
}

// Of a text with its terminating zero; 0: there is none.
size_t TextLength(std::span<const std::byte> bytes) {
  const auto end = std::ranges::find_if(bytes, [](std::byte byte) {
    const auto c = static_cast<unsigned char>(byte);
    return c == 0 || (c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != 0x1b);
  });
  const bool terminated = end != bytes.end() && *end == std::byte{0};
  return terminated ? static_cast<size_t>(end - bytes.begin()) : 0;
}

// Whether an object of the type `wanted` begins where one of `type` does.
bool BeginsWith(const TypeTable& types, TypeId type, TypeId wanted) {
  constexpr int kDeepest = 32;
  for (int depth = 0; depth < kDeepest && type != 0; ++depth) {
    if (type == wanted) return true;
    const Type& whole = types[type];
    if (whole.kind == TypeKind::kArray) {
      type = whole.target;
    } else {
      const auto first = std::ranges::find(whole.members, 0u, &Member::offset);
      type = first == whole.members.end() ? 0 : first->type;
    }
  }
  return false;
}

// The tag of the dynamic entry at `at`, if there is one.
std::optional<int64_t> DynamicTag(const Program& program, FileAddr at) {
  const Section* section = program.FindSection(at);
  if (section == nullptr || section->name != ".dynamic") return std::nullopt;
  if ((at - section->range.begin()) % sizeof(Elf64_Dyn) != 0) return std::nullopt;
  const auto bytes = program.Contents(at);
  if (bytes.size() < sizeof(Elf64_Dyn)) return std::nullopt;
  Elf64_Dyn entry;
  std::memcpy(&entry, bytes.data(), sizeof entry);
  return entry.d_tag;
}

std::optional<FileAddr> FindDynamic(const Program& program, int64_t tag) {
  const Section* section = program.FindSection(".dynamic");
  if (section == nullptr) return std::nullopt;
  for (FileAddr at = section->range.begin(); at < section->range.end();
       at = at + sizeof(Elf64_Dyn)) {
    const auto found = DynamicTag(program, at);
    if (found == tag) return at;
    if (!found || *found == DT_NULL) break;
  }
  return std::nullopt;
}

// The segment that ends just before `at`, as an index; the end of what the file defines, not of the
// page.
std::optional<size_t> SegmentThatEndsAt(const Program& program, FileAddr at) {
  const auto& segments = program.segments();
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].range.end() == at) return i;
  }
  return std::nullopt;
}

// Where the virtual tables in a variable begin, as objects point to them: behind the address of the
// class's type information (Itanium C++ ABI 2.5.2).
std::vector<FileAddr> AddressPoints(const Program& program, const Variable& tables) {
  std::vector<FileAddr> points;
  const std::string type_information = "_ZTI" + tables.name.substr(4);
  const auto symbol = std::ranges::find(program.symbols(), type_information, &Symbol::name);
  if (symbol == program.symbols().end()) return points;
  for (const Relocation& relocation : program.relocations()) {
    const bool inside = tables.range.Contains(relocation.at);
    if (inside && relocation.addend == symbol->range.begin()) points.push_back(relocation.at + 8);
  }
  return points;
}

}  // namespace

AddressMap::AddressMap(std::shared_ptr<const Program> before, std::shared_ptr<const Program> after,
                       std::unique_ptr<CodeComparer> comparer, profiles::Annotations annotations)
    : before_(before),
      after_(after),
      comparer_(std::move(comparer)),
      recipes_(before->types(), after->types(), std::move(annotations),
               [this](const std::string& name) { return NewFunction(name); }),
      literals_(before, after),
      kept_(before, *after),
      new_variables_(*after, recipes_.annotations()),
      changed_types_(recipes_.ChangedTypes()) {
  for (const Function& function : after_->functions()) {
    new_functions_.emplace(function.Key(), &function);
  }
}

const Translation& AddressMap::Translate(FileAddr old_address) {
  auto [entry, is_new] = known_.try_emplace(old_address);
  if (is_new) entry->second = Find(old_address);
  if (entry->second.kind == PointerKind::kLiteral) kept_.Use(entry->second.to);
  return entry->second;
}

Translation AddressMap::Translate(FileAddr old_address, TypeId pointee) {
  const Variable* variable = pointee == 0 ? nullptr : before_->FindVariable(old_address);
  if (variable == nullptr) return Translate(old_address);
  if (const auto end = FindArrayEnd(*variable, old_address, pointee)) return *end;
  return FindVariable(*variable, old_address, pointee);
}

// Where one variable begins, another may end: an array that the pointer went through. Nothing if it
// makes no difference, or the pointer can only be one to the variable. Of characters there is
// always one to begin with.
std::optional<Translation> AddressMap::FindArrayEnd(const Variable& variable, FileAddr at,
                                                    TypeId pointee) {
  const TypeTable& types = before_->types();
  if (at != variable.range.begin() || types[pointee].size <= 1) return std::nullopt;
  const Variable* array = before_->FindVariable(at - 1);
  if (array == nullptr || array->range.end() != at) return std::nullopt;
  if (types[array->type].kind != TypeKind::kArray) return std::nullopt;
  if (!BeginsWith(types, types[array->type].target, pointee)) return std::nullopt;
  const Variable* new_array = new_variables_.Counterpart(*array);
  const Variable* new_variable = new_variables_.Counterpart(variable);
  const bool stay_together = new_array != nullptr && new_variable != nullptr &&
                             new_array->range.end() == new_variable->range.begin();
  if (stay_together) return std::nullopt;
  if (!BeginsWith(types, variable.type, pointee)) return FindVariable(*array, at, pointee);
  return NotFound(fmt::format("it is the end of `{}` as well as the begin of `{}`, and the new "
                              "version has them apart",
                              array->name, variable.name),
                  true);
}

const Translation& AddressMap::TranslateReturnAddress(FileAddr old_address) {
  auto [entry, is_new] = known_returns_.try_emplace(old_address);
  if (is_new) entry->second = FindReturnAddress(old_address);
  return entry->second;
}

Translation AddressMap::Find(FileAddr at) {
  if (const Function* function = before_->FindFunction(at)) {
    return function->range.begin() == at ? FindFunctionEntry(*function)
                                         : FindInstruction(*function, at);
  }
  if (const Variable* variable = before_->FindVariable(at)) return FindVariable(*variable, at, 0);
  if (Translation layout = FindLayout(at); layout.kind != PointerKind::kNone) return layout;
  // Functions keep them in registers that those whom they call save. Their bytes say nothing.
  if (const auto table = jump_tables_.find(at);
      table != jump_tables_.end() && table->second != FileAddr(0)) {
    return Found(PointerKind::kLiteral, table->second);
  }
  if (Translation symbol = FindSymbol(at); symbol.kind != PointerKind::kNone) return symbol;
  const bool starts = IsLiteralStart(*before_, at);
  if (const auto literal = literals_.Translate(at)) {
    return Found(PointerKind::kLiteral, *literal, starts);
  }
  const auto keep = [&]() -> std::optional<FileAddr> {
    return starts && literals_.MayHold(at) ? kept_.PlaceFor(at) : std::nullopt;
  };
  const bool is_text = TextLength(before_->Contents(at)) > 0;
  if (const auto kept = is_text ? keep() : std::nullopt) return Found(PointerKind::kLiteral, *kept);
  // One past the end of a variable is a pointer that C allows.
  if (const Variable* variable = before_->FindVariable(at - 1))
    return FindVariable(*variable, at, 0);
  if (const auto kept = keep()) return Found(PointerKind::kLiteral, *kept);
  return NotFound("nothing in the new version is like " + Name(*before_, at),
                  literals_.MayHold(at) && !IsInsideJumpTable(at));
}

// Code goes by a table's begin, so that nobody keeps an address inside of one. Its entries are
// distances from there to instructions of one function.
bool AddressMap::IsInsideJumpTable(FileAddr at) const {
  auto table = jump_tables_.upper_bound(at);
  if (table == jump_tables_.begin()) return false;
  const FileAddr begin = (--table)->first;
  if (begin == at) return false;
  const auto bytes = before_->Contents(begin);
  const Function* owner = nullptr;
  int32_t distance = 0;
  for (size_t offset = 0; begin + offset <= at; offset += sizeof distance) {
    if (bytes.size() < offset + sizeof distance) return false;
    std::memcpy(&distance, bytes.data() + offset, sizeof distance);
    const auto to = static_cast<uint64_t>(static_cast<int64_t>(begin.value()) + distance);
    const Function* function = before_->FindFunction(FileAddr(to));
    if (function == nullptr || (owner != nullptr && owner != function)) return false;
    owner = function;
  }
  return true;
}

// A name without a size, which debug information does not know (`__dso_handle`). Behind a variable,
// it is more likely that variable's end.
Translation AddressMap::FindSymbol(FileAddr at) const {
  if (before_->FindVariable(at - 1) != nullptr) return {};
  const auto named = [](const Program& program, const std::string& name) {
    return std::ranges::count(program.symbols(), name, &Symbol::name);
  };
  const auto ours = std::ranges::equal_range(
      before_->symbols(), at, {}, [](const Symbol& symbol) { return symbol.range.begin(); });
  for (const Symbol& symbol : ours) {
    const bool is_data = symbol.kind == SymbolKind::kObject || symbol.kind == SymbolKind::kOther;
    if (!is_data || symbol.name.empty() || named(*before_, symbol.name) != 1) continue;
    if (named(*after_, symbol.name) != 1) continue;
    const auto same = std::ranges::find(after_->symbols(), symbol.name, &Symbol::name);
    if (same->kind == symbol.kind) return Found(PointerKind::kVariable, same->range.begin());
  }
  return {};
}

std::optional<FileAddr> AddressMap::NewFunction(const std::string& name) const {
  std::optional<FileAddr> found;
  for (const Function& function : after_->functions()) {
    if (function.name != name) continue;
    if (found) return std::nullopt;
    found = function.range.begin();
  }
  return found;
}

const Recipe& AddressMap::RecipeOf(const Variable& old_variable, const Variable& new_variable) {
  return recipes_.GetVariable(old_variable.type, new_variable.type, [&](const std::string& name) {
    return IsCalled(old_variable, name);
  });
}

Translation AddressMap::FindFunctionEntry(const Function& old_function) const {
  const auto found = new_functions_.find(old_function.Key());
  if (found != new_functions_.end()) {
    return Found(PointerKind::kFunction, found->second->range.begin());
  }
  return NotFound("function `" + old_function.name + "` is not in the new version", true);
}

Translation AddressMap::FindInstruction(const Function& old_function, FileAddr at) {
  const auto found = new_functions_.find(old_function.Key());
  if (found == new_functions_.end()) {
    return NotFound("function `" + old_function.name + "` is not in the new version", false);
  }
  const Result<InstructionMap>& identical = Identity(old_function, *found->second);
  if (!identical) {
    return NotFound("function `" + old_function.name + "` changed: " + identical.error().Line(),
                    false);
  }
  if (const auto to = identical->Translate(at)) {
    return Found(PointerKind::kInstruction, *to, false);
  }
  return NotFound("no instruction begins at " + Name(*before_, at), false);
}

const Result<InstructionMap>& AddressMap::Identity(const Function& old_function,
                                                   const Function& new_function) {
  auto known = identical_.find(old_function.range.begin());
  if (known == identical_.end()) {
    known = identical_
                .emplace(old_function.range.begin(), comparer_->Compare(old_function, new_function))
                .first;
    if (known->second) LearnJumpTables(*known->second);
  }
  return known->second;
}

void AddressMap::LearnJumpTables(const InstructionMap& identical) {
  for (const auto& [ours, theirs] : identical.jump_tables()) {
    const auto [table, is_new] = jump_tables_.emplace(ours, theirs);
    if (!is_new && table->second != theirs) table->second = FileAddr(0);
  }
}

std::vector<std::string> AddressMap::ChangedFunctions() {
  std::vector<std::string> changed;
  for (const Function& function : before_->functions()) {
    const auto found = new_functions_.find(function.Key());
    if (found == new_functions_.end()) continue;
    if (!Identity(function, *found->second)) changed.push_back(function.name);
  }
  return changed;
}

bool AddressMap::HasSame(const Function& old_function) {
  const auto found = new_functions_.find(old_function.Key());
  return found != new_functions_.end() && Identity(old_function, *found->second).has_value();
}

Translation AddressMap::FindReturnAddress(FileAddr at) {
  // The call ends at `at`: what matters is its own function.
  const Function* function = before_->FindFunction(at - 1);
  if (function == nullptr) return NotFound("no function calls from " + Name(*before_, at), false);
  return FindInstruction(*function, at);
}

// A class with several bases has several tables in one variable. New virtual functions move all but
// the first.
std::optional<Translation> AddressMap::FindVirtualTable(const Variable& old_variable,
                                                        const Variable& variable, FileAddr at) {
  if (!old_variable.name.starts_with("_ZTV")) return std::nullopt;
  const std::vector<FileAddr> ours = AddressPoints(*before_, old_variable);
  const auto point = std::ranges::find(ours, at);
  if (point == ours.end()) return std::nullopt;
  const std::vector<FileAddr> theirs = AddressPoints(*after_, variable);
  if (theirs.size() != ours.size()) {
    return NotFound("the virtual tables of `" + old_variable.name + "` are others", true);
  }
  return Found(PointerKind::kVariable, theirs[static_cast<size_t>(point - ours.begin())]);
}

Translation AddressMap::FindVariable(const Variable& old_variable, FileAddr at, TypeId pointee) {
  const uint64_t offset = at - old_variable.range.begin();
  const bool exact = offset == old_variable.range.size() ||
                     IsObjectStart(before_->types(), old_variable.type, offset);
  const Variable* found = new_variables_.Counterpart(old_variable);
  if (found == nullptr) {
    return NotFound("variable `" + old_variable.name + "` is not in the new version", exact);
  }
  const Variable& variable = *found;
  if (const auto table = FindVirtualTable(old_variable, variable, at)) return *table;
  uint64_t to = offset;
  if (old_variable.type != 0 && variable.type != 0) {
    const auto mapped = MapOffset(recipes_.Get(old_variable.type, variable.type), offset, pointee);
    if (!mapped) {
      return NotFound(fmt::format("offset {} of variable `{}` is not in the new version", offset,
                                  old_variable.name),
                      exact);
    }
    to = *mapped;
  } else if (variable.range.size() < offset) {
    return NotFound("variable `" + old_variable.name + "` is shorter in the new version", exact);
  }
  Translation translation = Found(PointerKind::kVariable, variable.range.begin() + to, exact);
  translation.inside_text = offset != 0 && offset != old_variable.range.size() &&
                            !IsObjectStart(before_->types(), old_variable.type, offset, 2);
  return translation;
}

Translation AddressMap::FindLayout(FileAddr at) const {
  if (const auto segment = SegmentThatEndsAt(*before_, at)) {
    if (*segment < after_->segments().size()) {
      return Found(PointerKind::kLayout, after_->segments()[*segment].range.end());
    }
  }
  const Section* section = before_->FindSection(at);
  if (section == nullptr) {
    // Before the first section: the ELF header and the program headers, which linkers put at fixed
    // places.
    const bool in_headers =
        !before_->sections().empty() && at < before_->sections().front().range.begin();
    return in_headers ? Found(PointerKind::kLayout, at) : Translation{};
  }
  const Section* same = after_->FindSection(section->name);
  if (same == nullptr) return {};
  if (const auto tag = DynamicTag(*before_, at)) {
    const auto entry = FindDynamic(*after_, *tag);
    return entry ? Found(PointerKind::kLayout, *entry) : Translation{};
  }
  const bool is_start = section->range.begin() == at;
  // The first literal is more than the start of its section.
  if (!is_start || section->name.starts_with(".rodata")) return {};
  return Found(PointerKind::kLayout, same->range.begin());
}

std::string AddressMap::Name(const Program& program, FileAddr address) {
  const auto named = [&](const std::string& name, FileAddr begin) {
    const uint64_t offset = address - begin;
    return offset == 0 ? "`" + name + "`" : fmt::format("`{}`+{:#x}", name, offset);
  };
  if (const Function* function = program.FindFunction(address)) {
    return named(function->name, function->range.begin());
  }
  if (const Variable* variable = program.FindVariable(address)) {
    return named(variable->name, variable->range.begin());
  }
  if (const Section* section = program.FindSection(address)) {
    return named(section->name, section->range.begin());
  }
  return Hex(address);
}

}  // namespace mcr::mutator
