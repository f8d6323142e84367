// Errors in the transfer, for mcr_with_bugs: its linker puts what is here in the place of
// Merger::Merge (--wrap of ld(1)), so that the real mcr knows nothing of it.
//
// $MCR_PLANTED_BUG is one of
//   byte TEXT            the last byte of TEXT, wherever it is written, is lost
//   pointer SIZE OFFSET  objects that get SIZE bytes of new memory lose the pointer at OFFSET
//   connection           the last of the epoll entries that follow their objects waits for nothing
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/merge/merge.h"
#include "mutator/merge/merge_plan.h"

namespace mcr::mutator {
namespace {

using checkpoint::AllocatedWord;
using checkpoint::Allocation;
using checkpoint::ProcessGraft;
using checkpoint::WriteList;

void DropByte(const std::string& text, WriteList& writes) {
  WriteList spoiled;
  for (const WriteList::Entry& entry : writes.entries()) {
    std::vector<std::byte> bytes(writes.bytes(entry).begin(), writes.bytes(entry).end());
    const auto wanted = std::as_bytes(std::span(text));
    const auto found = std::ranges::search(bytes, wanted);
    if (!found.empty()) found.back() = std::byte{0};
    spoiled.Add(entry.at, bytes);
  }
  writes = std::move(spoiled);
}

void DropPointer(uint64_t size, uint64_t offset, ProcessGraft& graft) {
  const auto lost = [&](const AllocatedWord& word) {
    return std::ranges::any_of(graft.allocations, [&](const Allocation& allocation) {
      return allocation.size == size && allocation.placeholder + offset == word.at;
    });
  };
  for (const AllocatedWord& word : graft.allocated_words) {
    if (lost(word)) graft.allocated_writes.AddWord(word.at, 0);
  }
  std::erase_if(graft.allocated_words, lost);
}

void Spoil(const std::string& bug, ProcessGraft& graft) {
  std::istringstream words(bug);
  std::string what;
  words >> what >> std::ws;
  if (what == "byte") {
    std::string text;
    std::getline(words, text);
    DropByte(text, graft.writes);
    DropByte(text, graft.allocated_writes);
  } else if (what == "pointer") {
    uint64_t size = 0, offset = 0;
    words >> size >> offset;
    DropPointer(size, offset, graft);
  } else if (what == "connection" && !graft.epoll.empty()) {
    graft.epoll.back().after.events = 0;
  }
}

}  // namespace

#define MCR_PASTE_(a, b) a##b
#define MCR_PASTE(a, b) MCR_PASTE_(a, b)

// Member functions take `this` like any other first argument (Itanium C++ ABI, 3.2).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wreturn-type-c-linkage"
using Merged = std::function<void(const Merger::Part&)>;
extern "C" Result<MergePlan> MCR_PASTE(__real_, MERGE)(Merger* merger,
                                                       const std::vector<ProcessPair>& processes,
                                                       const Merged& merged);
extern "C" Result<MergePlan> MCR_PASTE(__wrap_, MERGE)(Merger* merger,
                                                       const std::vector<ProcessPair>& processes,
                                                       const Merged& merged) {
  const char* bug = std::getenv("MCR_PLANTED_BUG");
  if (bug == nullptr) return MCR_PASTE(__real_, MERGE)(merger, processes, merged);
  auto plan = MCR_PASTE(__real_, MERGE)(merger, processes, [](const Merger::Part&) {});
  if (!plan) return plan;
  for (size_t i = 0; i < plan->graft.processes.size(); ++i) {
    Spoil(bug, plan->graft.processes[i]);
    merged({plan->graft.processes[i], plan->accounts[i]});
  }
  return plan;
}
#pragma GCC diagnostic pop

}  // namespace mcr::mutator
