#include "checkpoint/graft/undo_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace mcr::checkpoint {
namespace {

// Of this program's records: another build of it lays them out in another way.
constexpr uint64_t kMagic = 0x31'4f'44'4e'55'52'43'4d;  // "MCRUNDO1"
constexpr size_t kFirst = 16;                           // where the first record is
constexpr size_t kInitialSize = 2 << 20;

struct Header {
  uint32_t kind;  // written last: the record counts from then on
  int32_t id;
  uint64_t size;  // bytes of data
};
static_assert(sizeof(Header) == 16);

bool IsOfItsMoment(UndoKind kind) {
  return kind != UndoKind::kWorker && kind != UndoKind::kCgroup && kind != UndoKind::kOrigin &&
         kind != UndoKind::kPause;
}

size_t Padded(size_t size) { return (size + 15) / 16 * 16; }

}  // namespace

Result<UndoLog> UndoLog::Map(OwnedFd file, size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return FailErrno("cannot map the undo log");
  return UndoLog(std::move(file), static_cast<std::byte*>(memory), size);
}

// Its pages are touched now, and not in the pause.
Result<UndoLog> UndoLog::Create(OwnedFd file) {
  const int failed = posix_fallocate(file.get(), 0, kInitialSize);
  if (failed != 0) {
    errno = failed;
    return FailErrno("no memory for the undo log");
  }
  MCR_ASSIGN(UndoLog log, Map(std::move(file), kInitialSize));
  std::memset(log.memory_, 0, kInitialSize);
  std::memcpy(log.memory_, &kMagic, sizeof(kMagic));
  log.end_ = kFirst;
  return log;
}

Result<UndoLog> UndoLog::CreateAnonymous() {
  return Create(OwnedFd(memfd_create("undo", MFD_CLOEXEC)));
}

Result<UndoLog> UndoLog::Open(OwnedFd file) {
  struct stat status;
  uint64_t magic = 0;
  if (fstat(file.get(), &status) != 0 || pread(file.get(), &magic, sizeof(magic), 0) < 0) {
    return FailErrno("cannot read the undo log");
  }
  // Whoever made the file has been killed before there was anything to write down.
  if (magic == 0) return Create(std::move(file));
  const size_t size = static_cast<size_t>(status.st_size);
  if (magic != kMagic || size < kFirst + sizeof(Header)) {
    return Fail("the undo log is another version's", "", "use that version's `mcr restore`");
  }
  MCR_ASSIGN(UndoLog log, Map(std::move(file), size));
  MCR_TRY(log.Refresh());
  return log;
}

Status UndoLog::Refresh() {
  struct stat status;
  if (fstat(file_.get(), &status) != 0) return FailErrno("cannot read the undo log");
  if (static_cast<size_t>(status.st_size) > size_) {
    MCR_TRY(Remap(static_cast<size_t>(status.st_size)));
  }
  end_ = kFirst;
  for (const Record& record : AllRecords()) end_ += sizeof(Header) + Padded(record.data.size());
  return {};
}

Status UndoLog::Remap(size_t size) {
  void* memory = mremap(memory_, size_, size, MREMAP_MAYMOVE);
  if (memory == MAP_FAILED) return FailErrno("cannot map the undo log");
  memory_ = static_cast<std::byte*>(memory);
  size_ = size;
  return {};
}

UndoLog::UndoLog(UndoLog&& other) noexcept
    : file_(std::move(other.file_)),
      memory_(std::exchange(other.memory_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      end_(std::exchange(other.end_, 0)),
      reserved_(std::exchange(other.reserved_, 0)) {}

UndoLog::~UndoLog() {
  if (memory_ != nullptr) munmap(memory_, size_);
}

// No write can meet a full file system: the space is allocated before.
Status UndoLog::Grow(size_t needed) {
  if (needed <= size_) return {};
  const size_t size = std::max(2 * size_, Padded(needed));
  const int failed = posix_fallocate(file_.get(), 0, static_cast<off_t>(size));
  if (failed != 0) {
    errno = failed;
    return FailErrno("no memory for the undo log");
  }
  return Remap(size);
}

Status UndoLog::Reserve(size_t bytes) {
  reserved_ = std::max(end_, reserved_) + bytes;
  MCR_TRY(Grow(reserved_));
  // By hand: behind the guest's page tables that MADV_POPULATE_WRITE fills there may be the
  // hypervisor's, which only an access does.
  constexpr size_t kPage = 4096;
  for (size_t at = 0; at < std::min(reserved_, size_); at += kPage) {
    volatile std::byte* byte = memory_ + at;
    *byte = *byte;
  }
  return {};
}

Status UndoLog::Append(UndoKind kind, pid_t id,
                       std::initializer_list<std::span<const std::byte>> parts) {
  return Append(kind, id, std::span(parts.begin(), parts.size()));
}

Status UndoLog::Append(UndoKind kind, pid_t id, std::span<const std::span<const std::byte>> parts) {
  size_t size = 0;
  for (const auto& part : parts) size += part.size();
  const size_t next = end_ + sizeof(Header) + Padded(size);
  MCR_TRY(Grow(next + sizeof(Header)));
  std::byte* at = memory_ + end_ + sizeof(Header);
  for (const auto& part : parts) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  auto* header = reinterpret_cast<Header*>(memory_ + end_);
  header->id = id;
  header->size = size;
  std::atomic_ref(header->kind).store(static_cast<uint32_t>(kind), std::memory_order_release);
  end_ = next;
  return {};
}

std::vector<UndoLog::Record> UndoLog::AllRecords() const {
  std::vector<Record> records;
  size_t at = kFirst;
  while (at + sizeof(Header) <= size_) {
    Header header;
    std::memcpy(&header, memory_ + at, sizeof(header));
    at += sizeof(header);
    if (header.kind == 0 || header.size > size_ - at) break;
    records.push_back({static_cast<UndoKind>(header.kind), header.id, {memory_ + at, header.size}});
    at += std::min(Padded(header.size), size_ - at);
  }
  return records;
}

std::vector<UndoLog::Record> UndoLog::Records() const {
  std::vector<Record> records;
  for (const Record& record : AllRecords()) {
    if (record.kind == UndoKind::kReleased) {
      std::erase_if(records, [](const Record& past) { return IsOfItsMoment(past.kind); });
    } else {
      records.push_back(record);
    }
  }
  return records;
}

bool UndoLog::Has(UndoKind kind) const {
  return std::ranges::any_of(Records(), [&](const Record& record) { return record.kind == kind; });
}

}  // namespace mcr::checkpoint
