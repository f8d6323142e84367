// The symbols of one kind that stand at an address.
#ifndef MCR_MUTATOR_DEBUGINFO_SYMBOL_INDEX_H_
#define MCR_MUTATOR_DEBUGINFO_SYMBOL_INDEX_H_

#include <span>
#include <string_view>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/records.h"

namespace mcr::mutator {

class SymbolIndex {
 public:
  // `symbols`, by address, must outlive the index.
  SymbolIndex(std::span<const Symbol> symbols, bool (*wanted)(SymbolKind));

  std::span<const Symbol* const> At(FileAddr address) const;

  // Of several names of one thing: `preferred` (with or without a compiler's suffix) if it is among
  // them, else a global one, the plainest spelling. nullptr if nothing stands there.
  const Symbol* Best(FileAddr address, std::string_view preferred) const;

  const std::vector<const Symbol*>& all() const { return symbols_; }

 private:
  std::vector<const Symbol*> symbols_;  // by address
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_SYMBOL_INDEX_H_
