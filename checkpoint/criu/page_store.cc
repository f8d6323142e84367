#include "checkpoint/criu/page_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/criu/image_file.h"
#include "checkpoint/criu/images.pb.h"

namespace mcr::checkpoint {
namespace {

constexpr uint32_t kPresent = 1 << 2;  // the page is in the pages image

std::string PagesName(uint32_t id) { return "pages-" + std::to_string(id) + ".img"; }

}  // namespace

Result<PageStore> PageStore::Open(const ImageDirectory& directory, const std::string& pagemap) {
  MCR_ASSIGN(const std::string image, directory.ReadFile(pagemap));
  MCR_ASSIGN(const auto messages, SplitImage(image, ImageKind::kPagemap, pagemap));
  criu::PagemapHead head;
  if (messages.empty() || !ParseMessage(messages[0], head)) {
    return Fail("damaged CRIU image", pagemap);
  }
  const std::string pages = PagesName(head.pages_id());
  MCR_ASSIGN(OwnedFd file, directory.OpenFile(pages));
  struct stat status;
  if (fstat(file.get(), &status) != 0) return FailErrno("cannot read the checkpoint", pages);
  PageStore store(std::move(file), pages);
  uint64_t offset = 0;
  for (const std::string_view message : std::span(messages).subspan(1)) {
    criu::PagemapEntry entry;
    if (!ParseMessage(message, entry)) return Fail("damaged CRIU image", pagemap);
    const uint64_t count = entry.has_nr_pages() ? entry.nr_pages() : entry.compat_nr_pages();
    if (entry.has_flags() && (entry.flags() & kPresent) == 0) continue;
    if (count > (static_cast<uint64_t>(status.st_size) - offset) / kPageSize) {
      return Fail("truncated CRIU image", pages);
    }
    const auto range = Range<Addr>::FromSize(Addr(entry.vaddr()), count * kPageSize);
    if (!range) return Fail("damaged CRIU image", pagemap);
    store.runs_.insert({range->begin(), {*range, offset}});
    offset += range->size();
  }
  return store;
}

const PageStore::Run* PageStore::Find(Addr address) const {
  auto after = runs_.upper_bound(address);
  if (after == runs_.begin()) return nullptr;
  const Run& run = std::prev(after)->second;
  return run.range.Contains(address) ? &run : nullptr;
}

Status PageStore::Read(Addr from, std::span<std::byte> into) const {
  const Run* run = Find(from);
  if (run == nullptr) return Fail("the checkpoint does not have the page", Hex(from));
  const auto offset = static_cast<off_t>(run->file_offset + (from - run->range.begin()));
  const ssize_t count = pread(pages_.get(), into.data(), into.size(), offset);
  if (count < 0) return FailErrno("cannot read the checkpoint", name_);
  if (static_cast<size_t>(count) != into.size()) return Fail("truncated CRIU image", name_);
  return {};
}

std::vector<Range<Addr>> PageStore::Present(Range<Addr> range) const {
  std::vector<Range<Addr>> present;
  auto at = runs_.upper_bound(range.begin());
  if (at != runs_.begin()) --at;
  for (; at != runs_.end() && at->first < range.end(); ++at) {
    Range<Addr> part = at->second.range.Intersection(range);
    if (!at->second.range.Overlaps(range) || part.empty()) continue;
    if (!present.empty() && present.back().end() == part.begin()) {
      part = *Range<Addr>::FromTo(present.back().begin(), part.end());
      present.pop_back();
    }
    present.push_back(part);
  }
  return present;
}

}  // namespace mcr::checkpoint
