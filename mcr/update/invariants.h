// What a profile says was always true of the program's variables (`mcr profile`), and whether an
// update ends it. That is no error: a new version may mean what it changes. Nor is one that the
// server has ended itself, under a load or a configuration that no run had.
#ifndef MCR_UPDATE_INVARIANTS_H_
#define MCR_UPDATE_INVARIANTS_H_

#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/update/inspect.h"
#include "mutator/filter/state_filter.h"

namespace mcr::update {

class Invariants {
 public:
  // Those that both versions can be asked.
  static Invariants Of(const Inspection& server);

  // Before the pause: which hold in which process.
  void Note(const std::vector<pid_t>& processes);

  // Of a process in which the new version is about to run. Which held and do not any more, with the
  // values; and how many were looked at.
  struct Seen {
    std::vector<std::string> ended;
    size_t checked = 0;
  };
  Seen Check(const checkpoint::ProcessImage& after) const;

 private:
  struct Invariant {
    mutator::StateFilter before, after;
    std::set<pid_t> processes;  // in which it holds
  };
  std::vector<Invariant> all_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_INVARIANTS_H_
