// A process made of literals, for tests of whatever reads images: no process, no file.
#ifndef MCR_CHECKPOINT_FAKE_IMAGE_H_
#define MCR_CHECKPOINT_FAKE_IMAGE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "checkpoint/image_parts.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// Misuse by a test (overlapping mappings, writes outside of them) throws std::logic_error.
class FakeImage : public ImageParts {
 public:
  static constexpr uint64_t kPageSize = 4096;  // bytes

  explicit FakeImage(pid_t pid = 1000, pid_t parent = 1);

  // `contents` are followed by zeros up to the mapping's end. What a file mapping holds from the
  // start counts as the file's and is not populated; what an anonymous one holds is.
  FakeImage& Map(Mapping mapping, std::span<const std::byte> contents = {});
  // Readable and writable, private and anonymous, named `path` ("[heap]", "[stack]", "").
  FakeImage& MapAnonymous(Addr begin, uint64_t size, std::string_view path = "");

  // As if the process had written: populates the pages.
  FakeImage& Write(Addr at, std::span<const std::byte> bytes);
  FakeImage& WriteString(Addr at, std::string_view text);  // with its NUL
  template <class T>
  FakeImage& WriteValue(Addr at, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Write(at, std::as_bytes(std::span(&value, 1)));
  }
  FakeImage& WriteWord(Addr at, uint64_t value) { return WriteValue(at, value); }

  FakeImage& AddThread(const ThreadImage& thread);
  FakeImage& AddSignalHandler(const SignalHandler& handler);
  FakeImage& AddEpollEntry(const EpollEntry& entry);
  FakeImage& AddTimer(const Timer& timer);
  FakeImage& AddSignalStack(const SignalStack& stack);
  FakeImage& SetLayout(const MemoryLayout& layout);

  Status Read(Addr from, std::span<std::byte> into) const override;
  Result<std::vector<Range<Addr>>> PopulatedRanges(Range<Addr> range) const override;

 private:
  std::map<Addr, std::vector<std::byte>> contents_;  // by the mapping's begin
  std::set<Addr> populated_;                         // pages
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_FAKE_IMAGE_H_
