#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "mutator/debuginfo/inventory.h"
#include "mutator/debuginfo/symbol_index.h"
#include "mutator/debuginfo/unique_keys.h"

namespace mcr::mutator {
namespace {

bool IsObject(SymbolKind kind) { return kind == SymbolKind::kObject; }
bool IsThreadLocal(SymbolKind kind) { return kind == SymbolKind::kTls; }

using Place = std::pair<bool, FileAddr>;  // thread-local, address

class VariableLister {
 public:
  explicit VariableLister(const Evidence& evidence)
      : evidence_(evidence),
        objects_(evidence.symbols, IsObject),
        thread_locals_(evidence.symbols, IsThreadLocal) {}

  std::vector<Variable> List() {
    for (const DwarfVariable& found : evidence_.dwarf.variables) AddDescribed(found);
    AddSymbols(objects_, /*thread_local_storage=*/false);
    AddSymbols(thread_locals_, /*thread_local_storage=*/true);
    return Finish();
  }

 private:
  bool IsLoaded(const Variable& variable) const {
    const Range<FileAddr>& range = variable.range;
    if (range.empty()) return false;
    if (variable.thread_local_storage) return range.end().value() <= evidence_.tls_size;
    // Variables that the linker dropped are still described, at address 0.
    const auto after = std::ranges::upper_bound(evidence_.sections, range.begin(), {},
                                                [](const Section& s) { return s.range.begin(); });
    return after != evidence_.sections.begin() && std::prev(after)->range.Contains(range);
  }

  // The symbol knows the size with a flexible array member's elements, and whether the linker sees
  // the name.
  void ApplySymbol(DwarfVariable& found) const {
    Variable& variable = found.variable;
    const SymbolIndex& index = variable.thread_local_storage ? thread_locals_ : objects_;
    const Symbol* symbol = index.Best(variable.range.begin(), variable.name);
    if (symbol != nullptr) {
      if (!symbol->range.empty()) variable.range = symbol->range;
      if (!symbol->local) found.external = true;
    }
    if (found.external) variable.unit.clear();
  }

  // Inlined copies of a function repeat its static locals.
  void AddDescribed(const DwarfVariable& description) {
    DwarfVariable found = description;
    ApplySymbol(found);
    if (!IsLoaded(found.variable)) return;
    const Place place(found.variable.thread_local_storage, found.variable.range.begin());
    const auto [known, is_new] = variables_.try_emplace(place, found);
    if (!is_new && Worth(found) > Worth(known->second)) known->second = std::move(found);
  }

  static std::tuple<bool, bool, uint64_t> Worth(const DwarfVariable& found) {
    return {!found.variable.name.empty(), found.variable.type != 0, found.variable.range.size()};
  }

  void AddSymbols(const SymbolIndex& index, bool thread_local_storage) {
    for (const Symbol* symbol : index.all()) {
      if (symbol->range.empty()) continue;
      const FileAddr address = symbol->range.begin();
      if (IsCovered(Place(thread_local_storage, address))) continue;
      const Symbol* best = index.Best(address, DeclaredName(index, address));
      DwarfVariable added;
      added.variable = Variable{.name = best->name,
                                .unit = best->unit,
                                .function = "",
                                .range = symbol->range,
                                .type = DeclaredType(*best),
                                .thread_local_storage = thread_local_storage};
      if (IsLoaded(added.variable)) variables_.emplace(Place(thread_local_storage, address), added);
    }
  }

  bool IsCovered(const Place& place) const {
    auto after = variables_.upper_bound(place);
    if (after == variables_.begin()) return false;
    const auto& [other, variable] = *std::prev(after);
    return other.first == place.first && variable.variable.range.Contains(place.second);
  }

  // `environ` has three names in libc; the one that the program declares has a type.
  std::string_view DeclaredName(const SymbolIndex& index, FileAddr address) const {
    for (const Symbol* symbol : index.At(address)) {
      if (evidence_.dwarf.declared.contains(symbol->name)) return symbol->name;
    }
    return "";
  }

  TypeId DeclaredType(const Symbol& symbol) const {
    if (symbol.local) return 0;
    const auto found = evidence_.dwarf.declared.find(symbol.name);
    return found == evidence_.dwarf.declared.end() ? 0 : found->second;
  }

  std::vector<Variable> Finish() {
    std::vector<DwarfVariable> found;
    for (auto& [place, variable] : variables_) found.push_back(std::move(variable));
    std::ranges::stable_sort(found, {}, &DwarfVariable::line);
    std::vector<Variable> variables;
    for (DwarfVariable& each : found) variables.push_back(std::move(each.variable));
    MakeKeysUnique(variables);
    std::ranges::sort(variables, {}, [](const Variable& variable) {
      return Place(variable.thread_local_storage, variable.range.begin());
    });
    return variables;
  }

  const Evidence& evidence_;
  const SymbolIndex objects_;
  const SymbolIndex thread_locals_;
  std::map<Place, DwarfVariable> variables_;
};

}  // namespace

std::vector<Variable> ListVariables(const Evidence& evidence) {
  return VariableLister(evidence).List();
}

}  // namespace mcr::mutator
