#include "mutator/merge/frame_roots.h"

#include <fmt/format.h>

#include "mutator/merge/stack/frame_planner.h"
#include "mutator/merge/stack/frame_values.h"

namespace mcr::mutator {
namespace {

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

}  // namespace mcr::mutator
