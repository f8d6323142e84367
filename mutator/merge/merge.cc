#include "mutator/merge/merge.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "mutator/graph/dynamic_symbols.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/merge/constant_copies.h"
#include "mutator/merge/image_map.h"
#include "mutator/merge/kernel_tables.h"
#include "mutator/merge/leaf.h"
#include "mutator/merge/live_words.h"
#include "mutator/merge/loader_state.h"
#include "mutator/merge/moved_pointers.h"
#include "mutator/merge/reshape.h"
#include "mutator/merge/segment_mappings.h"
#include "mutator/merge/stack/take_over.h"
#include "mutator/merge/start_allocations.h"
#include "mutator/merge/start_heap_merge.h"
#include "mutator/merge/strict.h"
#include "mutator/merge/thread_locals.h"
#include "mutator/merge/typed_objects.h"

namespace mcr::mutator {
namespace {

// More would not help anybody.
constexpr size_t kMostProblems = 20;

// By build-id, since a sandbox or a package upgrade may show the file under another path; by path
// where there is none.
const LoadedModule* FindModule(const LoadedModules& modules, const std::string& path,
                               const Program& file) {
  if (file.build_id().empty()) return modules.ByPath(path);
  const auto found = std::ranges::find(modules.all(), file.build_id(), &LoadedModule::build_id);
  return found == modules.all().end() ? nullptr : &*found;
}

// A module's global offset table points to its link map.
void AddLinkMaps(const LinkMaps& next, const LinkMaps& live, const LoadedModules& next_modules,
                 const LoadedModules& live_modules, const ChangedModules& changed, ImageMap& map) {
  for (const LinkMaps::Entry& entry : next.all()) {
    const LoadedModule* module = next_modules.At(entry.dynamic);
    if (module == nullptr) continue;
    const auto exchanged = std::ranges::find_if(
        changed.all(), [&](const ChangedModule& each) { return each.next.range == module->range; });
    const LoadedModule* same =
        exchanged != changed.all().end() ? &exchanged->live : live_modules.ByPath(module->path);
    const auto ours = same == nullptr ? std::nullopt : live.Of(*same);
    if (ours && ours->size() == entry.range.size()) map.AddObject(entry.range, ours->begin());
  }
}

std::set<uint64_t> FindShifts(const checkpoint::ProcessImage& start, const LoadedModules& loaded,
                              const checkpoint::ProcessImage& live,
                              const LoadedModules& live_modules) {
  std::set<uint64_t> shifts = {live.layout().start_brk.value() - start.layout().start_brk.value()};
  for (const LoadedModule& module : loaded.all()) {
    const LoadedModule* same = live_modules.ByPath(module.path);
    if (same == nullptr) continue;
    shifts.insert(same->range.begin().value() - module.range.begin().value());
  }
  return shifts;
}

// The old version's modules in a rehearsal of it, and its addresses in the live process's terms.
Result<OldStart> FindOldStart(const checkpoint::ProcessImage& image, const LoadedModules& loaded,
                              const checkpoint::ProcessImage& live_image, const LoadedModules& live,
                              const ChangedModules& modules) {
  OldStart start{&image, {}, {}, FindShifts(image, loaded, live_image, live)};
  std::vector<ImageMap::Moved> moved;
  for (const ChangedModule& module : modules.all()) {
    const std::string& path = module.versions->before_path;
    const LoadedModule* found = FindModule(loaded, path, module.before());
    if (found == nullptr) return Fail("the old version's start does not load the module", path);
    start.biases.emplace(module.index, found->bias);
    moved.push_back({found->range, module.live.range.begin()});
  }
  MCR_ASSIGN(start.to_live, ImageMap::Create(loaded, image.mappings(), live, moved));
  return start;
}

// Fails if the old version, started today, is not what the server runs.
Result<Base> FindBase(const ProcessPair& pair, const LoadedModules& live,
                      const ChangedModules& modules, KnownStarts& starts) {
  const auto find = [&](const checkpoint::ProcessImage& image) {
    return FindOldStart(image, starts.Of(image).modules, *pair.live, live, modules);
  };
  MCR_ASSIGN(OldStart start, find(*pair.base));
  MCR_ASSIGN(OldStart again, find(*pair.base_again));
  return Base{std::move(start), std::move(again), pair.base_names, pair.next_names};
}

// glibc's, whose bookkeeping the objects were found by (heap_chunks.h).
Status FindAllocator(const checkpoint::ProcessImage& live, const LoadedModules& loaded,
                     checkpoint::ProcessGraft& graft) {
  for (const LoadedModule& module : loaded.all()) {
    const auto allocate = FindExported(live, module, "__libc_malloc");
    const auto release = FindExported(live, module, "__libc_free");
    if (!allocate || !release) continue;
    graft.allocate = *allocate;
    graft.release = *release;
    return {};
  }
  return Fail("the process has no C library that objects could be moved with",
              "PID " + std::to_string(live.pid()));
}

// What validation is told: nothing of how values were translated.
Account AccountFor(const ChangedModules& modules, const TypedObjects& objects) {
  Account account;
  size_t typed = 0;
  for (const ChangedModule& module : modules.all()) {
    if (&module == objects.module()) typed = account.modules.size();
    account.modules.push_back(
        {module.index, module.live.range, module.new_range, module.live.bias, module.new_bias()});
  }
  for (const ObjectMove& move : objects.moves().all()) {
    const Object& object = *move.object;
    account.objects.push_back({object.memory, move.to, move.to_size, typed, object.recipe->before,
                               object.recipe->after, object.count - object.spare, move.moves,
                               object.region.has_value(), object.recipe->indexed});
  }
  for (const HeapChunk& chunk : objects.chunks()) {
    if (!chunk.in_use) account.unused.push_back(chunk.payload);
  }
  if (const RelaidMemory* relaid = objects.moves().relaid()) relaid->AddTo(account);
  return account;
}

void CountObjects(const TypedObjects& objects, MergePlan& plan) {
  plan.objects.typed += objects.object_count();
  for (const ObjectMove& move : objects.moves().all()) {
    ++plan.objects.transformed;
    if (move.moves) ++plan.objects.moved;
  }
  std::ranges::copy(objects.problems(), std::back_inserter(plan.problems));
  plan.object_problems += objects.problems().size();
}

// Whether the type of the variable or object that holds `at`, and stays, says that a pointer is
// there.
bool IsPointer(Addr at, const ChangedModules& modules, const TypedObjects& objects) {
  const RelaidMemory* relaid = objects.moves().relaid();
  if (relaid != nullptr && relaid->Holds(at)) return false;
  if (const Object* object = objects.TypeAt(at)) {
    return LeafAt(*object, at).kind == Leaf::Kind::kPointer;
  }
  const ChangedModule* module = modules.Of(at.value());
  if (module == nullptr) return false;
  const FileAddr place = module->InOld(at.value());
  const Variable* variable = module->before().FindVariable(place);
  return variable != nullptr && variable->type != 0 &&
         LeafIn(module->map().recipes().Get(variable->type), place - variable->range.begin())
                 .kind == Leaf::Kind::kPointer;
}

Status CheckFresh(const FreshShared& fresh, const ChangedModules& modules,
                  const TypedObjects& objects, MergePlan& plan) {
  const size_t problems = plan.problems.size();
  std::ranges::copy(fresh.problems(), std::back_inserter(plan.problems));
  const auto is_pointer = [&](Addr at) { return IsPointer(at, modules, objects); };
  MCR_TRY(fresh.RefusePointers(is_pointer, plan.problems));
  plan.object_problems += plan.problems.size() - problems;
  return {};
}

bool TypesChange(const TypedObjects& objects) {
  return objects.module() != nullptr && !objects.module()->map().changed_types().empty();
}

// The objects of changed types, and what points to them. After the others: what it writes wins.
Status MergeObjects(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                    const TypedObjects& objects, const StartHeapMerge& start_heap,
                    const StackTakeOver& stacks, checkpoint::ProcessGraft& graft, Account& account,
                    MergePlan& plan) {
  if (objects.moves().empty()) return {};
  const size_t problems = plan.problems.size();
  Reshape(objects.memory(), objects.moves(),
          LiveWords(modules, objects.moves(), objects.module(), &stacks), start_heap, graft,
          plan.problems);
  MCR_TRY(MergeMovedPointers(live, modules, objects, stacks, graft, account, plan));
  plan.object_problems += plan.problems.size() - problems;
  return {};
}

}  // namespace

Merger::Merger(std::vector<ModuleVersions> modules, MergeOptions options) : options_(options) {
  for (ModuleVersions& versions : modules) {
    ModuleImageBuilder image(versions.before, versions.after, *versions.map);
    KnownTargets known(*versions.before);
    // Only programs have copies.
    if (versions.is_program) copies_ = CopyDifference::Between(*versions.before, *versions.after);
    modules_.push_back(
        std::make_unique<Module>(Module{std::move(versions), std::move(image), std::move(known)}));
  }
}

Result<MergePlan> Merger::Merge(const std::vector<ProcessPair>& processes,
                                const std::function<void(const Part&)>& merged) {
  MergePlan plan;
  // Parts are looked at while the next ones are added.
  plan.graft.processes.reserve(processes.size());
  plan.accounts.reserve(processes.size());
  for (const auto& module : modules_) {
    plan.graft.new_files.push_back(module->versions.new_file);
    module->known.Forget();
    module->versions.map->kept_constants().Forget();
  }
  SharedMemorySeen shared;
  std::vector<const Mappings*> all_mappings;
  for (const ProcessPair& pair : processes) all_mappings.push_back(&pair.live->mappings());
  Places places(std::move(all_mappings));
  // In one order wherever the images come from: the first process writes what they share.
  std::vector<const ProcessPair*> ordered;
  for (const ProcessPair& pair : processes) ordered.push_back(&pair);
  std::ranges::sort(ordered, {}, [](const ProcessPair* pair) { return pair->live->pid(); });
  for (const ProcessPair* pair : ordered) {
    MCR_TRY(MergeProcess(*pair, places, shared, plan));
    merged({plan.graft.processes.back(), plan.accounts.back()});
  }
  for (auto* lines : {&plan.problems, &plan.conflicts, &plan.warnings}) {
    std::ranges::sort(*lines);
    lines->erase(std::ranges::unique(*lines).begin(), lines->end());
  }
  if (plan.problems.size() > kMostProblems) plan.problems.resize(kMostProblems);
  return plan;
}

Status Merger::MergeProcess(const ProcessPair& pair, Places& places, SharedMemorySeen& shared,
                            MergePlan& plan) {
  const LoadedModules live_modules = LoadedModules::Find(*pair.live);
  const KnownStart& next = starts_.Of(*pair.next);
  const LoadedModules& next_modules = next.modules;
  MCR_ASSIGN(const ChangedModules modules, FindModules(pair, live_modules, next_modules, places));
  std::vector<ImageMap::Moved> moved;
  for (const ChangedModule& module : modules.all()) {
    moved.push_back({module.next.range, module.new_range.begin()});
  }
  MCR_ASSIGN(ImageMap next_to_live,
             ImageMap::Create(next_modules, pair.next->mappings(), live_modules, moved));
  const LinkMaps live_links = LinkMaps::Find(*pair.live, live_modules);
  const LinkMaps& next_links = next.links;
  AddLinkMaps(next_links, live_links, next_modules, live_modules, modules, next_to_live);
  const FreshShared fresh = FreshShared::Find(*pair.live, *pair.next, modules, next_to_live);

  checkpoint::ProcessGraft& graft = plan.graft.processes.emplace_back();
  graft.pid = pair.live->pid();
  const PointerGuard guard = ReadPointerGuard(*pair.live);
  std::optional<Base> base;
  if (pair.base != nullptr) {
    if (auto found = FindBase(pair, live_modules, modules, starts_)) {
      base.emplace(*std::move(found));
    } else {
      plan.warnings.push_back("every variable counts as changed by the server: " +
                              found.error().Line());
    }
  }
  MCR_ASSIGN(const auto objects,
             TypedObjects::Find(*pair.live, live_modules, modules, *pair.next, options_.strict));
  const StartHeap* heap = nullptr;
  if (base && TypesChange(*objects)) {
    MCR_ASSIGN(heap, StartHeapFor(pair, *base, *objects->module()));
  }
  objects->Settle(heap, base ? &*base : nullptr, *pair.next, fresh);
  CountObjects(*objects, plan);
  MCR_TRY(CheckFresh(fresh, modules, *objects, plan));
  Account& account = plan.accounts.emplace_back(AccountFor(modules, *objects));
  StartHeapMerge start_heap;
  const size_t problems = plan.problems.size();
  if (heap != nullptr) start_heap = StartHeapMerge(*heap, *base, *pair.live, *objects, plan);
  plan.object_problems += plan.problems.size() - problems;
  const bool same_memory = heap != nullptr && start_heap.other_memory().empty();
  // Not asked for where nothing changes: not every process loads every plug-in.
  const auto module_with_types = [&]() -> const ChangedModule& {
    return objects->module() != nullptr ? *objects->module() : modules.all().front();
  };
  StartAllocations start_allocations(
      {*pair.live, *pair.next, base ? &*base : nullptr, modules, next_to_live, fresh,
       objects->moves(), [&] { return StartHeapFor(pair, *base, module_with_types()); },
       [live_words = LiveWords(modules, objects->moves(), nullptr)](uint64_t word) {
         return live_words.Translate({.word = word, .meaning = ValueWord::Meaning::kLikely});
       }});
  const CopiedVariables copied = CopiedVariables::Find(*pair.live, live_modules, modules, copies_);
  for (const ChangedModule& module : modules.all()) {
    for (checkpoint::NewMapping& mapping : SegmentMappings(module.after(), module.new_bias())) {
      mapping.file = module.index;
      graft.mappings.push_back(mapping);
    }
    graft.unmap.push_back(module.live.range);
    MCR_TRY(modules_[module.index]->image.Build(
        {*pair.live, *pair.next, module, modules, next_to_live, guard, base ? &*base : nullptr,
         objects->moves(), same_memory, start_allocations, copied, account},
        graft, plan));
  }
  ConstantCopies constant_copies(places, pair.live->layout().start_brk);
  ProcessMerge process({modules,      base ? &*base : nullptr,
                        *pair.live,   *pair.next,
                        live_modules, next_modules,
                        next_to_live, live_links,
                        next_links,   next.tables,
                        guard,        shared,
                        fresh,        objects->moves(),
                        start_heap,   start_allocations,
                        copied,       constant_copies,
                        pair.memo,    account.from_next},
                       graft, plan);
  MCR_TRY(process.MergeLinkMaps());
  MCR_TRY(process.MergeObjectTables());
  MCR_TRY(process.MergeMemory());
  constant_copies.AddTo(graft, account);
  process.MergeThreads();
  MCR_TRY(copied.Merge(*pair.next, next_modules, graft, account.from_next));
  MergeKernelTables(*pair.live, modules, graft, plan);
  if (options_.strict) {
    RefuseUnproven(*pair.live, modules, *objects, process.guesses(), plan);
  }
  process.MergeLayout();
  MCR_TRY(MergeObjects(*pair.live, modules, *objects, start_heap, process.stacks(), graft, account,
                       plan));
  start_heap.Write(graft, account, plan);
  start_allocations.AddTo(graft, plan);
  if (!graft.allocations.empty()) MCR_TRY(FindAllocator(*pair.live, live_modules, graft));
  account.laid_out_anew = process.stacks().rebuilt_ranges();
  MCR_TRY(MergeThreadLocals({*pair.live, *pair.next, live_modules, next_modules, live_links,
                             next_links, modules, next_to_live, objects->moves(), process.stacks()},
                            graft, account, plan));
  for (const ChangedModule& module : modules.all()) {
    module.map().kept_constants().AddTo(module.new_bias(), graft);
  }
  return {};
}

Result<const StartHeap*> Merger::StartHeapFor(const ProcessPair& pair, const Base& base,
                                              const ChangedModule& module) {
  const auto known = start_heaps_.find({pair.base, pair.next});
  if (known != start_heaps_.end()) return &known->second;
  MCR_ASSIGN(StartHeap heap, CompareStartHeaps(base, *pair.next, module));
  return &start_heaps_.emplace(std::pair(pair.base, pair.next), std::move(heap)).first->second;
}

Result<ChangedModules> Merger::FindModules(const ProcessPair& pair, const LoadedModules& live,
                                           const LoadedModules& next, Places& places) {
  std::vector<ChangedModule> found;
  for (size_t i = 0; i < modules_.size(); ++i) {
    const ModuleVersions& versions = modules_[i]->versions;
    const LoadedModule* before = FindModule(live, versions.before_path, *versions.before);
    // Not every process of a server loads every plug-in.
    if (before == nullptr && !versions.is_program) continue;
    if (before == nullptr) {
      return Fail("the process does not have the program mapped", versions.before_path);
    }
    const LoadedModule* after = FindModule(next, versions.after_path, *versions.after);
    if (after == nullptr) {
      return Fail("the new version's start-up does not load a module that changed",
                  versions.after_path, "restart the server for this update");
    }
    ChangedModule module{i, &versions, &modules_[i]->known, *before, *after, {}};
    // Remains of old pointers, which move along, must not come to lie in the old version again.
    const uint64_t size = std::max(versions.map->kept_constants().room(), before->range.size());
    MCR_ASSIGN(module.new_range, places.Find({i, Places::Use::kNewVersion}, before->bias, size,
                                             pair.live->layout().start_brk));
    found.push_back(std::move(module));
  }
  return ChangedModules(std::move(found), pair.live->mappings());
}

}  // namespace mcr::mutator
