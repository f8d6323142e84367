// The merge's base: a rehearsal of the old program (DESIGN §2). What the server holds as the
// rehearsal does, nobody has touched since the start.
#ifndef MCR_MUTATOR_MERGE_BASE_H_
#define MCR_MUTATOR_MERGE_BASE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mutator/merge/image_map.h"

namespace mcr::mutator {

// Numbers by which a process knows what the kernel keeps for it: open descriptors, PIDs. They say
// nothing in another process.
using KernelNames = std::set<uint32_t>;

// One process of a rehearsal of the old program.
struct OldStart {
  const checkpoint::ProcessImage* image = nullptr;
  ImageMap to_live;
  std::map<size_t, Addr> biases;  // of the old modules in it, by ChangedModule::index
  // From addresses in it to those in the live process, modulo 2^64: its files and the heap are
  // elsewhere, each as a whole, and memory without a file keeps its distance from one of them.
  std::set<uint64_t> shifts;

  bool operator==(const OldStart&) const = default;
};

struct Base {
  OldStart start;
  // Another rehearsal of the same: what differs between the two is no fixed result of a start, and
  // says nothing about the server even where it holds the same.
  OldStart again;
  KernelNames names, next_names;  // in `start` and in the new version's rehearsal

  bool operator==(const Base&) const = default;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_BASE_H_
