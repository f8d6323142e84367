#include "mutator/debuginfo/split_program.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mutator/debuginfo/sub_objects.h"

namespace mcr::mutator {
namespace {

class SplitProgram : public Program {
 public:
  SplitProgram(std::shared_ptr<const Program> whole, std::vector<Variable> variables)
      : whole_(std::move(whole)), variables_(std::move(variables)) {}

  const std::string& path() const override { return whole_->path(); }
  const std::string& build_id() const override { return whole_->build_id(); }
  bool position_independent() const override { return whole_->position_independent(); }
  const std::vector<Segment>& segments() const override { return whole_->segments(); }
  const std::vector<Section>& sections() const override { return whole_->sections(); }
  const std::vector<std::string>& needed() const override { return whole_->needed(); }
  const std::vector<Symbol>& symbols() const override { return whole_->symbols(); }
  const std::vector<Variable>& variables() const override { return variables_; }
  std::vector<Variable> scattered() const override { return whole_->scattered(); }
  std::vector<VariableInParts> in_parts() const override { return whole_->in_parts(); }
  const std::vector<Function>& functions() const override { return whole_->functions(); }
  const std::vector<Relocation>& relocations() const override { return whole_->relocations(); }
  const TypeTable& types() const override { return whole_->types(); }
  Range<FileAddr> relro() const override { return whole_->relro(); }
  uint64_t tls_size() const override { return whole_->tls_size(); }
  std::span<const std::byte> tls_image() const override { return whole_->tls_image(); }
  std::span<const std::byte> Contents(FileAddr at) const override { return whole_->Contents(at); }

 private:
  std::shared_ptr<const Program> whole_;
  std::vector<Variable> variables_;
};

// The parts of `whole` that the other program has variables for, under the names that they have
// there.
std::vector<Variable> Split(const Program& program, const Variable& whole,
                            const std::set<std::string>& wanted) {
  std::vector<Variable> parts;
  for (const SubObject& part : SubObjectsOf(program.types(), whole.type)) {
    Variable variable = whole;
    variable.name += part.path;
    variable.type = part.type;
    const auto range = Range<FileAddr>::FromSize(whole.range.begin() + part.offset,
                                                 program.types()[part.type].size);
    if (!range || range->empty() || !wanted.contains(variable.Key())) continue;
    variable.range = *range;
    parts.push_back(std::move(variable));
  }
  return parts;
}

}  // namespace

std::shared_ptr<const Program> SplitLike(std::shared_ptr<const Program> program,
                                         const Program& other) {
  std::set<std::string> in_parts, wanted;
  for (const auto& each : other.in_parts()) in_parts.insert(each.variable.Key());
  if (in_parts.empty()) return program;
  for (const Variable& variable : other.variables()) wanted.insert(variable.Key());
  std::vector<Variable> variables;
  bool split = false;
  for (const Variable& variable : program->variables()) {
    const bool is_cut = variable.type != 0 && in_parts.contains(variable.Key());
    std::vector<Variable> parts =
        is_cut ? Split(*program, variable, wanted) : std::vector<Variable>();
    if (parts.empty()) parts.push_back(variable);
    split |= parts.size() != 1 || parts.front().name != variable.name;
    std::ranges::move(parts, std::back_inserter(variables));
  }
  if (!split) return program;
  std::ranges::stable_sort(variables, {}, [](const Variable& variable) {
    return std::pair(variable.thread_local_storage, variable.range.begin());
  });
  return std::make_shared<SplitProgram>(std::move(program), std::move(variables));
}

}  // namespace mcr::mutator
