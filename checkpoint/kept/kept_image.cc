#include "checkpoint/kept/kept_image.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "checkpoint/kept/kept_image.pb.h"

namespace mcr::checkpoint {
namespace {

constexpr Addr MemoryLayout::* kLayoutFields[] = {
    &MemoryLayout::start_code,  &MemoryLayout::end_code,  &MemoryLayout::start_data,
    &MemoryLayout::end_data,    &MemoryLayout::start_brk, &MemoryLayout::brk,
    &MemoryLayout::start_stack, &MemoryLayout::arg_start, &MemoryLayout::arg_end,
    &MemoryLayout::env_start,   &MemoryLayout::env_end};

std::string TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The kernel's own pages, and memory that nothing may read.
bool HasContents(const Mapping& mapping) {
  return mapping.readable && (!mapping.path.starts_with("[v") || mapping.path == "[vdso]");
}

kept::Mapping ToMessage(const Mapping& mapping) {
  kept::Mapping message;
  message.set_begin(mapping.range.begin().value());
  message.set_size(mapping.range.size());
  message.set_readable(mapping.readable);
  message.set_writable(mapping.writable);
  message.set_executable(mapping.executable);
  message.set_shared(mapping.shared);
  message.set_file_offset(mapping.file_offset);
  message.set_device(mapping.device);
  message.set_inode(mapping.inode);
  message.set_path(mapping.path);
  message.set_deleted(mapping.deleted);
  return message;
}

kept::Thread ToMessage(const ThreadImage& thread) {
  kept::Thread message;
  message.set_tid(thread.tid);
  message.set_registers(TextOf(std::as_bytes(std::span(&thread.registers, 1))));
  for (const Addr slot : thread.return_slots) message.add_return_slots(slot.value());
  for (const StackFrame& frame : thread.frames) {
    kept::Frame& kept = *message.add_frames();
    kept.set_instruction(frame.instruction.value());
    kept.set_stack_pointer(frame.stack_pointer.value());
    for (const Addr saved : frame.saved) kept.add_saved(saved.value());
  }
  return message;
}

// Pages behind the end of a file cannot be read and are left out.
void KeepMemory(const ProcessImage& image, const Mapping& mapping, PagePool& pool,
                kept::Process& process) {
  kept::Memory* memory = nullptr;
  std::array<std::byte, kKeptPageSize> page;
  for (Addr at = mapping.range.begin(); at < mapping.range.end(); at = at + kKeptPageSize) {
    if (!image.Read(at, page)) {
      memory = nullptr;
      continue;
    }
    if (memory == nullptr) {
      memory = process.add_memory();
      memory->set_begin(at.value());
    }
    memory->add_pages(pool.Add(page));
  }
}

Result<Range<Addr>> ToRange(uint64_t begin, uint64_t size) {
  const auto range = Range<Addr>::FromSize(Addr(begin), size);
  if (!range) return Fail("damaged kept image: a range wraps around", Hex(begin));
  return *range;
}

Result<Mapping> FromMessage(const kept::Mapping& message) {
  MCR_ASSIGN(const Range<Addr> range, ToRange(message.begin(), message.size()));
  return Mapping{.range = range,
                 .readable = message.readable(),
                 .writable = message.writable(),
                 .executable = message.executable(),
                 .shared = message.shared(),
                 .file_offset = message.file_offset(),
                 .device = message.device(),
                 .inode = message.inode(),
                 .path = message.path(),
                 .deleted = message.deleted()};
}

Result<ThreadImage> FromMessage(const kept::Thread& message) {
  ThreadImage thread;
  thread.tid = message.tid();
  if (message.registers().size() != sizeof thread.registers) {
    return Fail("damaged kept image: registers", "TID " + std::to_string(thread.tid));
  }
  std::memcpy(&thread.registers, message.registers().data(), sizeof thread.registers);
  for (const uint64_t slot : message.return_slots()) thread.return_slots.emplace_back(slot);
  for (const kept::Frame& kept : message.frames()) {
    StackFrame frame{Addr(kept.instruction()), Addr(kept.stack_pointer())};
    if (static_cast<size_t>(kept.saved_size()) != frame.saved.size()) {
      return Fail("damaged kept image: a frame", "TID " + std::to_string(thread.tid));
    }
    std::ranges::transform(kept.saved(), frame.saved.begin(),
                           [](uint64_t saved) { return Addr(saved); });
    thread.frames.push_back(frame);
  }
  return thread;
}

}  // namespace

Status KeepImage(const ProcessImage& image, const ImageDirectory& directory,
                 const std::string& name, PagePool& pool) {
  kept::Process process;
  process.set_pid(image.pid());
  process.set_parent(image.parent());
  for (const Mapping& mapping : image.mappings()) {
    *process.add_mappings() = ToMessage(mapping);
    if (!HasContents(mapping)) continue;
    KeepMemory(image, mapping, pool, process);
    MCR_ASSIGN(const auto populated, image.PopulatedRanges(mapping.range));
    for (const Range<Addr>& range : populated) {
      kept::PageRange& kept = *process.add_populated();
      kept.set_begin(range.begin().value());
      kept.set_size(range.size());
    }
  }
  for (const ThreadImage& thread : image.threads()) *process.add_threads() = ToMessage(thread);
  for (const auto field : kLayoutFields) process.add_layout((image.layout().*field).value());
  process.set_auxv(TextOf(image.layout().auxv));
  return directory.WriteFile(name, process.SerializeAsString());
}

Result<std::unique_ptr<KeptImage>> KeptImage::Open(const ImageDirectory& directory,
                                                   const std::string& name,
                                                   std::shared_ptr<const KeptPages> pages) {
  MCR_ASSIGN(const std::string bytes, directory.ReadFile(name));
  kept::Process process;
  if (!process.ParseFromString(bytes) || process.layout_size() != std::ssize(kLayoutFields)) {
    return Fail("damaged kept image", name);
  }
  std::unique_ptr<KeptImage> image(
      new KeptImage(process.pid(), process.parent(), std::move(pages)));
  for (const kept::Mapping& message : process.mappings()) {
    MCR_ASSIGN(Mapping mapping, FromMessage(message));
    image->mappings_.push_back(std::move(mapping));
  }
  for (const kept::Thread& message : process.threads()) {
    MCR_ASSIGN(ThreadImage thread, FromMessage(message));
    image->threads_.push_back(std::move(thread));
  }
  for (const kept::Memory& message : process.memory()) {
    MCR_ASSIGN(const Range<Addr> range,
               ToRange(message.begin(), uint64_t(message.pages_size()) * kKeptPageSize));
    image->memory_.push_back({range, {message.pages().begin(), message.pages().end()}});
  }
  for (const kept::PageRange& message : process.populated()) {
    MCR_ASSIGN(const Range<Addr> range, ToRange(message.begin(), message.size()));
    image->populated_.push_back(range);
  }
  for (int i = 0; i < process.layout_size(); ++i) {
    image->layout_.*kLayoutFields[i] = Addr(process.layout(i));
  }
  const auto auxv = std::as_bytes(std::span(process.auxv()));
  image->layout_.auxv.assign(auxv.begin(), auxv.end());
  return image;
}

Status KeptImage::Read(Addr from, std::span<std::byte> into) const {
  while (!into.empty()) {
    const auto after = std::ranges::upper_bound(
        memory_, from, {}, [](const Memory& memory) { return memory.range.begin(); });
    if (after == memory_.begin() || !std::prev(after)->range.Contains(from)) {
      return Fail("cannot read memory: it was not kept", Hex(from));
    }
    const Memory& memory = *std::prev(after);
    const uint64_t offset = from - memory.range.begin();
    const uint64_t within = offset % kKeptPageSize;
    const auto part = into.first(std::min<size_t>(kKeptPageSize - within, into.size()));
    MCR_TRY(pages_->Read(memory.pages[offset / kKeptPageSize], within, part));
    from = from + part.size();
    into = into.subspan(part.size());
  }
  return {};
}

Result<std::vector<Range<Addr>>> KeptImage::PopulatedRanges(Range<Addr> range) const {
  std::vector<Range<Addr>> ranges;
  for (const Range<Addr>& populated : populated_) {
    if (populated.Overlaps(range)) ranges.push_back(populated.Intersection(range));
  }
  return ranges;
}

}  // namespace mcr::checkpoint
