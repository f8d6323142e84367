#include "profiles/shipped.h"

#include <utility>

#include "profiles/shipped_texts.h"

namespace mcr::profiles {

Result<std::optional<Profile>> FindShipped(const std::string& executable) {
  for (const ShippedText& shipped : kShippedTexts) {
    MCR_ASSIGN(Profile profile, ParseProfile(shipped.text, std::string(shipped.name)));
    if (IsFor(profile, executable)) return std::optional(std::move(profile));
  }
  return std::optional<Profile>();
}

}  // namespace mcr::profiles
