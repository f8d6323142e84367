// Constants of the old version that live pointers reach and that the new version does not have (a
// text that was reworded): their bytes stay, in memory behind the new version's own.
#ifndef MCR_MUTATOR_MERGE_KEPT_CONSTANTS_H_
#define MCR_MUTATOR_MERGE_KEPT_CONSTANTS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

// Whether the bytes of a section of `program` mean the same anywhere: read-only data without
// addresses.
bool IsConstant(const Program& program, const Section& section);

// Maps a copy of such a section for one process, at `at`, which is free up to the end of its pages.
void AddConstants(const Program& program, const Section& section, Addr at,
                  checkpoint::ProcessGraft& graft);

class KeptConstants {
 public:
  KeptConstants(std::shared_ptr<const Program> before, const Program& after);

  // Where the constant at an address of the old version would be, as an address of the new one.
  // nullopt: there is no constant, or it holds addresses.
  std::optional<FileAddr> PlaceFor(FileAddr old_address) const;
  // The whole section of that place is kept from then on: nothing says where a constant ends. Any
  // other address is none of ours.
  void Use(FileAddr place);
  // Nothing is used: a merge keeps what it has reached itself.
  void Forget();

  // Bytes that the new version takes with all that may be kept, whole pages.
  uint64_t room() const { return room_; }

  // For one process, in which the new version's file address 0 is at `bias`.
  void AddTo(Addr bias, checkpoint::ProcessGraft& graft) const;

 private:
  struct Part {
    const Section* from = nullptr;
    FileAddr to;
    bool used = false;
  };

  std::shared_ptr<const Program> before_;
  std::vector<Part> parts_;
  uint64_t room_ = 0;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_KEPT_CONSTANTS_H_
