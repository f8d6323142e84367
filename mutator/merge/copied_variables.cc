#include "mutator/merge/copied_variables.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "mcr/base/mapping.h"
#include "mutator/graph/dynamic_symbols.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

bool IsCopy(const Relocation& relocation) { return relocation.type == R_X86_64_COPY; }

// A variable may have several names (`environ`, `__environ`), of which the linker takes one.
bool HasCopy(const Program& program, const Program& other, FileAddr copy) {
  const auto names = std::ranges::equal_range(
      other.symbols(), copy, {}, [](const Symbol& symbol) { return symbol.range.begin(); });
  return std::ranges::any_of(program.relocations(), [&](const Relocation& each) {
    return IsCopy(each) && std::ranges::find(names, each.symbol, &Symbol::name) != names.end();
  });
}

uint64_t SizeAt(const Program& program, FileAddr at) {
  const auto names = std::ranges::equal_range(
      program.symbols(), at, {}, [](const Symbol& symbol) { return symbol.range.begin(); });
  uint64_t size = 0;
  for (const Symbol& symbol : names) size = std::max(size, symbol.range.size());
  return size;
}

std::vector<CopyDifference::Copy> OnlyIn(const Program& in, const Program& other) {
  std::vector<CopyDifference::Copy> found;
  for (const Relocation& relocation : in.relocations()) {
    if (!IsCopy(relocation) || HasCopy(other, in, relocation.at)) continue;
    const auto place = Range<FileAddr>::FromSize(relocation.at, SizeAt(in, relocation.at));
    if (place) found.push_back({relocation.symbol, *place});
  }
  return found;
}

}  // namespace

CopyDifference CopyDifference::Between(const Program& before, const Program& after) {
  return {OnlyIn(before, after), OnlyIn(after, before)};
}

CopiedVariables CopiedVariables::Find(const checkpoint::ProcessImage& live,
                                      const LoadedModules& live_modules,
                                      const ChangedModules& modules, const CopyDifference& copies) {
  CopiedVariables found(live, live_modules, modules);
  for (const ChangedModule& module : modules.all()) {
    if (!module.versions->is_program) continue;
    found.gone_ = found.Locate(module, copies.gone);
    found.new_ = found.Locate(module, copies.added);
  }
  return found;
}

std::vector<CopiedVariables::Moved> CopiedVariables::Locate(
    const ChangedModule& program, const std::vector<CopyDifference::Copy>& copies) const {
  std::vector<Moved> found;
  for (const CopyDifference::Copy& copy : copies) {
    if (const auto library = FindInLibrary(copy.name)) {
      found.push_back({&program, copy.place, *library});
    }
  }
  return found;
}

std::optional<Addr> CopiedVariables::FindInLibrary(const std::string& name) const {
  for (const LoadedModule& module : live_modules_.all()) {
    if (modules_.HoldOld(module.range.begin().value())) continue;
    if (const auto found = FindExported(live_, module, name)) return found;
  }
  return std::nullopt;
}

std::optional<uint64_t> CopiedVariables::Home(uint64_t word) const {
  for (const Moved& each : gone_) {
    const uint64_t begin = each.module->live.bias.value() + each.copy.begin().value();
    if (begin <= word && word - begin < each.copy.size()) {
      return (each.library + (word - begin)).value();
    }
  }
  return std::nullopt;
}

bool CopiedVariables::IsNew(const ChangedModule& module, FileAddr at) const {
  return std::ranges::any_of(new_, [&](const Moved& each) {
    return each.module->index == module.index && each.copy.Contains(at);
  });
}

Status CopiedVariables::Merge(const checkpoint::ProcessImage& next,
                              const LoadedModules& next_modules, checkpoint::ProcessGraft& graft,
                              std::vector<Range<Addr>>& from_next) const {
  for (const Moved& each : gone_) {
    const Addr copy = each.module->live.bias + each.copy.begin().value();
    MCR_TRY(Write(copy, each.library, each.copy.size(), graft, from_next));
  }
  for (const Moved& each : new_) {
    const Addr copy = each.module->new_bias() + each.copy.begin().value();
    MCR_TRY(Write(each.library, copy, each.copy.size(), graft, from_next));
    MCR_TRY(PointToCopy(each, next, next_modules, graft, from_next));
  }
  return {};
}

Status CopiedVariables::Write(Addr from, Addr to, uint64_t size, checkpoint::ProcessGraft& graft,
                              std::vector<Range<Addr>>& from_next) const {
  std::vector<std::byte> bytes(size), there(size);
  MCR_TRY(live_.Read(from, bytes));
  for (uint64_t at = 0; at + kWord <= size; at += kWord) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, kWord);
    const ChangedModule* module = modules_.Of(word);
    if (module == nullptr) continue;
    const Translation& translation = module->map().Translate(module->InOld(word));
    if (translation.kind == PointerKind::kNone) {
      return Fail(
          "a variable that the C library shares with the program points to what the new "
          "version does not have",
          translation.problem);
    }
    word = module->InNew(translation.to);
    std::memcpy(bytes.data() + at, &word, kWord);
  }
  if (live_.Read(to, there) && there == bytes) return {};
  graft.writes.Add(to, bytes);
  from_next.push_back(*Range<Addr>::FromSize(to, size));
  return {};
}

// Libraries go by their global offset tables, which the loader has filled in at the same places.
Status CopiedVariables::PointToCopy(const Moved& moved, const checkpoint::ProcessImage& next,
                                    const LoadedModules& next_modules,
                                    checkpoint::ProcessGraft& graft,
                                    std::vector<Range<Addr>>& from_next) const {
  const Addr in_next = moved.module->next.bias + moved.copy.begin().value();
  const Addr to = moved.module->new_bias() + moved.copy.begin().value();
  for (const LoadedModule& library : next_modules.all()) {
    const LoadedModule* same = live_modules_.ByPath(library.path);
    if (same == nullptr || library.range == moved.module->next.range) continue;
    for (const Mapping& mapping : next.mappings()) {
      // Relocations that are done are protected: the kernel tells by the written pages.
      if (!library.range.Contains(mapping.range) || mapping.executable) continue;
      MCR_ASSIGN(const auto populated, next.PopulatedRanges(mapping.range));
      for (const Range<Addr>& range : populated) {
        std::vector<std::byte> bytes(range.size());
        MCR_TRY(next.Read(range.begin(), bytes));
        for (uint64_t at = 0; at + kWord <= bytes.size(); at += kWord) {
          if (std::memcmp(bytes.data() + at, &in_next, kWord) != 0) continue;
          const Addr word = same->range.begin() + (range.begin() + at - library.range.begin());
          graft.writes.AddWord(word, to.value());
          from_next.push_back(*Range<Addr>::FromSize(word, kWord));
        }
      }
    }
  }
  return {};
}

}  // namespace mcr::mutator
