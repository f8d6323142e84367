// What it takes to undo an update, or to finish it, in a file that outlives whoever wrote it.
//
// A record is complete in the file before the act that it is about begins: the log is memory that
// is mapped from a file in tmpfs, so that a writer that dies, however it dies, leaves what it has
// written. Writing costs a copy, and no system call. undo.h carries out what is written here.
#ifndef MCR_CHECKPOINT_GRAFT_UNDO_LOG_H_
#define MCR_CHECKPOINT_GRAFT_UNDO_LOG_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// What a record holds, and whose id it carries.
enum class UndoKind : uint32_t {
  kNone = 0,        // the end of the log
  kWorker,          // pid of who writes this
  kCgroup,          // path of the cgroup made for the update
  kOrigin,          // pid; path of the cgroup that it was in
  kPause,           // the pause begins; no data
  kProcess,         // pid; ProcessMark
  kThread,          // tid; ThreadMark: to be put back by undoing
  kExtendedState,   // tid; XSAVE area
  kMappings,        // pid; Range<Addr>[]: the process has these and no others
  kDescriptors,     // pid; int[]: likewise
  kAllocating,      // pid: its allocator is being called
  kAllocated,       // pid; the address of free(3), then what it is to be called with
  kNewMappings,     // pid; Range<Addr>[]: what the graft maps
  kSignalHandlers,  // pid; SignalHandler[] as they were
  kEpoll,           // pid; EpollEntry[] as they were
  kSignalStacks,    // pid; SignalStack[] as they were
  kTimers,          // pid; TimerState[] as they were
  kMemory,          // pid; (address, size, bytes)… as they were
  kGraftedThread,   // tid; ThreadMark: to be put back by finishing
  kUnmap,           // pid; Range<Addr>[] of the old program
  kLayout,          // pid; addresses of MemoryLayout, then the auxiliary vector
  kExecutable,      // pid; path of the new program
  kCommitted,       // the point of no return: from here on it is finished, not undone
  kReleased,        // what is above about processes and threads is of the past: they run
  kSettled,         // nothing is left to do but to let the processes run
};

class UndoLog {
 public:
  struct Record {
    UndoKind kind;
    pid_t id;
    std::span<const std::byte> data;

    // As many as there are.
    template <class T>
    std::vector<T> As() const {
      std::vector<T> values(data.size() / sizeof(T));
      if (!values.empty())
        std::memcpy(static_cast<void*>(values.data()), data.data(), values.size() * sizeof(T));
      return values;
    }
  };

  // An empty file.
  static Result<UndoLog> Create(OwnedFd file);
  // One that somebody has left behind.
  static Result<UndoLog> Open(OwnedFd file);
  // In memory that has no name.
  static Result<UndoLog> CreateAnonymous();

  UndoLog(UndoLog&& other) noexcept;
  UndoLog& operator=(UndoLog&&) = delete;
  ~UndoLog();

  Status Append(UndoKind kind, pid_t id = 0,
                std::initializer_list<std::span<const std::byte>> parts = {});
  Status Append(UndoKind kind, pid_t id, std::span<const std::span<const std::byte>> parts);
  template <class T>
  Status AppendValues(UndoKind kind, pid_t id, std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Append(kind, id, {std::as_bytes(values)});
  }

  // Makes room for this much beside what is there and what was asked for before. The calling
  // process touches it: a fork does not inherit the page tables of a file, and a fault takes longer
  // than what is copied.
  Status Reserve(size_t bytes);

  // Takes notice of what another process has appended since.
  Status Refresh();

  // Without what is of the past.
  std::vector<Record> Records() const;
  bool Has(UndoKind kind) const;

 private:
  UndoLog(OwnedFd file, std::byte* memory, size_t size)
      : file_(std::move(file)), memory_(memory), size_(size) {}
  static Result<UndoLog> Map(OwnedFd file, size_t size);

  std::vector<Record> AllRecords() const;
  Status Grow(size_t needed);
  Status Remap(size_t size);

  OwnedFd file_;
  std::byte* memory_;
  size_t size_;
  size_t end_ = 0;       // of the last record
  size_t reserved_ = 0;  // where what was asked for ends
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_UNDO_LOG_H_
