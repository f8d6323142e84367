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
      if (relocation.type == R_X86_64_RELATIVE) relocated_.insert(relocation.addend);
    }
  }
  void Add(FileAddr target) { found_.insert(target); }
  // What was added. A merge knows what it has found itself, and nothing of earlier ones.
  void Forget() { found_.clear(); }
  bool Contains(FileAddr target) const {
    return relocated_.contains(target) || found_.contains(target);
  }

 private:
  std::unordered_set<FileAddr> relocated_, found_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_KNOWN_TARGETS_H_
