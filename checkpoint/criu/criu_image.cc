#include "checkpoint/criu/criu_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "checkpoint/criu/convert.h"
#include "checkpoint/criu/image_file.h"
#include "checkpoint/image_order.h"
#include "checkpoint/unwound.h"

namespace mcr::checkpoint {
namespace {

constexpr uint32_t kDead = 2;        // criu::TaskCore::task_state
constexpr int kX86_64 = 1;           // criu::Core::mtype
constexpr int kEpollDescriptor = 7;  // criu::Descriptor::type

// A zombie has a core image and nothing else.
Result<bool> IsDead(const ImageDirectory& directory, const criu::Process& process) {
  const std::string name = ImageName("core", process.pid());
  MCR_ASSIGN(const auto core, ReadMessage<criu::Core>(directory, name, ImageKind::kCore));
  return core.has_tc() && core.tc().task_state() == kDead;
}

}  // namespace

Result<std::vector<std::unique_ptr<CriuImage>>> CriuImage::OpenAll(
    const ImageDirectory& directory, const std::map<std::string, std::string>& elsewhere) {
  MCR_ASSIGN(FileTable table, FileTable::Read(directory));
  const Files files{std::move(table), elsewhere};
  MCR_ASSIGN(const auto processes,
             ReadMessages<criu::Process>(directory, "pstree.img", ImageKind::kPstree));
  std::vector<std::unique_ptr<CriuImage>> images;
  for (const criu::Process& process : processes) {
    MCR_ASSIGN(const bool dead, IsDead(directory, process));
    if (dead) continue;
    MCR_ASSIGN(auto image, Open(directory, process, files));
    images.push_back(std::move(image));
  }
  if (images.empty()) return Fail("the checkpoint holds no process", "pstree.img");
  return images;
}

Result<std::unique_ptr<CriuImage>> CriuImage::Open(const ImageDirectory& directory,
                                                   const criu::Process& process,
                                                   const Files& files) {
  MCR_ASSIGN(PageStore pages, PageStore::Open(directory, ImageName("pagemap", process.pid())));
  std::unique_ptr<CriuImage> image(new CriuImage(
      static_cast<pid_t>(process.pid()), static_cast<pid_t>(process.ppid()), std::move(pages)));
  MCR_TRY(image->ReadThreads(directory, process));
  MCR_TRY(image->ReadDescriptors(directory, files.table));
  MCR_TRY(image->ReadMemoryMap(directory, files));
  return image;
}

Status CriuImage::ReadThreads(const ImageDirectory& directory, const criu::Process& process) {
  for (const uint32_t tid : process.threads()) {
    const std::string name = ImageName("core", tid);
    MCR_ASSIGN(const auto core, ReadMessage<criu::Core>(directory, name, ImageKind::kCore));
    if (core.mtype() != kX86_64 || !core.has_thread_info()) {
      return Fail("the checkpoint is of another architecture", name);
    }
    threads_.push_back(
        {.tid = static_cast<pid_t>(tid), .registers = ToRegisters(core.thread_info().gpregs())});
    if (core.has_tc()) {
      signal_handlers_ = ToSignalHandlers(core.tc());
      timers_ = ToTimers(core.tc().timers());
    }
    const bool counts = threads_.size() == 1 || RunOnSignalStacks(signal_handlers_);
    const auto stack = ToSignalStack(threads_.back().tid, core.thread_core());
    if (counts && stack) signal_stacks_.push_back(*stack);
  }
  if (threads_.empty()) return Fail("a process of the checkpoint has no thread", "pstree.img");
  PutInOrder(threads_);
  PutInOrder(signal_stacks_);
  return {};
}

Status CriuImage::ReadDescriptors(const ImageDirectory& directory, const FileTable& files) {
  MCR_ASSIGN(const auto ids,
             ReadMessage<criu::ObjectIds>(directory, ImageName("ids", pid_), ImageKind::kIds));
  MCR_ASSIGN(const auto descriptors,
             ReadMessages<criu::Descriptor>(directory, ImageName("fdinfo", ids.files_id()),
                                            ImageKind::kDescriptors));
  descriptors_ = descriptors.size();
  for (const criu::Descriptor& descriptor : descriptors) {
    const criu::File* file = files.Find(descriptor.id());
    if (descriptor.type() != kEpollDescriptor || file == nullptr) continue;
    for (const criu::EpollTarget& target : file->epfd().tfd()) {
      epoll_entries_.push_back({.epoll_fd = static_cast<int>(descriptor.fd()),
                                .fd = static_cast<int>(target.tfd()),
                                .events = target.events(),
                                .data = target.data()});
    }
  }
  PutInOrder(epoll_entries_);
  return {};
}

Status CriuImage::ReadMemoryMap(const ImageDirectory& directory, const Files& files) {
  MCR_ASSIGN(const auto mm,
             ReadMessage<criu::Mm>(directory, ImageName("mm", pid_), ImageKind::kMm));
  layout_ = ToLayout(mm);
  EndWithNull(layout_.auxv);
  for (const criu::Vma& vma : mm.vmas()) {
    if ((vma.status() & kVmaGuard) == 0) MCR_TRY(AddMapping(directory, vma, files));
  }
  for (Mapping& mapping : mappings_) {
    if (mapping.range.Contains(layout_.start_stack)) mapping.path = "[stack]";
  }
  return {};
}

Status CriuImage::AddMapping(const ImageDirectory& directory, const criu::Vma& vma,
                             const Files& files) {
  MCR_ASSIGN(Mapping mapping, ToMapping(vma));
  if (!mappings_.empty() && mapping.range.begin() < mappings_.back().range.end()) {
    return Fail("damaged CRIU image: mappings overlap", ImageName("mm", pid_));
  }
  Backing backing{.shared = nullptr, .file = nullptr, .offset = vma.pgoff()};
  if (vma.status() & kVmaAnonymousShared) {
    MCR_TRY(BackByMemory(directory, vma.shmid(), backing));
  } else if (vma.status() & (kVmaFilePrivate | kVmaFileShared)) {
    const criu::File* file = files.table.Find(static_cast<uint32_t>(vma.shmid()));
    if (file == nullptr) {
      return Fail("damaged CRIU image: a mapping's file is missing", "files.img");
    }
    if (const criu::MemoryFileInode* memory = files.table.FindMemory(*file)) {
      // "/dev/zero" is what the kernel calls shared anonymous memory.
      const bool is_path = memory->name().starts_with('/');
      mapping.path = is_path ? memory->name() : "/memfd:" + memory->name();
      mapping.inode = memory->shmid();
      mapping.deleted = true;
      MCR_TRY(BackByMemory(directory, memory->shmid(), backing));
    } else {
      BackByFile(*file, files, mapping, backing);
    }
  }
  mappings_.push_back(std::move(mapping));
  backings_.push_back(std::move(backing));
  return {};
}

// A piece of shared memory that nobody wrote to has no image.
Status CriuImage::BackByMemory(const ImageDirectory& directory, uint64_t id, Backing& backing) {
  const std::string name = ImageName("pagemap-shmem", id);
  if (!directory.OpenFile(name)) return {};
  MCR_ASSIGN(PageStore store, PageStore::Open(directory, name));
  backing.shared = std::make_shared<PageStore>(std::move(store));
  return {};
}

void CriuImage::BackByFile(const criu::File& file, const Files& files, Mapping& mapping,
                           Backing& backing) {
  mapping.path = file.reg().name();
  const auto elsewhere = files.elsewhere.find(mapping.path);
  const std::string& path = elsewhere == files.elsewhere.end() ? mapping.path : elsewhere->second;
  auto fd = std::make_shared<OwnedFd>(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (fd->valid() && fstat(fd->get(), &status) == 0) {
    mapping.inode = status.st_ino;
    mapping.device = status.st_dev;
    backing.file_size = static_cast<uint64_t>(status.st_size);
    backing.file = std::move(fd);
  } else {
    mapping.deleted = backing.missing = true;
  }
}

Status CriuImage::ReadWithinPage(const Mapping& mapping, Addr from,
                                 std::span<std::byte> into) const {
  if (pages_.Has(from)) return pages_.Read(from, into);
  const Backing& backing = backings_[static_cast<size_t>(&mapping - mappings_.data())];
  const uint64_t offset = backing.offset + (from - mapping.range.begin());
  std::ranges::fill(into, std::byte{0});
  if (backing.shared && backing.shared->Has(Addr(offset))) {
    return backing.shared->Read(Addr(offset), into);
  }
  if (backing.file &&
      pread(backing.file->get(), into.data(), into.size(), static_cast<off_t>(offset)) < 0) {
    return FailErrno("cannot read the mapped file", mapping.path);
  }
  if (backing.missing) return Fail("the checkpoint needs a file that is gone", mapping.path);
  return {};
}

void CriuImage::SetStack(pid_t tid, const std::vector<tracer::Frame>& stack) {
  checkpoint::SetStack(tid, stack, threads_);
}

Status CriuImage::Read(Addr from, std::span<std::byte> into) const {
  while (!into.empty()) {
    const Mapping* mapping = FindMapping(mappings_, from);
    if (mapping == nullptr) return Fail("cannot read memory: nothing is mapped", Hex(from));
    const uint64_t rest = PageStore::kPageSize - from.value() % PageStore::kPageSize;
    const std::span<std::byte> part = into.first(std::min<uint64_t>(rest, into.size()));
    MCR_TRY(ReadWithinPage(*mapping, from, part));
    from = from + part.size();
    into = into.subspan(part.size());
  }
  return {};
}

// Memory behind a shared mapping is not among the process's own pages.
void CriuImage::AddShared(size_t mapping, Range<Addr> part,
                          std::vector<Range<Addr>>& ranges) const {
  const Backing& backing = backings_[mapping];
  const Addr begin = mappings_[mapping].range.begin();
  const auto offsets =
      Range<Addr>::FromSize(Addr(backing.offset + (part.begin() - begin)), part.size());
  if (!offsets) return;
  const auto add = [&](Range<Addr> there) {
    ranges.push_back(
        *Range<Addr>::FromSize(begin + (there.begin().value() - backing.offset), there.size()));
  };
  if (backing.shared) {
    for (const Range<Addr>& there : backing.shared->Present(*offsets)) add(there);
  } else if (backing.file && backing.offset < backing.file_size) {
    // Of a file nobody says which pages the process has looked at.
    const uint64_t whole = PageStore::kPageSize - 1;
    const Addr end((backing.file_size + whole) & ~whole);
    if (offsets->begin() < end) {
      add(*Range<Addr>::FromTo(offsets->begin(), std::min(offsets->end(), end)));
    }
  }
}

Result<std::vector<Range<Addr>>> CriuImage::PopulatedRanges(Range<Addr> range) const {
  std::vector<Range<Addr>> ranges = pages_.Present(range);
  for (size_t i = 0; i < mappings_.size(); ++i) {
    if (!mappings_[i].shared || !mappings_[i].range.Overlaps(range)) continue;
    AddShared(i, mappings_[i].range.Intersection(range), ranges);
  }
  std::ranges::sort(ranges);
  return ranges;
}

}  // namespace mcr::checkpoint
