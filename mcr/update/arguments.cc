#include "mcr/update/arguments.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "mutator/debuginfo/type_table.h"

namespace mcr::update {
namespace {

using mutator::Type;
using mutator::TypeId;
using mutator::TypeKind;

constexpr size_t kMostStrings = 4096;
constexpr size_t kLongestString = 128 << 10;  // bytes; MAX_ARG_STRLEN of the kernel
constexpr int kDeepest = 8;                   // structs within structs
constexpr uint64_t kPointer = sizeof(uint64_t);

struct StringVector {
  std::string name;
  FileAddr at;
};

bool IsStringVector(const mutator::TypeTable& types, TypeId id) {
  for (int level = 0; level < 2; ++level) {
    if (types[id].kind != TypeKind::kPointer) return false;
    id = types[id].target;
  }
  return types[id].kind == TypeKind::kInteger && types[id].size == 1;
}

// Every `char **` of a value of type `id` at `at`.
void Collect(const mutator::TypeTable& types, TypeId id, const StringVector& value, int depth,
             std::vector<StringVector>& into) {
  if (IsStringVector(types, id)) into.push_back(value);
  if (types[id].kind != TypeKind::kStruct || depth == kDeepest) return;
  for (const mutator::Member& member : types[id].members) {
    const std::string name = member.name.empty() ? value.name : value.name + "." + member.name;
    Collect(types, member.type, {name, value.at + member.offset}, depth + 1, into);
  }
}

std::vector<StringVector> StringVectors(const mutator::Program& program) {
  std::vector<StringVector> vectors;
  for (const mutator::Variable& variable : program.variables()) {
    if (variable.thread_local_storage) continue;
    Collect(program.types(), variable.type, {variable.name, variable.range.begin()}, 0, vectors);
  }
  return vectors;
}

// `count` pointers from `vector` on; nullopt if there are fewer, or more.
std::optional<std::vector<Addr>> ReadVector(const MemoryReader& memory, Addr vector, size_t count) {
  std::vector<Addr> texts;
  for (size_t i = 0; i <= count; ++i) {
    const auto text = memory.ReadValue<uint64_t>(vector + i * kPointer);
    if (!text || (*text == 0) != (i == count)) return std::nullopt;
    if (i < count) texts.emplace_back(*text);
  }
  return texts;
}

class ArgumentFinder {
 public:
  ArgumentFinder(const MemoryReader& memory, const ArgumentRecord& record, size_t count)
      : memory_(memory), record_(record), count_(count) {}

  std::optional<std::vector<std::string>> OnStack() const {
    const auto texts = ReadVector(memory_, record_.stack + kPointer, count_);
    if (!texts) return std::nullopt;
    if (auto untouched = ReadUntouched(*texts)) return untouched;
    if (auto copies = ReadCopies(*texts, 0)) return copies;
    return ReadCopies(*texts, 1);
  }

  std::optional<std::vector<std::string>> In(Addr variable) const {
    const auto vector = memory_.ReadValue<uint64_t>(variable);
    if (!vector || *vector == 0) return std::nullopt;
    const auto texts = ReadVector(memory_, Addr(*vector), count_);
    return texts ? ReadCopies(*texts, 0) : std::nullopt;
  }

 private:
  // As the kernel lays them out: one after the other, filling their place.
  std::optional<std::vector<std::string>> ReadUntouched(const std::vector<Addr>& texts) const {
    std::vector<std::string> strings;
    Addr expected = record_.strings.begin();
    for (Addr text : texts) {
      const auto string = memory_.ReadString(text, kLongestString);
      if (text != expected || !string) return std::nullopt;
      expected = text + string->size() + 1;
      strings.push_back(*string);
    }
    if (expected != record_.strings.end()) return std::nullopt;
    return strings;
  }

  // The first `overwritten` ones are taken to be the executed path.
  std::optional<std::vector<std::string>> ReadCopies(const std::vector<Addr>& texts,
                                                     size_t overwritten) const {
    std::vector<std::string> strings(overwritten, record_.executable);
    size_t total = overwritten * (record_.executable.size() + 1);
    for (size_t i = overwritten; i < texts.size(); ++i) {
      if (record_.strings.Contains(texts[i])) return std::nullopt;
      const auto string = memory_.ReadString(texts[i], kLongestString);
      if (!string) return std::nullopt;
      total += string->size() + 1;
      strings.push_back(*string);
    }
    if (total != record_.strings.size()) return std::nullopt;
    return strings;
  }

  const MemoryReader& memory_;
  const ArgumentRecord& record_;
  size_t count_;
};

}  // namespace

std::optional<std::vector<std::string>> FindArguments(const mutator::Program& program, Addr bias,
                                                      const MemoryReader& memory,
                                                      const ArgumentRecord& record) {
  const auto count = memory.ReadValue<uint64_t>(record.stack);
  if (!count || *count == 0 || *count > kMostStrings) return std::nullopt;
  const ArgumentFinder finder(memory, record, *count);
  if (auto found = finder.OnStack()) return found;
  for (const StringVector& vector : StringVectors(program)) {
    if (auto found = finder.In(bias + vector.at.value())) return found;
  }
  return std::nullopt;
}

std::optional<FileAddr> FindStringVector(const mutator::Program& program, const std::string& name) {
  const auto vectors = StringVectors(program);
  const auto found = std::ranges::find(vectors, name, &StringVector::name);
  if (found == vectors.end()) return std::nullopt;
  return found->at;
}

Result<std::vector<std::string>> ReadStrings(const MemoryReader& memory, Addr variable) {
  std::vector<std::string> strings;
  MCR_ASSIGN(const uint64_t vector, memory.ReadValue<uint64_t>(variable));
  for (Addr at(vector); strings.size() < kMostStrings; at = at + kPointer) {
    MCR_ASSIGN(const uint64_t text, memory.ReadValue<uint64_t>(at));
    if (text == 0) return strings;
    MCR_ASSIGN(std::string value, memory.ReadString(Addr(text), kLongestString));
    strings.push_back(std::move(value));
  }
  return Fail("vector of strings has no end", Hex(variable));
}

}  // namespace mcr::update
