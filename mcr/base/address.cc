#include "mcr/base/address.h"

#include <fmt/format.h>

namespace mcr {

std::string Hex(uint64_t value) { return fmt::format("{:#x}", value); }

}  // namespace mcr
