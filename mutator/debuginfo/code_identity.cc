#include "mutator/debuginfo/code_identity.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mutator/debuginfo/disassembler.h"
#include "mutator/debuginfo/function_code.h"
#include "mutator/debuginfo/referent.h"

namespace mcr::mutator {
namespace {

using Pairs = InstructionMap::Pairs;

// Instructions to instructions, and ends to ends: a return address is the end of a call, and
// padding may follow.
Pairs PairUp(const FunctionCode& before, const FunctionCode& after) {
  Pairs calls, starts, ends;
  for (size_t part = 0; part < before.parts().size(); ++part) {
    const auto& old_code = before.parts()[part].instructions;
    const auto& new_code = after.parts()[part].instructions;
    for (size_t i = 0; i < old_code.size(); ++i) {
      starts.emplace_back(old_code[i].at, new_code[i].at);
      auto& list = old_code[i].reference == Reference::kCall ? calls : ends;
      list.emplace_back(old_code[i].end(), new_code[i].end());
    }
  }
  // Of several answers the one for a return address counts, which is why calls come first.
  calls.insert(calls.end(), starts.begin(), starts.end());
  calls.insert(calls.end(), ends.begin(), ends.end());
  return calls;
}

Pairs PairJumpTables(const FunctionCode& before, const FunctionCode& after) {
  Pairs tables;
  for (size_t part = 0; part < before.parts().size(); ++part) {
    const auto& old_code = before.parts()[part].instructions;
    const auto& new_code = after.parts()[part].instructions;
    for (size_t i = 0; i < old_code.size(); ++i) {
      if (old_code[i].reference != Reference::kAddress) continue;
      if (before.ReadJumpTable(old_code[i].target).empty()) continue;
      tables.emplace_back(old_code[i].target, new_code[i].target);
    }
  }
  return tables;
}

class LlvmCodeComparer : public CodeComparer {
 public:
  LlvmCodeComparer(std::shared_ptr<const Program> before, std::shared_ptr<const Program> after,
                   std::unique_ptr<Disassembler> disassembler)
      : before_(std::move(before)),
        after_(std::move(after)),
        disassembler_(std::move(disassembler)),
        before_names_(*before_, *disassembler_),
        after_names_(*after_, *disassembler_),
        same_thread_locals_(HaveSameThreadLocals(*before_, *after_)) {}

  Result<InstructionMap> Compare(const Function& before, const Function& after) const override {
    // A part that was split off shares its frame with the function that it was split from.
    return CompareWhole(FindWhole(*before_, before), FindWhole(*after_, after));
  }

 private:
  static const Function& FindWhole(const Program& program, const Function& part) {
    const size_t suffix = part.name.find(".cold");
    if (suffix == std::string::npos) return part;
    for (const Function& each : program.functions()) {
      const bool same_unit = each.unit.empty() || each.unit == part.unit;
      if (same_unit && part.name.compare(0, suffix, each.name) == 0) return each;
    }
    return part;
  }

  Result<InstructionMap> CompareWhole(const Function& before, const Function& after) const {
    MCR_ASSIGN(const FunctionCode old_code, FunctionCode::Read(*before_, *disassembler_, before));
    MCR_ASSIGN(const FunctionCode new_code, FunctionCode::Read(*after_, *disassembler_, after));
    if (old_code.parts().size() != new_code.parts().size()) {
      return Fail("is split into other parts", before.Key());
    }
    for (size_t part = 0; part < old_code.parts().size(); ++part) {
      MCR_TRY(CompareParts(old_code, new_code, part));
    }
    return InstructionMap(PairUp(old_code, new_code), PairJumpTables(old_code, new_code));
  }

  // Offsets from the thread pointer are plain numbers in the code; they count from the end of the
  // block.
  static bool HaveSameThreadLocals(const Program& before, const Program& after) {
    auto list = [](const Program& program) {
      std::vector<std::pair<std::string, Range<FileAddr>>> locals;
      for (const Variable& each : program.variables()) {
        if (each.thread_local_storage) locals.emplace_back(each.Key(), each.range);
      }
      return locals;
    };
    return before.tls_size() == after.tls_size() && list(before) == list(after);
  }

  Status CompareParts(const FunctionCode& before, const FunctionCode& after, size_t part) const {
    const auto& old_code = before.parts()[part].instructions;
    const auto& new_code = after.parts()[part].instructions;
    const size_t common = std::min(old_code.size(), new_code.size());
    for (size_t i = 0; i < common; ++i) {
      if (const auto difference = Difference(before, old_code[i], after, new_code[i])) {
        const Function& function = *before.parts()[part].function;
        return Fail(*difference,
                    function.Key() + "+" + Hex(old_code[i].at - function.range.begin()));
      }
    }
    if (old_code.size() == new_code.size()) return {};
    return Fail("has " + std::to_string(old_code.size()) + " instructions where the new one has " +
                    std::to_string(new_code.size()),
                before.parts()[part].function->Key());
  }

  std::optional<std::string> Difference(const FunctionCode& before, const Instruction& old_one,
                                        const FunctionCode& after,
                                        const Instruction& new_one) const {
    if (old_one.opcode != new_one.opcode || old_one.prefixes != new_one.prefixes ||
        old_one.reference != new_one.reference || !SameOperands(old_one, new_one)) {
      return "does `" + Describe(*before_, old_one) + "` where the new one does `" +
             Describe(*after_, new_one) + "`";
    }
    if (old_one.thread_local_operand && !same_thread_locals_ && !IsStackGuard(old_one)) {
      return "uses thread-local storage, which is laid out differently in the new one";
    }
    if (old_one.reference == Reference::kNone) return std::nullopt;
    return ReferenceDifference(before, old_one, after, new_one);
  }

  // %fs:0x28 belongs to the C library, not to the program.
  static bool IsStackGuard(const Instruction& instruction) {
    return std::ranges::find(instruction.operands, Operand{false, 0x28}) !=
           instruction.operands.end();
  }

  // In a program that is not position-independent a number may be an address.
  bool SameOperands(const Instruction& old_one, const Instruction& new_one) const {
    if (old_one.operands.size() != new_one.operands.size()) return false;
    for (size_t i = 0; i < old_one.operands.size(); ++i) {
      const Operand& old_operand = old_one.operands[i];
      const Operand& new_operand = new_one.operands[i];
      if (old_operand.is_register != new_operand.is_register) return false;
      if (!old_operand.is_register && IsAddress(*before_, old_operand.value) &&
          IsAddress(*after_, new_operand.value)) {
        if (!NamesSame(old_one, old_operand.value, new_one, new_operand.value)) return false;
      } else if (old_operand != new_operand) {
        return false;
      }
    }
    return true;
  }

  static bool IsAddress(const Program& program, int64_t value) {
    if (program.position_independent()) return false;
    return program.FindSection(FileAddr(static_cast<uint64_t>(value))) != nullptr;
  }

  bool NamesSame(Instruction old_one, int64_t old_value, Instruction new_one,
                 int64_t new_value) const {
    old_one.target = FileAddr(static_cast<uint64_t>(old_value));
    new_one.target = FileAddr(static_cast<uint64_t>(new_value));
    const auto old_name = before_names_.Name(old_one);
    return old_name && old_name == after_names_.Name(new_one);
  }

  std::optional<std::string> ReferenceDifference(const FunctionCode& before,
                                                 const Instruction& old_one,
                                                 const FunctionCode& after,
                                                 const Instruction& new_one) const {
    const auto old_position = before.Find(old_one.target);
    const auto new_position = after.Find(new_one.target);
    if (old_position || new_position) {
      if (old_position == new_position) return std::nullopt;
      return "goes on at another place than the new one";
    }
    if (old_one.reference == Reference::kAddress) {
      const auto old_table = before.ReadJumpTable(old_one.target);
      const auto new_table = after.ReadJumpTable(new_one.target);
      if (!old_table.empty() || !new_table.empty()) return TableDifference(old_table, new_table);
    }
    const auto old_name = before_names_.Name(old_one);
    const auto new_name = after_names_.Name(new_one);
    if (old_name && old_name == new_name) return std::nullopt;
    const std::string verb = old_one.reference == Reference::kCall ? "calls " : "refers to ";
    return verb + old_name.value_or("something unknown") + " where the new one " + verb +
           new_name.value_or("something unknown");
  }

  // What follows a table may look like more of it; how many entries are used is in the code, and so
  // compared.
  static std::optional<std::string> TableDifference(
      const std::vector<FunctionCode::Position>& before,
      const std::vector<FunctionCode::Position>& after) {
    const size_t common = std::min(before.size(), after.size());
    if (common > 0 &&
        std::equal(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(common),
                   after.begin())) {
      return std::nullopt;
    }
    return "has a jump table that leads elsewhere than the new one's";
  }

  std::string Describe(const Program& program, const Instruction& instruction) const {
    return disassembler_->Describe(program.Contents(instruction.at), instruction.at);
  }

  const std::shared_ptr<const Program> before_;
  const std::shared_ptr<const Program> after_;
  const std::unique_ptr<Disassembler> disassembler_;
  const ReferentNamer before_names_;
  const ReferentNamer after_names_;
  const bool same_thread_locals_;
};

}  // namespace

InstructionMap::InstructionMap(Pairs instructions, Pairs jump_tables)
    : pairs_(std::move(instructions)), jump_tables_(std::move(jump_tables)) {
  std::ranges::stable_sort(pairs_, {}, &std::pair<FileAddr, FileAddr>::first);
}

std::optional<FileAddr> InstructionMap::Translate(FileAddr old_instruction) const {
  const auto found =
      std::ranges::lower_bound(pairs_, old_instruction, {}, &std::pair<FileAddr, FileAddr>::first);
  if (found == pairs_.end() || found->first != old_instruction) return std::nullopt;
  return found->second;
}

Result<std::unique_ptr<CodeComparer>> CodeComparer::Create(std::shared_ptr<const Program> before,
                                                           std::shared_ptr<const Program> after) {
  MCR_ASSIGN(auto disassembler, Disassembler::Create());
  return std::make_unique<LlvmCodeComparer>(std::move(before), std::move(after),
                                            std::move(disassembler));
}

}  // namespace mcr::mutator
