#include "mutator/merge/plan_bytes.h"

#include <fmt/format.h>
#include <llvm/ADT/ArrayRef.h>
#include <llvm/Support/SHA256.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace mcr::mutator {
namespace {

using namespace checkpoint;

// Numbers as eight bytes, everything of variable length behind its length.
class Writer {
 public:
  void Number(uint64_t value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    bytes_.append(bytes, sizeof value);
  }
  void Number(Addr address) { Number(address.value()); }
  void Bytes(std::span<const std::byte> bytes) {
    Number(bytes.size());
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void Text(std::string_view text) { Bytes(std::as_bytes(std::span(text))); }
  template <class T>
  void List(const std::vector<T>& list) {
    Number(list.size());
    for (const T& entry : list) Write(entry);
  }

  void Write(const std::string& text) { Text(text); }
  void Write(Addr address) { Number(address); }
  void Write(const Range<Addr>& range) {
    Number(range.begin());
    Number(range.end());
  }
  void Write(const NewMapping& mapping) {
    Write(mapping.range);
    Number(static_cast<uint64_t>(mapping.protection));
    Number(uint64_t{mapping.anonymous});
    Number(mapping.file);
    Number(mapping.file_offset);
  }
  void Write(const WriteList& writes) {
    Number(writes.entries().size());
    for (const WriteList::Entry& entry : writes.entries()) {
      Number(entry.at);
      Bytes(writes.bytes(entry));
    }
  }
  void Write(const Allocation& allocation) {
    Number(allocation.placeholder);
    Number(allocation.size);
    Number(allocation.allocate);
    Number(allocation.region);
    Number(uint64_t{allocation.size_first});
  }
  void Write(const AllocatedWord& word) {
    Number(word.at);
    Number(word.value);
  }
  void Write(const RegisterChange& change) {
    Number(static_cast<uint64_t>(change.tid));
    Bytes(std::as_bytes(std::span(&change.registers, 1)));
  }
  void Write(const SignalHandler& handler) {
    Number(static_cast<uint64_t>(handler.signal));
    Number(handler.handler);
    Number(handler.flags);
    Number(handler.restorer);
    Number(handler.mask);
  }
  void Write(const EpollEntry& entry) {
    Number(static_cast<uint64_t>(entry.epoll_fd));
    Number(static_cast<uint64_t>(entry.fd));
    Number(uint64_t{entry.events});
    Number(entry.data);
  }
  void Write(const Timer& timer) {
    for (const int number : {timer.id, timer.clock, timer.notify, timer.thread, timer.signal}) {
      Number(static_cast<uint64_t>(number));
    }
    Number(timer.value);
  }
  void Write(const SignalStack& stack) {
    Number(static_cast<uint64_t>(stack.tid));
    Number(stack.begin);
    Number(stack.size);
    Number(static_cast<uint64_t>(stack.flags));
  }
  template <class T>
    requires requires(const T& change) { change.before, change.after; }
  void Write(const T& change) {
    Write(change.before);
    Write(change.after);
  }
  void Write(const MemoryLayout& layout) {
    for (const Addr address :
         {layout.start_code, layout.end_code, layout.start_data, layout.end_data, layout.start_brk,
          layout.brk, layout.start_stack, layout.arg_start, layout.arg_end, layout.env_start,
          layout.env_end}) {
      Number(address);
    }
    Bytes(layout.auxv);
  }
  void Write(const ProcessGraft& graft) {
    Number(static_cast<uint64_t>(graft.pid));
    List(graft.mappings);
    Write(graft.writes);
    Number(graft.allocate);
    Number(graft.release);
    List(graft.allocations);
    Write(graft.allocated_writes);
    List(graft.allocated_words);
    List(graft.registers);
    List(graft.signal_handlers);
    List(graft.epoll);
    List(graft.timers);
    List(graft.signal_stacks);
    List(graft.unmap);
    List(graft.freed);
    Write(graft.layout);
  }

  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace

std::string Serialise(const MergePlan& plan) {
  Writer writer;
  writer.Number(plan.graft.new_files.size());  // named by descriptors, which differ
  writer.List(plan.graft.processes);
  const PointerCounts& pointers = plan.pointers;
  const VariableCounts& variables = plan.variables;
  const ObjectCounts& objects = plan.objects;
  for (const uint64_t count :
       {pointers.functions,  pointers.instructions, pointers.variables,
        pointers.literals,   pointers.layout,       pointers.precise,
        pointers.likely,     pointers.mangled,      pointers.shifted,
        pointers.undecided,  pointers.moved,        pointers.pinned,
        pointers.unproven,   variables.kept,        variables.initialised,
        variables.bound,     variables.dropped,     static_cast<uint64_t>(plan.rebuilt_frames),
        objects.typed,       objects.transformed,   objects.moved,
        objects.initialised, objects.brought}) {
    writer.Number(count);
  }
  writer.List(plan.conflicts);
  writer.List(plan.warnings);
  writer.List(plan.problems);
  return writer.Take();
}

std::string Digest(const MergePlan& plan) {
  const std::string bytes = Serialise(plan);
  const auto digest = llvm::SHA256::hash(
      llvm::ArrayRef(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  std::string text;
  for (const uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace mcr::mutator
