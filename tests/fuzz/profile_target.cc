// Profiles that users wrote, or whoever sent them one.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "profiles/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto profile = mcr::profiles::ParseProfile(text, "input")) {
    (void)mcr::profiles::IsFor(*profile, "/usr/sbin/server");
  }
  return 0;
}
