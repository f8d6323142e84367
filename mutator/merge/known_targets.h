// Addresses of the old program that are pointed to for certain: by its own relocations, or by words
// that nothing speaks against. A doubtful word that holds one of them exactly is a pointer: that a
// text's last characters make just one of these few addresses is very unlikely.
#ifndef MCR_MUTATOR_MERGE_KNOWN_TARGETS_H_
#define MCR_MUTATOR_MERGE_KNOWN_TARGETS_H_

#include <elf.h>

#include <unordered_set>

#include "mcr/base/address.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

class KnownTargets {
 public:
  explicit KnownTargets(const Program& program) {
    for (const Relocation& relocation : program.relocations()) {
      if (relocation.type == R_X86_64_RELATIVE) Add(relocation.addend);
    }
  }
  void Add(FileAddr target) { targets_.insert(target); }
  bool Contains(FileAddr target) const { return targets_.contains(target); }

 private:
  std::unordered_set<FileAddr> targets_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_KNOWN_TARGETS_H_
