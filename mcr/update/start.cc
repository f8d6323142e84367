#include "mcr/update/start.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcr/base/range.h"
#include "mcr/update/arguments.h"
#include "mcr/update/data_set.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

// Where file address 0 of the process's main program is.
Result<Addr> ProgramBias(const tracer::ProcFs& procfs, pid_t pid, const std::string& executable) {
  MCR_ASSIGN(const Mappings mappings, procfs.ReadMappings(pid));
  for (const Mapping& mapping : mappings) {
    if (mapping.path == executable && mapping.file_offset == 0) return mapping.range.begin();
  }
  return Fail("the process does not have its program mapped", executable);
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

// The path that was executed, from the auxiliary vector (getauxval(3)).
Result<std::string> ReadExecutedPath(const tracer::ProcFs& procfs, const MemoryReader& memory,
                                     pid_t pid) {
  MCR_ASSIGN(const std::vector<std::byte> bytes, procfs.ReadAuxiliaryVector(pid));
  for (size_t at = 0; at + sizeof(Elf64_auxv_t) <= bytes.size(); at += sizeof(Elf64_auxv_t)) {
    Elf64_auxv_t entry;
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    if (entry.a_type == AT_EXECFN) return memory.ReadString(Addr(entry.a_un.a_val));
  }
  return std::string();
}

Result<ArgumentRecord> ReadArgumentRecord(const tracer::ProcFs& procfs, const MemoryReader& memory,
                                          pid_t pid) {
  MCR_ASSIGN(const tracer::TaskStat stat, procfs.ReadStat(pid));
  const auto strings = Range<Addr>::FromTo(stat.arg_start, stat.arg_end);
  if (!strings) return Fail("cannot tell where the arguments are", "PID " + std::to_string(pid));
  MCR_ASSIGN(std::string executed, ReadExecutedPath(procfs, memory, pid));
  return ArgumentRecord{stat.start_stack, *strings, std::move(executed)};
}

// What the profile says, if it does, and else what the process itself shows.
Result<std::vector<std::string>> ReadArguments(const mutator::Program& program, Addr bias,
                                               const MemoryReader& memory,
                                               const ArgumentRecord& record,
                                               const std::string& argv_variable) {
  if (!argv_variable.empty()) {
    const auto vector = FindStringVector(program, argv_variable);
    if (vector) return ReadStrings(memory, bias + vector->value());
    return Fail("the profile's argv_variable is not in the program", "`" + argv_variable + "`",
                "correct annotations.startup.argv_variable of the profile");
  }
  if (auto arguments = FindArguments(program, bias, memory, record)) return *std::move(arguments);
  return Fail("the server has overwritten the arguments that it was started with",
              record.executable,
              "name the variable that still has them in the profile: "
              "annotations.startup.argv_variable");
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
  MCR_ASSIGN(const ArgumentRecord record, ReadArgumentRecord(procfs, memory, start.pid));
  const std::string named = profile ? profile->annotations().startup().argv_variable() : "";
  MCR_ASSIGN(start.arguments, ReadArguments(program, bias, memory, record, named));
  if (profile) {
    const auto& patterns = profile->learned().data_set();
    start.data_set = FindDataSet(procfs.Path(start.pid, "cwd"), start.working_directory,
                                 {patterns.begin(), patterns.end()});
  }
  return {};
}

}  // namespace mcr::update
