// Programs and libraries: headers, sections, symbols, relocations.
#include <cstddef>
#include <cstdint>

#include "mutator/debuginfo/program.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mcr;
  static fuzz::InputDirectory directory;
  const auto program = mutator::Program::Load(directory.Write("program", {data, size}), {});
  if (!program) return 0;
  for (const mutator::Segment& segment : (*program)->segments()) {
    (void)(*program)->Contents(segment.range.begin());
  }
  for (const mutator::Section& section : (*program)->sections()) {
    (void)(*program)->Contents(section.range.begin());
    (void)(*program)->FindSection(section.name);
  }
  for (const mutator::Symbol& symbol : (*program)->symbols()) {
    (void)(*program)->FindVariable(symbol.range.begin());
    (void)(*program)->FindFunction(symbol.range.begin());
  }
  return 0;
}
