// A program made of literals, for tests: no file, no DWARF.
#ifndef MCR_MUTATOR_MERGE_FAKE_PROGRAM_H_
#define MCR_MUTATOR_MERGE_FAKE_PROGRAM_H_

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mutator/debuginfo/code_identity.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

// Text at 0x1000, read-only data at 0x2000, writable data from 0x3000 to 0x4000 (file) and 0x5000
// (zeros).
class FakeProgram : public Program {
 public:
  static constexpr FileAddr kText{0x1000}, kRodata{0x2000}, kData{0x3000}, kBss{0x4000};
  static constexpr uint64_t kEnd = 0x5000;

  FakeProgram() : rodata_(0x1000), data_(0x1000) {
    segments_ = {{At(FileAddr(0), 0x3000), 0, 0x3000, true, false, true},
                 {At(kData, 0x2000), 0x3000, 0x1000, true, true, false}};
    sections_ = {Named(".text", kText, 0x1000), Named(".rodata", kRodata, 0x1000),
                 Named(".data", kData, 0x1000), Named(".bss", kBss, 0x1000)};
    sections_[0].executable = true;
    sections_[2].writable = sections_[3].writable = true;
    sections_[3].no_bits = true;
  }

  void AddFunction(std::string name, FileAddr at, uint64_t size, TypeId type = 0) {
    functions_.push_back({std::move(name), "", At(at, size), type});
  }
  void AddVariable(std::string name, FileAddr at, uint64_t size, TypeId type = 0) {
    variables_.push_back({std::move(name), "", "", At(at, size), type, false});
  }
  void AddStatic(std::string name, std::string unit, std::string function, FileAddr at,
                 uint64_t size, TypeId type) {
    variables_.push_back(
        {std::move(name), std::move(unit), std::move(function), At(at, size), type, false});
  }
  void AddScattered(std::string name, TypeId type, std::string function = "") {
    scattered_.push_back({std::move(name), "", std::move(function), {}, type, false});
  }
  TypeId AddType(Type type) { return types_.Add(std::move(type)); }
  void AddRelocation(FileAddr at, uint32_t type, FileAddr addend) {
    relocations_.push_back({at, type, "", addend});
  }
  void PutLiteral(FileAddr at, std::string_view text) {
    std::memcpy(rodata_.data() + (at - kRodata), text.data(), text.size());
  }
  void PutWord(FileAddr at, uint64_t word) {
    std::memcpy(data_.data() + (at - kData), &word, sizeof word);
  }

  const std::string& path() const override { return name_; }
  const std::string& build_id() const override { return name_; }
  bool position_independent() const override { return true; }
  const std::vector<Segment>& segments() const override { return segments_; }
  const std::vector<Section>& sections() const override { return sections_; }
  const std::vector<std::string>& needed() const override { return needed_; }
  const std::vector<Symbol>& symbols() const override { return symbols_; }
  const std::vector<Variable>& variables() const override { return variables_; }
  std::vector<Variable> scattered() const override { return scattered_; }
  const std::vector<Function>& functions() const override { return functions_; }
  const std::vector<Relocation>& relocations() const override { return relocations_; }
  const TypeTable& types() const override { return types_; }
  Range<FileAddr> relro() const override { return {}; }
  uint64_t tls_size() const override { return 0; }
  std::span<const std::byte> tls_image() const override { return {}; }
  std::span<const std::byte> Contents(FileAddr at) const override {
    if (At(kRodata, 0x1000).Contains(at)) return std::span(rodata_).subspan(at - kRodata);
    if (At(kData, 0x1000).Contains(at)) return std::span(data_).subspan(at - kData);
    return {};
  }

 private:
  static Range<FileAddr> At(FileAddr begin, uint64_t size) {
    return *Range<FileAddr>::FromSize(begin, size);
  }
  static Section Named(std::string name, FileAddr begin, uint64_t size) {
    Section section;
    section.name = std::move(name);
    section.range = At(begin, size);
    section.allocated = true;
    return section;
  }

  std::string name_;
  std::vector<Segment> segments_;
  std::vector<Section> sections_;
  std::vector<std::string> needed_;
  std::vector<Symbol> symbols_;
  std::vector<Variable> variables_, scattered_;
  std::vector<Function> functions_;
  std::vector<Relocation> relocations_;
  TypeTable types_;
  std::vector<std::byte> rodata_, data_;
};

// Functions of the same size are the same code, byte for byte; others differ.
class FakeComparer : public CodeComparer {
 public:
  using JumpTables = std::vector<std::pair<FileAddr, FileAddr>>;
  explicit FakeComparer(JumpTables jump_tables = {}) : jump_tables_(std::move(jump_tables)) {}

  Result<InstructionMap> Compare(const Function& before, const Function& after) const override {
    if (before.range.size() != after.range.size()) return Fail("other size");
    std::vector<std::pair<FileAddr, FileAddr>> pairs;
    for (uint64_t at = 0; at <= before.range.size(); ++at) {
      pairs.emplace_back(before.range.begin() + at, after.range.begin() + at);
    }
    return InstructionMap(std::move(pairs), jump_tables_);
  }

 private:
  JumpTables jump_tables_;  // of every function
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_FAKE_PROGRAM_H_
