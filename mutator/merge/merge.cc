#include "mutator/merge/merge.h"

#include <algorithm>
#include <utility>

#include "mutator/graph/loaded_modules.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/merge/free_range.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/process_merge.h"
#include "mutator/merge/segment_mappings.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;
// More would not help anybody.
constexpr size_t kMostProblems = 20;

uint64_t MemorySize(const Program& program) {
  uint64_t end = 0;
  for (const Segment& segment : program.segments())
    end = std::max(end, segment.range.end().value());
  return (end + kPage - 1) & ~(kPage - 1);
}

// By build-id, since a sandbox or a package upgrade may show the file under another path; by path
// where there is none.
Result<LoadedModule> FindProgram(const LoadedModules& modules, const std::string& path,
                                 const Program& program) {
  for (const LoadedModule& module : modules.all()) {
    const bool same =
        program.build_id().empty() ? module.path == path : module.build_id == program.build_id();
    if (same) return module;
  }
  return Fail("the process does not have the program mapped", path);
}

}  // namespace

Merger::Merger(AddressMap& map, Versions versions)
    : map_(map),
      versions_(std::move(versions)),
      module_image_(versions_.before, versions_.after, map_),
      known_(*versions_.before) {}

Result<MergePlan> Merger::Merge(const std::vector<ProcessPair>& processes) {
  MergePlan plan;
  SharedMemorySeen shared;
  std::vector<const Mappings*> all_mappings;
  for (const ProcessPair& pair : processes) all_mappings.push_back(&pair.live->mappings());
  const checkpoint::ProcessImage& root = *processes.front().live;
  MCR_ASSIGN(const LoadedModule root_program,
             FindProgram(LoadedModules::Find(root), versions_.before_path, *versions_.before));
  MCR_ASSIGN(plan.new_program, FindFreeRange(all_mappings, MemorySize(*versions_.after),
                                             root.layout().start_brk, root_program.bias));

  for (const ProcessPair& pair : processes) {
    const LoadedModules live_modules = LoadedModules::Find(*pair.live);
    const LoadedModules next_modules = LoadedModules::Find(*pair.next);
    MCR_ASSIGN(const LoadedModule old_program,
               FindProgram(live_modules, versions_.before_path, *versions_.before));
    MCR_ASSIGN(const LoadedModule next_program,
               FindProgram(next_modules, versions_.after_path, *versions_.after));
    MCR_ASSIGN(const ImageMap next_to_live,
               ImageMap::Create(next_modules, *next_modules.At(next_program.range.begin()),
                                pair.next->mappings(), live_modules, plan.new_program.begin()));
    plan.old_program = old_program.range;

    checkpoint::ProcessGraft& graft = plan.graft.processes.emplace_back();
    graft.pid = pair.live->pid();
    graft.mappings = SegmentMappings(*versions_.after, plan.new_program.begin());
    graft.unmap.push_back(old_program.range);
    const PointerGuard guard = ReadPointerGuard(*pair.live);
    const ModuleImageBuilder::Sources sources{*pair.live,
                                              old_program.bias,
                                              *pair.next,
                                              next_program.bias,
                                              plan.new_program.begin(),
                                              next_to_live,
                                              guard};
    MCR_TRY(module_image_.Build(sources, graft, plan));
    ProcessMerge process({*versions_.before, *versions_.after, map_, *pair.live, *pair.next,
                          live_modules, next_modules, next_to_live, old_program.bias,
                          next_program.bias, plan.new_program.begin(), guard, shared, known_},
                         graft, plan);
    MCR_TRY(process.MergeLinkMap());
    MCR_TRY(process.MergeMemory());
    process.MergeThreads();
    process.MergeKernelTables();
    process.MergeLayout();
  }
  std::ranges::sort(plan.problems);
  plan.problems.erase(std::ranges::unique(plan.problems).begin(), plan.problems.end());
  if (plan.problems.size() > kMostProblems) plan.problems.resize(kMostProblems);
  return plan;
}

}  // namespace mcr::mutator
