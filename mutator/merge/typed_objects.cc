#include "mutator/merge/typed_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "mutator/graph/allocation_types.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/graph/plausible.h"
#include "mutator/graph/red_zone.h"
#include "mutator/graph/tracer.h"
#include "mutator/merge/frame_roots.h"
#include "mutator/merge/stack/frame_values.h"
#include "mutator/merge/variable_pairs.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;
constexpr uint64_t kLargestInParts = 1 << 20;  // bytes: debug information may say anything

const Recipe& RecipeOf(AddressMap& map, const Variable& variable, const Variable* after) {
  return after != nullptr && after->type != 0 ? map.RecipeOf(variable, *after)
                                              : map.recipes().Get(variable.type);
}

// Words that may point to objects, from memory that has no types.
void AddLikelyRoots(const checkpoint::ProcessImage& live, const LoadedModules& loaded,
                    const ChangedModules& modules, const std::vector<HeapChunk>& chunks,
                    Tracer& tracer) {
  const auto add = [&](Range<Addr> range, const std::string& name,
                       const std::vector<Range<Addr>>& except) {
    const Tracer::Label label = tracer.NewLabel(name);
    std::vector<std::byte> bytes(range.size());
    if (!live.Read(range.begin(), bytes)) return;
    for (size_t at = 0; at + kWord <= bytes.size(); at += kWord) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + at, kWord);
      const auto holds = [&](const Range<Addr>& each) { return each.Contains(range.begin() + at); };
      if (FindChunk(chunks, Addr(word)) == nullptr || std::ranges::any_of(except, holds)) continue;
      tracer.AddLikely(word, label);
    }
  };
  std::vector<const Mapping*> stacks;
  for (const checkpoint::ThreadImage& thread : live.threads()) {
    const Addr pointer(thread.registers.rsp);
    const Mapping* stack = FindMapping(live.mappings(), pointer);
    if (stack == nullptr) continue;
    stacks.push_back(stack);
    const RebuiltFrames rebuilt = FindRebuilt(thread, modules);
    const Addr begin =
        std::max(stack->range.begin(), Addr((pointer - kRedZone).value() & ~(kWord - 1)));
    add(*Range<Addr>::FromTo(begin, stack->range.end()),
        fmt::format("the stack of thread {}", thread.tid), rebuilt.memory);
    const Tracer::Label registers =
        tracer.NewLabel(fmt::format("a register of thread {}", thread.tid));
    for (const SavedRegister& each : kSavedRegisters) {
      if (rebuilt.registers.contains(each.number)) continue;
      tracer.AddLikely(thread.registers.*each.field, registers);
    }
  }
  for (const Mapping& mapping : ScannedOutside(live, modules.old_ranges())) {
    if (!mapping.writable || mapping.path == "[heap]" || mapping.path == "[stack]") continue;
    if (std::ranges::find(stacks, mapping.range, &Mapping::range) != stacks.end()) continue;
    if (loaded.At(mapping.range.begin()) != nullptr) continue;  // a library's own
    if (FindChunk(chunks, mapping.range.begin() + 2 * kWord) != nullptr) continue;
    const auto populated = live.PopulatedRanges(mapping.range);
    if (!populated) continue;
    for (const Range<Addr>& range : *populated) {
      add(range, fmt::format("memory at {}", Hex(mapping.range.begin())), {});
    }
  }
}

// The value of a variable that is in parts, which annotations speak of as a whole. What is in no
// part is zero.
std::optional<std::vector<std::byte>> Assemble(const VariableInParts& variable,
                                               const TypeTable& types, Addr bias,
                                               const Snapshot& memory) {
  const uint64_t size = types[variable.variable.type].size;
  if (size > kLargestInParts) return std::nullopt;
  std::vector<std::byte> value(size);
  for (const VariableInParts::Part& part : variable.parts) {
    if (part.offset + part.size > value.size()) return std::nullopt;
    const Addr at = bias + part.at.value();
    const auto bytes = std::span(value).subspan(part.offset, part.size);
    if (!part.two_values) {
      if (!memory.Read(at, bytes)) return std::nullopt;
      continue;
    }
    const auto stored = memory.ReadValue<uint8_t>(at);
    if (!stored || part.size > kWord) return std::nullopt;
    const uint64_t number = *stored == 0 ? part.two_values->first : part.two_values->second;
    std::memcpy(bytes.data(), &number, part.size);
  }
  return value;
}

bool IsZero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

bool HasReshaped(const ObjectGraph& graph) {
  return std::ranges::any_of(graph.objects,
                             [](const Object& object) { return !object.recipe->identity; });
}

}  // namespace

Result<std::unique_ptr<TypedObjects>> TypedObjects::Find(const checkpoint::ProcessImage& live,
                                                         const LoadedModules& loaded,
                                                         const ChangedModules& modules,
                                                         const checkpoint::ProcessImage& next,
                                                         bool always) {
  std::unique_ptr<TypedObjects> objects(new TypedObjects(live));
  for (const ChangedModule& module : modules.all()) {
    const bool wanted = always && objects->module_ == nullptr;
    if (module.map().changed_types().empty() && !wanted) continue;
    if (objects->chunks_.empty()) {
      MCR_ASSIGN(objects->chunks_, WalkHeap(live));
    }
    objects->Trace(module, loaded, modules, next);
  }
  return objects;
}

void TypedObjects::Trace(const ChangedModule& module, const LoadedModules& loaded,
                         const ChangedModules& modules, const checkpoint::ProcessImage& next) {
  AddressMap& map = module.map();
  const IndexedArrays indexed({module.before(), module.live.bias, memory_},
                              {module.after(), module.next.bias, next}, map.recipes());
  Tracer tracer(memory_, module.before(), module.live.bias, map.recipes(), chunks_);
  tracer.Use(indexed);
  std::ranges::copy(indexed.problems(), std::back_inserter(problems_));
  for (const Variable& variable : module.before().variables()) {
    if (variable.thread_local_storage || !StaysWritable(module.before(), variable.range)) continue;
    const Addr at = module.live.bias + variable.range.begin().value();
    const Variable* after = map.variable_names().Counterpart(variable);
    if (variable.type != 0) {
      tracer.AddRoot(at, RecipeOf(map, variable, after), variable.name);
    } else if (const auto word = memory_.ReadValue<uint64_t>(at)) {
      tracer.AddLikely(*word, tracer.NewLabel(variable.name));
    }
  }
  for (const VariableInParts& each : module.before().in_parts()) {
    const auto value = Assemble(each, module.before().types(), module.live.bias, memory_);
    if (value) tracer.AddValue(*value, each.variable.type, each.variable.name);
  }
  std::ranges::move(AddFrameRoots(memory_.image(), module, tracer), std::back_inserter(problems_));
  AddLikelyRoots(memory_.image(), loaded, modules, chunks_, tracer);
  ObjectGraph graph = tracer.Finish();
  if (HasReshaped(graph_) && module_ != nullptr) {
    for (GraphProblem& problem : graph.problems) problems_.push_back(std::move(problem.text));
    problems_.push_back("more than one module has types that change: " + module.live.path +
                        " is one too many");
    return;
  }
  for (GraphProblem& problem : graph_.problems) problems_.push_back(std::move(problem.text));
  module_ = &module;
  graph_ = std::move(graph);
}

void TypedObjects::Settle(const StartHeap* heap, const Base* base,
                          const checkpoint::ProcessImage& next, const FreshShared& fresh) {
  if (module_ == nullptr) return;
  if (heap != nullptr) {
    relaid_ = RelaidMemory::Find({memory_, chunks_, graph_, *heap, *base});
  }
  for (GraphProblem& problem : graph_.problems) {
    if (!IsLaidOutAnew(problem.at) && !fresh.Holds(problem.at))
      problems_.push_back(std::move(problem.text));
  }
  moves_ = ObjectMoves(graph_, module_->before().types(), module_->live.bias, relaid_.get());
  RefuseUntyped({base == nullptr ? nullptr : base->start.image, &next}, fresh);
  if (!problems_.empty() && relaid_ != nullptr) ExplainStays();
}

// Where it would have been laid out anew, there would be less to refuse.
void TypedObjects::ExplainStays() {
  for (const Addr at : relaid_->unexplained()) {
    const HeapChunk* chunk = FindChunk(chunks_, at);
    if (chunk == nullptr) continue;
    problems_.push_back(fmt::format(
        "the server has changed the word at {}, at offset {} of {} bytes that its start had "
        "filled, and nothing says what it is: this memory is not taken from the new version's "
        "start (annotation: pointee, or list)",
        Hex(at), at - chunk->payload.begin(), chunk->payload.size()));
  }
}

bool TypedObjects::OnlyDangle(const std::vector<Addr>& pointers) const {
  return relaid_ != nullptr && !pointers.empty() && std::ranges::all_of(pointers, [&](Addr at) {
           return !at.IsNull() && relaid_->Dangles(at);
         });
}

// An object of a changed type could sit in memory that nothing types.
void TypedObjects::RefuseUntyped(const Starts& starts, const FreshShared& fresh) {
  const ChangedModule& module = *module_;
  RecipeBook& recipes = module.map().recipes();
  const auto& annotations = recipes.annotations();
  const std::set<TypeId> elsewhere = recipes.OldTypes(annotations.not_allocated());
  for (const Object& object : graph_.objects) {
    if (!elsewhere.contains(object.recipe->before)) continue;
    if (IsLaidOutAnew(object.memory.begin())) continue;
    problems_.push_back(
        fmt::format("{} at {} (found by `{}`) is in allocated memory, where an "
                    "annotation says that none is (annotation: not_allocated)",
                    recipes.before().Describe(object.recipe->before), Hex(object.memory.begin()),
                    *object.found_by));
  }
  std::vector<TypeId> types = module.map().changed_types();
  std::ranges::move(
      FindInSharedMemory(memory_, starts, module.before(), module.live.bias, recipes, types, fresh),
      std::back_inserter(problems_));
  const std::set<TypeId> typed = recipes.OldTypes(annotations.typed());
  std::erase_if(types,
                [&](TypeId type) { return elsewhere.contains(type) || typed.contains(type); });
  const std::set<TypeId> allocated = recipes.OldTypes(annotations.allocated());
  std::vector<TypeId> of_malloc = types;
  if (!annotations.allocated().empty()) {
    std::erase_if(of_malloc, [&](TypeId type) { return !allocated.contains(type); });
  }
  std::vector<std::byte> bytes;
  for (const UntypedObject& object : graph_.untyped) {
    if (object.foreign || IsLaidOutAnew(object.memory.begin())) continue;
    const bool precise = object.precise && !OnlyDangle(object.pointers);
    if (!precise && object.in_region) continue;  // other pointers to it would be listed
    bytes.resize(object.memory.size());
    if (!memory_.Read(object.memory.begin(), bytes)) continue;
    for (const TypeId type : precise ? types : of_malloc) {
      const Recipe& recipe = recipes.Get(type);
      const uint64_t count = CountThatFits(bytes.size(), recipe.from_size, false);
      const bool fits = recipe.flexible || object.in_region ? bytes.size() >= recipe.from_size
                                                            : (precise ? count != 0 : count == 1);
      if (!fits || !IsPlausible(recipe, bytes, memory_.image().mappings(), recipes)) continue;
      // Zeros are the same in any layout.
      if (!object.in_region && IsZero(bytes)) continue;
      if (relaid_ != nullptr && relaid_->IsSettled(object)) break;
      const std::string name = recipes.before().Describe(type);
      problems_.push_back(fmt::format(
          "{} changed, and the {} bytes at {} that `{}` points to may hold one: nothing says "
          "what they are (annotation: pointee of `{}`, with type \"{}\" or \"\"; or "
          "not_allocated, typed, allocated)",
          name, bytes.size(), Hex(object.memory.begin()), *object.found_by, *object.found_by,
          name));
      break;
    }
  }
}

}  // namespace mcr::mutator
