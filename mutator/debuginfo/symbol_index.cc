#include "mutator/debuginfo/symbol_index.h"

#include <algorithm>
#include <tuple>

namespace mcr::mutator {
namespace {

// "f.constprop.0" and "counter.3" carry the name before the dot.
bool Carries(std::string_view symbol, std::string_view name) {
  return symbol.starts_with(name) && (symbol.size() == name.size() || symbol[name.size()] == '.');
}

auto Rank(const Symbol& symbol, std::string_view preferred) {
  return std::tuple(symbol.name != preferred, preferred.empty() || !Carries(symbol.name, preferred),
                    symbol.local, symbol.name.starts_with('_'), symbol.name.size(),
                    std::string_view(symbol.name));
}

}  // namespace

SymbolIndex::SymbolIndex(std::span<const Symbol> symbols, bool (*wanted)(SymbolKind)) {
  for (const Symbol& symbol : symbols) {
    if (wanted(symbol.kind)) symbols_.push_back(&symbol);
  }
}

std::span<const Symbol* const> SymbolIndex::At(FileAddr address) const {
  const auto found = std::ranges::equal_range(
      symbols_, address, {}, [](const Symbol* symbol) { return symbol->range.begin(); });
  return {found.begin(), found.end()};
}

const Symbol* SymbolIndex::Best(FileAddr address, std::string_view preferred) const {
  const auto symbols = At(address);
  const auto best = std::ranges::min_element(
      symbols, {}, [&](const Symbol* symbol) { return Rank(*symbol, preferred); });
  return best == symbols.end() ? nullptr : *best;
}

}  // namespace mcr::mutator
