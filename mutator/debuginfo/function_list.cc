#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "mutator/debuginfo/inventory.h"
#include "mutator/debuginfo/symbol_index.h"
#include "mutator/debuginfo/unique_keys.h"

namespace mcr::mutator {
namespace {

bool IsFunction(SymbolKind kind) {
  return kind == SymbolKind::kFunction || kind == SymbolKind::kIndirectFunction;
}

// GCC splits the unlikely part of `f` off as `f.cold`.
bool IsCold(const Symbol& symbol) { return symbol.name.find(".cold") != std::string::npos; }

class FunctionLister {
 public:
  explicit FunctionLister(const Evidence& evidence)
      : evidence_(evidence), symbols_(evidence.symbols, IsFunction) {}

  std::vector<Function> List() {
    for (const DwarfFunction& found : evidence_.dwarf.functions) AddDescribed(found);
    for (const Symbol* symbol : symbols_.all()) AddSymbol(*symbol);
    std::vector<Function> functions;
    for (auto& [address, function] : functions_) functions.push_back(std::move(function));
    MakeKeysUnique(functions);
    return functions;
  }

 private:
  const Section* SectionOf(FileAddr address) const {
    const auto after = std::ranges::upper_bound(evidence_.sections, address, {},
                                                [](const Section& s) { return s.range.begin(); });
    if (after == evidence_.sections.begin()) return nullptr;
    const Section& section = *std::prev(after);
    return section.executable && section.range.Contains(address) ? &section : nullptr;
  }

  bool IsLoaded(const Range<FileAddr>& range) const {
    const Section* section = SectionOf(range.begin());
    return section != nullptr && section->range.Contains(range);
  }

  Range<FileAddr> MainPart(const DwarfFunction& found) const {
    for (const Range<FileAddr>& range : found.ranges) {
      const Symbol* symbol = symbols_.Best(range.begin(), found.function.name);
      if (symbol != nullptr && !IsCold(*symbol)) return range;
    }
    return found.ranges.front();
  }

  void AddDescribed(const DwarfFunction& found) {
    Function function = found.function;
    function.range = MainPart(found);
    if (!IsLoaded(function.range)) return;  // dropped by the linker
    for (const Range<FileAddr>& part : found.ranges) parts_.emplace(part.begin(), function.unit);
    bool local = !found.external;
    if (const Symbol* symbol = symbols_.Best(function.range.begin(), function.name)) {
      function.name = symbol->name;  // tells clones apart: f, f.constprop.0, f.part.0
      local = symbol->local;
    }
    if (!local) function.unit.clear();
    functions_.try_emplace(function.range.begin(), std::move(function));
  }

  // The linker's and the C library's start-up code give _init and _fini no size.
  std::optional<Range<FileAddr>> ExtentOf(const Symbol& symbol) const {
    const FileAddr begin = symbol.range.begin();
    const Section* section = SectionOf(begin);
    if (section == nullptr) return std::nullopt;
    if (!symbol.range.empty()) {
      return section->range.Contains(symbol.range) ? std::optional(symbol.range) : std::nullopt;
    }
    const auto next = std::ranges::upper_bound(symbols_.all(), begin, {},
                                               [](const Symbol* s) { return s->range.begin(); });
    const FileAddr limit =
        next == symbols_.all().end() ? section->range.end() : (*next)->range.begin();
    return Range<FileAddr>::FromTo(begin, std::min(limit, section->range.end()));
  }

  void AddSymbol(const Symbol& symbol) {
    const FileAddr begin = symbol.range.begin();
    if (IsCovered(begin)) return;
    const auto range = ExtentOf(symbol);
    if (!range || range->empty()) return;
    const Symbol* best = symbols_.Best(begin, "");
    Function function{.name = best->name, .unit = best->unit, .range = *range};
    const auto part = parts_.find(begin);
    if (best->local && part != parts_.end()) function.unit = part->second;
    functions_.emplace(begin, std::move(function));
  }

  bool IsCovered(FileAddr address) const {
    const auto after = functions_.upper_bound(address);
    return after != functions_.begin() && std::prev(after)->second.range.Contains(address);
  }

  const Evidence& evidence_;
  const SymbolIndex symbols_;
  std::map<FileAddr, Function> functions_;
  std::map<FileAddr, std::string>
      parts_;  // where a part of a described function starts, and its unit
};

}  // namespace

std::vector<Function> ListFunctions(const Evidence& evidence) {
  return FunctionLister(evidence).List();
}

}  // namespace mcr::mutator
