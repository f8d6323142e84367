// Stage 1: everything that can be known, and refused, without touching the server.
#ifndef MCR_UPDATE_INSPECT_H_
#define MCR_UPDATE_INSPECT_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/update/options.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/differences.h"
#include "profiles/profile.h"
#include "tracer/rehearsal/start_record.h"

namespace mcr::update {

struct Inspection {
  std::vector<pid_t> pids;  // the root first, parents before children
  std::string executable;   // path of the server's program in its own mount namespace
  std::string new_program;  // absolute path of --to
  std::shared_ptr<const mutator::Program> before;
  std::shared_ptr<const mutator::Program> after;
  std::shared_ptr<mutator::AddressMap> addresses;
  mutator::Differences differences;
  std::vector<std::string> changed_functions;  // that both versions have
  std::optional<profiles::Profile> profile;
  tracer::StartRecord start;
  std::string criu;  // the criu program
};

// Fails for whatever stands in the way of any update of this server to this program; what differs
// between the two is in Inspection::differences, for the caller to judge (a plan shows it, an
// update refuses it).
Result<Inspection> Inspect(const Options& options);

// Name of the old program's function that holds `instruction` in process `pid`, "" if there is
// none.
std::string FunctionName(const mutator::Program& program, Addr bias, Addr instruction);

}  // namespace mcr::update

#endif  // MCR_UPDATE_INSPECT_H_
