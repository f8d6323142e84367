#include "mutator/filter/learned_invariants.h"

#include <elf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <span>
#include <utility>

#include "mcr/base/range.h"
#include "mutator/filter/state_filter.h"
#include "mutator/filter/value_type.h"

namespace mcr::mutator {
namespace {

// A wider range says little.
constexpr int64_t kWidest = 1024;
constexpr size_t kMostTargets = 3;

bool IsName(const std::string& name) {
  return std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

bool IsWritable(const Program& program, const Range<FileAddr>& range) {
  const Section* section = program.FindSection(range.begin());
  return section != nullptr && section->writable && !program.relro().Overlaps(range);
}

// The file's bytes; zero where it has none.
uint64_t InitialOf(const Program& program, const Range<FileAddr>& range) {
  uint64_t value = 0;
  const auto bytes = program.Contents(range.begin());
  std::memcpy(&value, bytes.data(), std::min<size_t>(bytes.size(), range.size()));
  return value;
}

int64_t Extend(uint64_t value, uint64_t size, bool is_signed) {
  const auto unused = static_cast<int>(64 - 8 * size);
  if (!is_signed || unused == 0) return static_cast<int64_t>(value);
  return static_cast<int64_t>(value << unused) >> unused;
}

}  // namespace

LearnedInvariants::LearnedInvariants(std::shared_ptr<const Program> program)
    : program_(std::move(program)) {
  for (const Relocation& relocation : program_->relocations()) {
    if (relocation.type == R_X86_64_RELATIVE) relocated_[relocation.at] = relocation.addend;
  }
  for (const Variable& variable : program_->variables()) {
    if (auto learned = Begin(variable)) all_.push_back(*std::move(learned));
  }
}

std::optional<LearnedInvariants::Learned> LearnedInvariants::Begin(const Variable& variable) const {
  if (variable.thread_local_storage || variable.type == 0 || !IsName(variable.name) ||
      variable.range.empty() || !IsWritable(*program_, variable.range)) {
    return std::nullopt;
  }
  const ValueType type = TypeOf(program_->types(), variable.type);
  const bool is_pointer = type.kind == ValueType::Kind::kPointer;
  if (!is_pointer && type.kind != ValueType::Kind::kInteger) return std::nullopt;
  if (variable.range.size() > sizeof(uint64_t)) return std::nullopt;
  Learned learned;
  learned.variable = &variable;
  learned.is_pointer = is_pointer;
  learned.is_signed = type.is_signed;
  learned.initial = InitialOf(*program_, variable.range);
  learned.is_relocated = relocated_.contains(variable.range.begin());
  return learned;
}

bool LearnedInvariants::IsInitial(const Learned& learned, uint64_t value, Addr bias) const {
  if (!learned.is_relocated) return value == learned.initial;
  return value == (bias + relocated_.at(learned.variable->range.begin()).value()).value();
}

void LearnedInvariants::LookAtNumber(Learned& learned, pid_t process, uint64_t value) {
  const int64_t number = Extend(value, learned.variable->range.size(), learned.is_signed);
  if (!learned.is_signed && number < 0) learned.least = INT64_MIN;  // more than can be said
  learned.least = std::min(learned.least, number);
  learned.most = std::max(learned.most, number);
  const auto [last, is_new] = learned.last.try_emplace(process, number);
  if (number < last->second) learned.has_fallen = true;
  last->second = number;
}

// A name of the program, which the next version has as well.
std::string LearnedInvariants::TargetOf(uint64_t value, Addr bias) const {
  if (value == 0) return "0";
  const FileAddr at(value - bias.value());
  const Function* function = program_->FindFunction(at);
  if (function != nullptr && function->range.begin() == at && IsName(function->name)) {
    return function->name;
  }
  const Variable* variable = program_->FindVariable(at);
  if (variable != nullptr && variable->range.begin() == at && IsName(variable->name)) {
    return "&" + variable->name;
  }
  return "";
}

void LearnedInvariants::Look(pid_t process, const MemoryReader& memory, Addr bias) {
  for (Learned& learned : all_) {
    uint64_t value = 0;
    const Range<FileAddr>& range = learned.variable->range;
    const auto bytes = std::as_writable_bytes(std::span(&value, 1)).first(range.size());
    if (!memory.Read(bias + range.begin().value(), bytes)) continue;
    if (!IsInitial(learned, value, bias)) learned.was_changed = true;
    if (learned.is_pointer) {
      learned.targets.insert(TargetOf(value, bias));
    } else {
      LookAtNumber(learned, process, value);
    }
  }
}

std::string LearnedInvariants::ExpressionFor(const Learned& learned) {
  const std::string& name = learned.variable->name;
  if (!learned.was_changed) return "";
  if (learned.is_pointer) {
    const bool has_a_name = !learned.targets.contains("");
    if (!has_a_name) return learned.targets.contains("0") ? "" : name + " != 0";
    if (learned.targets.size() > kMostTargets) return "";
    std::vector<std::string> parts;
    for (const std::string& target : learned.targets) parts.push_back(name + " == " + target);
    return fmt::format("{}", fmt::join(parts, " || "));
  }
  if (learned.least == INT64_MIN) return "";
  if (learned.least == learned.most) return fmt::format("{} == {}", name, learned.least);
  const bool is_wide = learned.most / 2 - learned.least / 2 > kWidest / 2;
  if (is_wide || !learned.has_fallen) return "";
  return fmt::format("{0} >= {1} && {0} <= {2}", name, learned.least, learned.most);
}

std::vector<std::string> LearnedInvariants::Expressions() const {
  std::vector<std::string> expressions;
  for (const Learned& learned : all_) {
    std::string expression = ExpressionFor(learned);
    // A name may stand for several things.
    if (!expression.empty() && StateFilter::Create(expression, {{program_, ""}})) {
      expressions.push_back(std::move(expression));
    }
  }
  std::ranges::sort(expressions);
  return expressions;
}

}  // namespace mcr::mutator
