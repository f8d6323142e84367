#include "mcr/update/start.h"

#include <elf.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

constexpr size_t kMostStrings = 4096;
constexpr size_t kLongestString = 128 << 10;  // bytes; MAX_ARG_STRLEN of the kernel

constexpr std::string_view kDeleted = " (deleted)";

// Where file address 0 of the process's main program is.
Result<Addr> ProgramBias(const tracer::ProcFs& procfs, pid_t pid, const std::string& executable) {
  MCR_ASSIGN(const Mappings mappings, procfs.ReadMappings(pid));
  for (const Mapping& mapping : mappings) {
    if (mapping.path == executable && mapping.file_offset == 0) return mapping.range.begin();
  }
  return Fail("the process does not have its program mapped", executable);
}

// The strings of the NULL-terminated `char **` that is stored at `variable`.
Result<std::vector<std::string>> ReadStrings(const MemoryReader& memory, Addr variable) {
  std::vector<std::string> strings;
  MCR_ASSIGN(const uint64_t vector, memory.ReadValue<uint64_t>(variable));
  for (Addr at(vector); strings.size() < kMostStrings; at = at + sizeof(uint64_t)) {
    MCR_ASSIGN(const uint64_t text, memory.ReadValue<uint64_t>(at));
    if (text == 0) return strings;
    MCR_ASSIGN(std::string value, memory.ReadString(Addr(text), kLongestString));
    strings.push_back(std::move(value));
  }
  return Fail("vector of strings has no end", Hex(variable));
}

const mutator::Variable* FindByName(const mutator::Program& program, std::string_view name) {
  const auto found = std::ranges::find(program.variables(), name, &mutator::Variable::name);
  return found == program.variables().end() ? nullptr : &*found;
}

// Where the C library's `environ` is: copied into the program, or in the library and found through
// the program's global offset table. nullopt: the program does not use it.
Result<std::optional<Addr>> FindEnviron(const mutator::Program& program, const MemoryReader& memory,
                                        Addr bias) {
  constexpr std::string_view kName = "environ";
  if (const mutator::Variable* copied = FindByName(program, kName)) {
    return std::optional(bias + copied->range.begin().value());
  }
  for (const mutator::Relocation& relocation : program.relocations()) {
    if (relocation.symbol != kName || relocation.type != R_X86_64_GLOB_DAT) continue;
    MCR_ASSIGN(const uint64_t address, memory.ReadValue<uint64_t>(bias + relocation.at.value()));
    return std::optional(Addr(address));
  }
  return std::optional<Addr>();
}

}  // namespace

Result<tracer::StartRecord> ReadStart(pid_t pid) {
  MCR_ASSIGN(tracer::StartRecord start, tracer::ReadStartRecord(pid));
  if (start.executable.ends_with(kDeleted)) {
    start.executable.resize(start.executable.size() - kDeleted.size());
  }
  return start;
}

Status CorrectStart(const mutator::Program& program,
                    const std::optional<profiles::Profile>& profile, tracer::StartRecord& start) {
  const tracer::ProcFs procfs;
  MCR_ASSIGN(const Addr bias, ProgramBias(procfs, start.pid, start.executable));
  MCR_ASSIGN(const tracer::LiveMemory memory, tracer::LiveMemory::Open(start.pid));
  MCR_ASSIGN(const std::optional<Addr> environment, FindEnviron(program, memory, bias));
  if (environment) {
    MCR_ASSIGN(start.environment, ReadStrings(memory, *environment));
  }
  if (!profile || profile->annotations().startup().argv_variable().empty()) return {};
  const std::string& name = profile->annotations().startup().argv_variable();
  const mutator::Variable* arguments = FindByName(program, name);
  if (arguments == nullptr) {
    return Fail("the profile's argv_variable is not in the program", "`" + name + "`",
                "correct annotations.startup.argv_variable of the profile");
  }
  MCR_ASSIGN(start.arguments, ReadStrings(memory, bias + arguments->range.begin().value()));
  return {};
}

}  // namespace mcr::update
