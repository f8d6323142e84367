#include "mutator/merge/loader_state.h"

#include <elf.h>
#include <link.h>

#include <algorithm>

namespace mcr::mutator {
namespace {

// In glibc's private part of the link map, `l_libname` is the eighth word; the loader puts the list
// entry that it points to right behind the main program's link map, in the same allocation
// (elf/dl-object.c).
constexpr uint64_t kLibnameOffset = 7 * sizeof(uint64_t);
constexpr uint64_t kLargestLinkMap = 4096;  // bytes; glibc 2.31 to 2.41 have less than 1200

std::optional<Addr> FindDebug(const checkpoint::ProcessImage& image, const Section& dynamic,
                              Addr bias) {
  for (FileAddr at = dynamic.range.begin(); at < dynamic.range.end(); at = at + sizeof(Elf64_Dyn)) {
    const auto entry = image.ReadValue<Elf64_Dyn>(bias + at.value());
    if (!entry || entry->d_tag == DT_NULL) return std::nullopt;
    if (entry->d_tag == DT_DEBUG) return Addr(entry->d_un.d_ptr);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Range<Addr>> FindLinkMap(const checkpoint::ProcessImage& image,
                                       const Program& program, Addr bias) {
  const Section* dynamic = program.FindSection(".dynamic");
  if (dynamic == nullptr) return std::nullopt;
  const auto debug = FindDebug(image, *dynamic, bias);
  if (!debug || debug->IsNull()) return std::nullopt;
  const auto state = image.ReadValue<r_debug>(*debug);
  if (!state) return std::nullopt;
  const Addr map(reinterpret_cast<uint64_t>(state->r_map));
  const auto libname = image.ReadValue<uint64_t>(map + kLibnameOffset);
  if (!libname || Addr(*libname) < map || Addr(*libname) - map > kLargestLinkMap) {
    return std::nullopt;
  }
  return Range<Addr>::FromTo(map, Addr(*libname));
}

}  // namespace mcr::mutator
