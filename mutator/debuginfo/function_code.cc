#include "mutator/debuginfo/function_code.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace mcr::mutator {
namespace {

using TableEntry = int32_t;  // relative to the start of the table

}  // namespace

Result<FunctionCode> FunctionCode::Read(const Program& program, const Disassembler& disassembler,
                                        const Function& function) {
  FunctionCode code(program);
  std::vector<const Function*> parts = {&function};
  for (size_t i = 0; i < parts.size(); ++i) {
    MCR_TRY(code.AddPart(disassembler, *parts[i]));
    code.FindMovedParts(parts);
  }
  std::ranges::sort(code.references_);
  return code;
}

Status FunctionCode::AddPart(const Disassembler& disassembler, const Function& function) {
  const auto bytes = program_->Contents(function.range.begin());
  if (bytes.size() < function.range.size()) {
    return Fail("has no code in the file", function.Key(), "use an intact file");
  }
  auto decoded = disassembler.DecodeAll(bytes.first(function.range.size()), function.range.begin());
  if (!decoded) return Fail(decoded.error().what, function.Key() + " at " + decoded.error().where);
  Part part{.function = &function, .instructions = std::move(*decoded)};
  std::erase_if(part.instructions, [](const Instruction& each) { return each.is_padding; });
  for (const Instruction& each : part.instructions) {
    if (each.reference == Reference::kAddress || each.reference == Reference::kMemory) {
      references_.push_back(each.target);
    }
  }
  parts_.push_back(std::move(part));
  return {};
}

// The part that was added last jumps to them.
void FunctionCode::FindMovedParts(std::vector<const Function*>& parts) const {
  const std::string prefix = parts_.front().function->name + ".cold";
  for (const Instruction& each : parts_.back().instructions) {
    if (each.reference != Reference::kJump) continue;
    const Function* function = program_->FindFunction(each.target);
    if (function == nullptr || !function->name.starts_with(prefix)) continue;
    if (std::ranges::find(parts, function) == parts.end()) parts.push_back(function);
  }
}

std::optional<FunctionCode::Position> FunctionCode::Find(FileAddr at) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (!parts_[i].function->range.Contains(at)) continue;
    const auto& instructions = parts_[i].instructions;
    const auto next = std::ranges::lower_bound(instructions, at, {}, &Instruction::at);
    if (next == instructions.end()) return std::nullopt;
    // Anywhere but at an instruction or in padding is in the middle of an instruction.
    if (next != instructions.begin() && std::prev(next)->end() > at) return std::nullopt;
    return Position{i, static_cast<size_t>(next - instructions.begin())};
  }
  return std::nullopt;
}

std::vector<FunctionCode::Position> FunctionCode::ReadJumpTable(FileAddr table) const {
  std::vector<Position> positions;
  const Section* section = program_->FindSection(table);
  if (section == nullptr || section->executable) return positions;
  const auto bytes = program_->Contents(table);
  FileAddr limit = std::min(section->range.end(), table + bytes.size());
  const auto next = std::ranges::upper_bound(references_, table);
  if (next != references_.end()) limit = std::min(limit, *next);
  for (uint64_t at = 0; at + sizeof(TableEntry) <= limit - table; at += sizeof(TableEntry)) {
    TableEntry entry;
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    const FileAddr target = table + static_cast<uint64_t>(int64_t{entry});
    const auto position = Find(target);
    if (!position) break;
    positions.push_back(*position);
  }
  return positions;
}

}  // namespace mcr::mutator
