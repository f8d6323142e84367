// Whether words of two processes of the same program say the same: a number, a place in the heap or
// in a file. Start-up is deterministic, but each process has its memory elsewhere.
#ifndef MCR_MUTATOR_GRAPH_SAME_WORD_H_
#define MCR_MUTATOR_GRAPH_SAME_WORD_H_

#include <cstdint>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::mutator {

// One of the two.
class WordsOf {
 public:
  // `image` outlives this.
  explicit WordsOf(const checkpoint::ProcessImage& image)
      : WordsOf(image, LoadedModules::Find(image)) {}
  // `modules`: those of the image.
  WordsOf(const checkpoint::ProcessImage& image, LoadedModules modules);

  Range<Addr> heap() const { return heap_; }  // the main arena's
  // Stacks and what threads have for themselves: nothing says what corresponds to what.
  bool PointElsewhere(uint64_t word) const;

  // Whether `here` of this process says what `there` of the other one does.
  bool Say(uint64_t here, const WordsOf& other, uint64_t there) const;
  // Or may do so: both point elsewhere, or are remains of pointers under the same lower bytes.
  bool MaySay(uint64_t here, const WordsOf& other, uint64_t there) const;

 private:
  bool AreApart(uint64_t ours, uint64_t theirs, unsigned shift, const WordsOf& other) const;
  bool EndLikePointer(uint64_t upper, unsigned shift) const;

  const Mappings& mappings_;
  LoadedModules modules_;
  Range<Addr> heap_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_SAME_WORD_H_
