// What to do to the stopped processes to make them run the merged image. Plain data: the executor
// knows nothing of types or merging, and the mutator nothing of processes.
#ifndef MCR_CHECKPOINT_GRAFT_PLAN_H_
#define MCR_CHECKPOINT_GRAFT_PLAN_H_

#include <sys/types.h>
#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"

namespace mcr::checkpoint {

// mmap(2) of one of the plan's new files, or of nothing; always at a fixed address that is free.
struct NewMapping {
  Range<Addr> range;
  int protection = 0;        // PROT_*: final; written through /proc/PID/mem whatever it says
  bool anonymous = false;    // else MAP_PRIVATE of a new file
  size_t file = 0;           // index of GraftPlan::new_files
  uint64_t file_offset = 0;  // bytes, page-aligned
};

// Byte ranges to write, all contents in one arena.
class WriteList {
 public:
  struct Entry {
    Addr at;
    uint64_t offset;  // into the arena
    uint64_t size;    // bytes
  };

  void Add(Addr at, std::span<const std::byte> bytes);
  void AddWord(Addr at, uint64_t value);

  const std::vector<Entry>& entries() const { return entries_; }
  std::span<const std::byte> bytes(const Entry& entry) const {
    return std::span(arena_).subspan(entry.offset, entry.size);
  }
  uint64_t total_bytes() const { return arena_.size(); }

 private:
  std::vector<Entry> entries_;
  std::vector<std::byte> arena_;
};

struct RegisterChange {
  pid_t tid = 0;
  user_regs_struct registers = {};  // all of them
};

struct SignalHandlerChange {
  SignalHandler before;
  SignalHandler after;
};

struct EpollChange {
  EpollEntry before;
  EpollEntry after;
};

struct TimerChange {
  Timer before;
  Timer after;  // with another value
};

struct SignalStackChange {
  SignalStack before;
  SignalStack after;
};

// Memory that the process's own allocator is asked for. Where it will be is not known before; until
// then it is at `placeholder`, an address that no process can have. Placeholders ascend and do not
// overlap.
struct Allocation {
  Addr placeholder;
  uint64_t size = 0;  // bytes
  Addr address = {};  // null until it is made
  // A function of the program's own that gives it out of a region, and the region; it is never
  // given back. Null: malloc(3).
  Addr allocate = {}, region = {};
  bool size_first = false;  // its arguments: the size and the region, or the other way round
};

// A word that is to hold an address within an allocation.
struct AllocatedWord {
  Addr at;     // may itself be within an allocation
  Addr value;  // a placeholder
};

struct ProcessGraft {
  pid_t pid = 0;
  std::vector<NewMapping> mappings;
  WriteList writes;

  // malloc(3) and free(3) as the process has them; null if nothing is asked for.
  Addr allocate, release;
  std::vector<Allocation> allocations;
  WriteList allocated_writes;                  // to placeholders; after `writes`
  std::vector<AllocatedWord> allocated_words;  // after both
  std::vector<RegisterChange> registers;
  std::vector<SignalHandlerChange> signal_handlers;
  std::vector<EpollChange> epoll;
  std::vector<TimerChange> timers;
  std::vector<SignalStackChange> signal_stacks;

  // Done at commit, after which there is no way back:
  std::vector<Range<Addr>> unmap;
  std::vector<Addr> freed;  // by `release`
  // For PR_SET_MM_MAP, together with the first new file as the executable; start_code is null if
  // the program stays what it is.
  MemoryLayout layout;
};

struct GraftPlan {
  std::vector<std::string> new_files;  // what the new mappings map; the new program comes first
  std::vector<ProcessGraft> processes;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_PLAN_H_
