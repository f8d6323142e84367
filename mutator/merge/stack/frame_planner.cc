#include "mutator/merge/stack/frame_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "mutator/debuginfo/call_sites.h"
#include "mutator/debuginfo/disassembler.h"
#include "mutator/debuginfo/ending_calls.h"
#include "mutator/debuginfo/function_code.h"
#include "mutator/debuginfo/referent.h"
#include "mutator/debuginfo/type_index.h"
#include "mutator/merge/stack/frame_matcher.h"

namespace mcr::mutator {
namespace {

constexpr int64_t kWord = 8;

// The variables' places in the frame, whatever their scope.
std::vector<FrameObject> ObjectsOf(const FunctionFrame& frame, FrameOffset frame_pointer) {
  std::vector<FrameObject> objects;
  for (const FrameVariable& variable : frame.variables) {
    for (const FrameVariable::Described& each : variable.locations) {
      if (each.pieces.size() != 1 || variable.size == 0) continue;
      const Location& place = each.pieces.front();
      const bool framed =
          place.kind == Location::Kind::kRegisterMemory && place.register_number == kRbp;
      if (place.kind != Location::Kind::kFrame && !framed) continue;
      const FrameOffset begin = place.offset + (framed ? frame_pointer : 0);
      objects.push_back({begin, begin + static_cast<int64_t>(variable.size)});
    }
  }
  return objects;
}

// One version.
class Side {
 public:
  struct Function {
    FrameKnowledge knowledge;
    std::vector<CallSite> calls;
  };

  Side(std::shared_ptr<const Program> program, std::unique_ptr<FrameVariables> variables,
       const Disassembler& disassembler)
      : program_(std::move(program)),
        variables_(std::move(variables)),
        disassembler_(disassembler),
        names_(*program_, disassembler_),
        types_(program_->types()),
        ending_(*program_, disassembler_, names_) {}

  const Program& program() const { return *program_; }

  const Result<Function>& Know(const mutator::Function& function) {
    const auto known = functions_.find(function.range.begin());
    if (known != functions_.end()) return known->second;
    return functions_.emplace(function.range.begin(), Study(function)).first->second;
  }

 private:
  Result<Function> Study(const mutator::Function& function) const {
    // `push rbp; mov rbp, rsp`: what clang's debug information counts from.
    constexpr FrameOffset kFramePointer = -16;
    MCR_ASSIGN(const FunctionCode code, FunctionCode::Read(*program_, disassembler_, function));
    MCR_ASSIGN(FunctionFrame frame, variables_->Read(function.range.begin()));
    MCR_ASSIGN(FrameFlow flow, FrameFlow::Analyze(*program_, disassembler_, ending_, code,
                                                  ObjectsOf(frame, kFramePointer)));
    std::vector<TypeId> types;
    for (const FrameVariable& variable : frame.variables) {
      types.push_back(types_.Find(frame.types, variable.type));
    }
    return Function{{std::move(frame), std::move(flow), std::move(types)},
                    ListCalls(code, disassembler_, *program_, names_, *variables_)};
  }

  const std::shared_ptr<const Program> program_;
  const std::unique_ptr<FrameVariables> variables_;
  const Disassembler& disassembler_;
  const ReferentNamer names_;
  const TypeIndex types_;
  const EndingCalls ending_;
  std::unordered_map<FileAddr, Result<Function>> functions_;
};

class CachingPlanner : public FramePlanner {
 public:
  CachingPlanner(std::unique_ptr<Disassembler> disassembler, std::shared_ptr<const Program> before,
                 std::unique_ptr<FrameVariables> old_variables,
                 std::shared_ptr<const Program> after,
                 std::unique_ptr<FrameVariables> new_variables, std::set<std::string> start_frames)
      : disassembler_(std::move(disassembler)),
        before_(std::move(before), std::move(old_variables), *disassembler_),
        after_(std::move(after), std::move(new_variables), *disassembler_),
        start_frames_(std::move(start_frames)) {
    for (const Function& function : after_.program().functions()) {
      new_functions_.emplace(function.Key(), &function);
    }
  }

  const Result<FramePlan>& Plan(FileAddr old_return) override {
    const auto known = plans_.find(old_return);
    if (known != plans_.end()) return known->second;
    return plans_.emplace(old_return, Make(old_return)).first->second;
  }

  const FramePlan* PlanGoingOnAt(FileAddr new_return) const override {
    for (const auto& [returns, plan] : plans_) {
      if (plan && plan->new_return == new_return) return &*plan;
    }
    return nullptr;
  }

  void PlanFunction(const Function& old_function) override {
    const auto& known = before_.Know(old_function);
    if (!known) return;
    for (const CallSite& call : known->calls) {
      for (const FileAddr returns : call.returns) {
        Plan(returns);
        LocalsAt(returns);
      }
    }
  }

  bool MayReadPointer(FileAddr new_return, FrameOffset at) override {
    const Function* function = after_.program().FindFunction(new_return - 1);
    if (function == nullptr) return true;
    const auto& known = after_.Know(*function);
    if (!known) return true;
    const FrameKnowledge& knowledge = known->knowledge;
    const auto frame = FrameAtCall::Create(knowledge, new_return);
    if (!frame) return true;
    if (!frame->MayRead(at)) return false;
    // Compilers give variables of different scopes the same place.
    bool text = false, other = false;
    for (const FrameVariable& variable : knowledge.frame.variables) {
      if (!Holds(frame->WhereIs(variable), variable.size, at)) continue;
      (IsText(knowledge, variable) ? text : other) = true;
    }
    return other || !text;
  }

  const std::vector<LiveLocal>& LocalsAt(FileAddr old_return) override {
    const auto [entry, is_new] = locals_.try_emplace(old_return);
    if (is_new) entry->second = FindLocals(old_return);
    return entry->second;
  }

 private:
  Result<FramePlan> Make(FileAddr old_return) {
    const Function* old_function = before_.program().FindFunction(old_return - 1);
    if (old_function == nullptr) return Fail("no function calls from there");
    const auto found = new_functions_.find(old_function->Key());
    if (found == new_functions_.end()) return Fail("the function is not in the new version");
    const auto& old_side = before_.Know(*old_function);
    if (!old_side) return tl::make_unexpected(old_side.error());
    const auto& new_side = after_.Know(*found->second);
    if (!new_side) return tl::make_unexpected(new_side.error());
    MCR_ASSIGN(const FileAddr new_return,
               FindSameCall(old_side->calls, old_return, new_side->calls));
    MCR_ASSIGN(const auto old_frame, FrameAtCall::Create(old_side->knowledge, old_return));
    MCR_ASSIGN(const auto new_frame, FrameAtCall::Create(new_side->knowledge, new_return));
    const bool is_start_frame = start_frames_.contains(old_function->name);
    return MatchFrames(old_function->name, old_frame, new_frame, is_start_frame);
  }

  static bool IsText(const FrameKnowledge& knowledge, const FrameVariable& variable) {
    const TypeTable& types = knowledge.frame.types;
    const Type& type = types[variable.type];
    if (type.kind != TypeKind::kArray) return false;
    const Type& element = types[type.target];
    return element.kind == TypeKind::kInteger && element.size == 1;
  }

  // Whether a variable that is in memory as a whole has the word at that offset.
  static bool Holds(const std::vector<Location>& places, uint64_t size, FrameOffset at) {
    if (places.size() != 1 || places.front().kind != Location::Kind::kFrame) return false;
    const int64_t begin = places.front().offset;
    return begin <= at && at + kWord <= begin + static_cast<int64_t>(size);
  }

  std::vector<LiveLocal> FindLocals(FileAddr old_return) {
    std::vector<LiveLocal> locals;
    const Function* function = before_.program().FindFunction(old_return - 1);
    if (function == nullptr) return locals;
    const auto& known = before_.Know(*function);
    if (!known) return locals;
    const auto frame = FrameAtCall::Create(known->knowledge, old_return);
    if (!frame) return locals;
    for (const FrameVariable& variable : known->knowledge.frame.variables) {
      const TypeId type = known->knowledge.TypeOf(variable);
      if (type == 0 || !variable.IsInScope(old_return - 1)) continue;
      std::vector<Location> places = frame->WhereIs(variable);
      if (!IsKnown(places) || !frame->Reads(variable, places)) continue;
      locals.push_back({variable.name, type, variable.size, std::move(places)});
    }
    return locals;
  }

  const std::unique_ptr<Disassembler> disassembler_;
  Side before_, after_;
  const std::set<std::string> start_frames_;
  std::unordered_map<std::string, const Function*> new_functions_;
  std::unordered_map<FileAddr, Result<FramePlan>> plans_;
  std::unordered_map<FileAddr, std::vector<LiveLocal>> locals_;
};

}  // namespace

Result<std::unique_ptr<FramePlanner>> FramePlanner::Create(std::shared_ptr<const Program> before,
                                                           std::shared_ptr<const Program> after,
                                                           const DebugSearch& search,
                                                           std::set<std::string> start_frames) {
  MCR_ASSIGN(auto disassembler, Disassembler::Create());
  MCR_ASSIGN(auto old_variables, FrameVariables::Open(before->path(), search));
  MCR_ASSIGN(auto new_variables, FrameVariables::Open(after->path(), search));
  return std::make_unique<CachingPlanner>(std::move(disassembler), std::move(before),
                                          std::move(old_variables), std::move(after),
                                          std::move(new_variables), std::move(start_frames));
}

}  // namespace mcr::mutator
