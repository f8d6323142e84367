// Checkpoints. An input is a directory of image files, one after the other: a byte with the length
// of the name, the name, four bytes (little-endian) with the length of the contents, the contents.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/criu/criu_image.h"
#include "checkpoint/criu/image_directory.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/loaded_modules.h"
#include "tests/fuzz/input_file.h"

namespace {

using namespace mcr;

void Unpack(std::span<const uint8_t> input, fuzz::InputDirectory& directory) {
  directory.Clear();
  while (!input.empty()) {
    const size_t name_size = std::min<size_t>(input[0], input.size() - 1);
    const std::string name(reinterpret_cast<const char*>(input.data() + 1), name_size);
    input = input.subspan(1 + name_size);
    uint32_t size = 0;
    if (input.size() < sizeof size) return;
    std::memcpy(&size, input.data(), sizeof size);
    input = input.subspan(sizeof size);
    const auto contents = input.first(std::min<size_t>(size, input.size()));
    directory.Write(name, contents);
    input = input.subspan(contents.size());
  }
}

void LookAt(const checkpoint::ProcessImage& image) {
  constexpr uint64_t kMost = 1 << 16;
  std::vector<std::byte> bytes;
  for (const Mapping& mapping : image.mappings()) {
    const auto populated = image.PopulatedRanges(mapping.range);
    if (!populated) continue;
    for (const Range<Addr>& range : *populated) {
      bytes.resize(std::min(range.size(), kMost));
      (void)image.Read(range.begin(), bytes).has_value();
    }
  }
  (void)mutator::LoadedModules::Find(image);
  (void)mutator::WalkHeap(image).has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static fuzz::InputDirectory directory;
  Unpack({data, size}, directory);
  const auto opened = checkpoint::ImageDirectory::Open(directory.path());
  if (!opened) return 0;
  const auto images = checkpoint::CriuImage::OpenAll(*opened);
  if (!images) return 0;
  for (const auto& image : *images) LookAt(*image);
  return 0;
}
