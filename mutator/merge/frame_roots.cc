#include "mutator/merge/frame_roots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "mutator/merge/stack/frame_plan.h"
#include "mutator/merge/stack/frame_planner.h"
#include "mutator/merge/stack/frame_values.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

// Of a frame that is made anew; nullptr: it is kept, or cannot be taken over.
const FramePlan* PlanOf(const ChangedModule& module, Addr instruction) {
  if (!module.live.range.Contains(instruction) || module.versions->frames == nullptr)
    return nullptr;
  const FileAddr returns = module.InOld(instruction.value());
  const Function* function = module.before().FindFunction(returns - 1);
  if (function == nullptr || module.map().HasSame(*function)) return nullptr;
  const auto& plan = module.versions->frames->Plan(returns);
  return plan ? &*plan : nullptr;
}

class Roots {
 public:
  Roots(const checkpoint::ProcessImage& live, const ChangedModule& module, Tracer& tracer)
      : live_(live), module_(module), tracer_(tracer) {}

  void Add(const checkpoint::ThreadImage& thread) {
    // The innermost frame waits in the system call itself, and the outermost has no end.
    for (size_t i = 1; i + 1 < thread.frames.size(); ++i) {
      const checkpoint::StackFrame& frame = thread.frames[i];
      if (!module_.live.range.Contains(frame.instruction)) continue;
      const FileAddr returns = module_.InOld(frame.instruction.value());
      const ActiveFrame active{frame, thread.frames[i + 1].stack_pointer, thread.registers};
      for (const LiveLocal& local : module_.versions->frames->LocalsAt(returns)) {
        AddLocal(active, returns, local);
      }
      if (const FramePlan* plan = PlanOf(module_, frame.instruction)) AddUntyped(active, *plan);
    }
  }

  std::vector<std::string> TakeProblems() { return std::move(problems_); }

 private:
  void AddLocal(const ActiveFrame& active, FileAddr returns, const LiveLocal& local) {
    const auto value = ReadPieces(active, live_, local.places, local.size);
    if (!value) return;
    const Function* function = module_.before().FindFunction(returns - 1);
    const std::string name = function->name + ":" + local.name;
    tracer_.AddValue(*value, local.type, name);
    if (!ChangesShape(local.type) || !module_.map().HasSame(*function)) return;
    problems_.push_back(fmt::format(
        "process {}: `{}` is active and did not change, but the type of its variable `{}` did: {}",
        live_.pid(), function->name, local.name, module_.before().types().Describe(local.type)));
  }

  void AddUntyped(const ActiveFrame& active, const FramePlan& plan) {
    for (const CarriedVariable& each : plan.carried) {
      const auto value = ReadPieces(active, live_, each.from, each.size);
      if (each.type != 0 || !value) continue;
      const Tracer::Label label = tracer_.NewLabel(plan.function + ":" + each.name);
      for (uint64_t at = 0; at + kWord <= value->size(); at += kWord) {
        uint64_t word;
        std::memcpy(&word, value->data() + at, kWord);
        tracer_.AddLikely(word, label);
      }
    }
  }

  // Arrays without structs in them are their function's own business.
  bool ChangesShape(TypeId type) const {
    const TypeTable& types = module_.before().types();
    while (types[type].kind == TypeKind::kArray) type = types[type].target;
    const bool is_record =
        types[type].kind == TypeKind::kStruct || types[type].kind == TypeKind::kUnion;
    return is_record && module_.map().recipes().Changes(type);
  }

  const checkpoint::ProcessImage& live_;
  const ChangedModule& module_;
  Tracer& tracer_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> AddFrameRoots(const checkpoint::ProcessImage& live,
                                       const ChangedModule& module, Tracer& tracer) {
  if (module.versions->frames == nullptr) return {};
  Roots roots(live, module, tracer);
  for (const checkpoint::ThreadImage& thread : live.threads()) roots.Add(thread);
  return roots.TakeProblems();
}

RebuiltFrames FindRebuilt(const checkpoint::ThreadImage& thread, const ChangedModules& modules) {
  RebuiltFrames rebuilt;
  for (size_t i = 1; i + 1 < thread.frames.size(); ++i) {
    const checkpoint::StackFrame& frame = thread.frames[i];
    const checkpoint::StackFrame& outer = thread.frames[i + 1];
    const ChangedModule* module = modules.Of(frame.instruction.value());
    const FramePlan* plan = module != nullptr ? PlanOf(*module, frame.instruction) : nullptr;
    const auto memory = Range<Addr>::FromTo(frame.stack_pointer, outer.stack_pointer);
    if (plan == nullptr || !memory) continue;
    rebuilt.memory.push_back(*memory);
    for (size_t k = 0; k < kSavedRegisters.size(); ++k) {
      // Those that the function has saved hold something of its own.
      const bool own = frame.saved[k] != outer.saved[k] || plan->never_returns;
      if (!own) continue;
      if (frame.saved[k].IsNull()) {
        rebuilt.registers.insert(kSavedRegisters[k].number);
      } else {
        rebuilt.memory.push_back(*Range<Addr>::FromSize(frame.saved[k], kWord));
      }
    }
  }
  std::ranges::sort(rebuilt.memory);
  return rebuilt;
}

}  // namespace mcr::mutator
