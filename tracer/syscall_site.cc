#include "tracer/syscall_site.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace mcr::tracer {
namespace {

constexpr size_t kBlockSize = 65536;

std::optional<Addr> SearchMapping(const MemoryReader& memory, const Mapping& mapping) {
  std::vector<std::byte> block(kBlockSize);
  // Blocks overlap by one byte, so that a pair across their edge is found.
  for (uint64_t offset = 0; offset + 1 < mapping.range.size(); offset += kBlockSize - 1) {
    const size_t size = std::min<uint64_t>(kBlockSize, mapping.range.size() - offset);
    const std::span<std::byte> bytes = std::span(block).first(size);
    if (!memory.Read(mapping.range.begin() + offset, bytes)) return std::nullopt;
    const auto found = std::search(bytes.begin(), bytes.end(), kSyscallInstruction.begin(),
                                   kSyscallInstruction.end());
    if (found != bytes.end()) {
      return mapping.range.begin() + offset + static_cast<uint64_t>(found - bytes.begin());
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<long> NumberInCode(const MemoryReader& memory, Addr site) {
  constexpr std::byte kMoveToEax{0xb8};
  struct [[gnu::packed]] Instruction {
    std::byte code;
    int32_t number;
  };
  const auto before = memory.ReadValue<Instruction>(site - sizeof(Instruction));
  if (!before || before->code != kMoveToEax) return std::nullopt;
  return before->number;
}

Result<Addr> FindSyscallSite(const MemoryReader& memory, const Mappings& mappings) {
  std::vector<const Mapping*> candidates;
  for (const Mapping& mapping : mappings) {
    // [vsyscall] is emulated: its page can be neither read nor entered in the middle.
    if (mapping.executable && mapping.path != "[vsyscall]") candidates.push_back(&mapping);
  }
  std::stable_partition(candidates.begin(), candidates.end(),
                        [](const Mapping* mapping) { return mapping->path == "[vdso]"; });
  for (const Mapping* mapping : candidates) {
    if (const std::optional<Addr> site = SearchMapping(memory, *mapping)) return *site;
  }
  return Fail("no `syscall` instruction in the process's executable memory");
}

}  // namespace mcr::tracer
