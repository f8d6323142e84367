#include "mutator/debuginfo/program.h"

#include <algorithm>
#include <utility>

#include "mutator/debuginfo/debug_file_finder.h"
#include "mutator/debuginfo/dwarf_reader.h"
#include "mutator/debuginfo/elf_file.h"
#include "mutator/debuginfo/inventory.h"
#include "mutator/debuginfo/symbol_table.h"

namespace mcr::mutator {
namespace {

// The item whose range holds `at`, in a list sorted by address.
template <class Items>
auto FindByAddress(const Items& items, FileAddr at) -> decltype(&*items.begin()) {
  const auto after =
      std::ranges::upper_bound(items, at, {}, [](const auto& item) { return item.range.begin(); });
  if (after == items.begin()) return nullptr;
  const auto& item = *std::prev(after);
  return item.range.Contains(at) ? &item : nullptr;
}

Variable VariableOf(DwarfVariable described) {
  if (described.external) described.variable.unit.clear();
  return std::move(described.variable);
}

std::vector<Variable> VariablesOf(std::vector<DwarfVariable> described) {
  std::vector<Variable> variables;
  for (DwarfVariable& each : described) variables.push_back(VariableOf(std::move(each)));
  return variables;
}

class LoadedProgram : public Program {
 public:
  static Result<std::shared_ptr<const Program>> Create(std::unique_ptr<ElfFile> file,
                                                       const DebugSearch& search) {
    std::shared_ptr<LoadedProgram> program(new LoadedProgram(std::move(file)));
    MCR_TRY(program->ReadElf());
    MCR_ASSIGN(const std::unique_ptr<ElfFile> debug_file, FindDebugFile(*program->file_, search));
    MCR_TRY(program->ReadDebugInformation(debug_file.get()));
    return program;
  }

  const std::string& path() const override { return file_->path(); }
  const std::string& build_id() const override { return build_id_; }
  bool position_independent() const override { return file_->position_independent(); }
  const std::vector<Segment>& segments() const override { return segments_.segments; }
  const std::vector<Section>& sections() const override { return sections_; }
  const std::vector<std::string>& needed() const override { return needed_; }
  const std::vector<Symbol>& symbols() const override { return symbols_; }
  const std::vector<Variable>& variables() const override { return variables_; }
  std::vector<Variable> scattered() const override { return scattered_; }
  std::vector<VariableInParts> in_parts() const override { return in_parts_; }
  const std::vector<Function>& functions() const override { return functions_; }
  const std::vector<Relocation>& relocations() const override { return relocations_; }
  const TypeTable& types() const override { return types_; }
  Range<FileAddr> relro() const override { return segments_.relro; }
  uint64_t tls_size() const override { return segments_.tls_size; }
  std::span<const std::byte> tls_image() const override { return segments_.tls_image; }

  std::span<const std::byte> Contents(FileAddr at) const override {
    const Segment* segment = FindByAddress(segments_.segments, at);
    if (segment == nullptr) return {};
    const uint64_t offset = at - segment->range.begin();
    if (offset >= segment->file_size) return {};
    return file_->bytes().subspan(segment->file_offset + offset, segment->file_size - offset);
  }

 private:
  explicit LoadedProgram(std::unique_ptr<ElfFile> file)
      : file_(std::move(file)), build_id_(file_->build_id()) {}

  Status ReadElf() {
    MCR_ASSIGN(segments_, ReadSegments(*file_));
    sections_ = ReadSections(*file_);
    MCR_ASSIGN(needed_, ReadNeeded(*file_));
    MCR_ASSIGN(relocations_, ReadRelocations(*file_));
    return {};
  }

  Status ReadDebugInformation(const ElfFile* debug_file) {
    MCR_ASSIGN(symbols_, ReadSymbols(*file_, debug_file));
    MCR_ASSIGN(DwarfContents dwarf, ReadDwarf(debug_file == nullptr ? *file_ : *debug_file));
    const Evidence evidence{
        .sections = sections_, .symbols = symbols_, .tls_size = segments_.tls_size, .dwarf = dwarf};
    variables_ = ListVariables(evidence);
    functions_ = ListFunctions(evidence);
    scattered_ = VariablesOf(std::move(dwarf.scattered));
    for (DwarfVariableInParts& each : dwarf.in_parts) {
      in_parts_.push_back({VariableOf(std::move(each.whole)), std::move(each.parts)});
    }
    types_ = std::move(dwarf.types);
    return {};
  }

  const std::unique_ptr<ElfFile> file_;
  const std::string build_id_;
  SegmentTable segments_;
  std::vector<Section> sections_;
  std::vector<std::string> needed_;
  std::vector<Symbol> symbols_;
  std::vector<Variable> variables_;
  std::vector<Variable> scattered_;
  std::vector<VariableInParts> in_parts_;
  std::vector<Function> functions_;
  std::vector<Relocation> relocations_;
  TypeTable types_;
};

}  // namespace

Result<std::shared_ptr<const Program>> Program::Load(const std::string& path,
                                                     const DebugSearch& search) {
  MCR_ASSIGN(std::unique_ptr<ElfFile> file, ElfFile::Open(path));
  return LoadedProgram::Create(std::move(file), search);
}

const Section* Program::FindSection(FileAddr at) const { return FindByAddress(sections(), at); }

const Section* Program::FindSection(std::string_view name) const {
  const auto found = std::ranges::find(sections(), name, &Section::name);
  return found == sections().end() ? nullptr : &*found;
}

const Variable* Program::FindVariable(FileAddr at) const {
  // Thread-local variables come last: their "addresses" are offsets.
  const auto end = std::ranges::partition_point(
      variables(), [](const Variable& variable) { return !variable.thread_local_storage; });
  return FindByAddress(std::span(variables().begin(), end), at);
}

const Function* Program::FindFunction(FileAddr at) const { return FindByAddress(functions(), at); }

}  // namespace mcr::mutator
