// What an update was made of besides the server itself: both versions' files and the rehearsals.
// Kept beside the CRIU images of the pause, they allow the merge to be done again.
#ifndef MCR_UPDATE_KEPT_INPUTS_H_
#define MCR_UPDATE_KEPT_INPUTS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/criu/criu_image.h"
#include "checkpoint/criu/image_directory.h"
#include "mcr/base/result.h"
#include "mcr/update/inspect.h"
#include "mcr/update/rehearse.h"
#include "mutator/debuginfo/program.h"

namespace mcr::update {

// `directory` is the checkpoint's. Files of the new version are named, not copied.
Status KeepInputs(const Inspection& server, const Rehearsals& rehearsals,
                  const mutator::DebugSearch& search, const checkpoint::ImageDirectory& directory);

struct KeptServer {
  Inspection inspection;  // of the versions and the profile, not of the start
  Rehearsals rehearsals;
  // The processes that execute the program, with their stacks, and the functions on those of their
  // main threads.
  std::vector<std::unique_ptr<checkpoint::CriuImage>> images;
  std::vector<StackNames> stacks;
};

Result<KeptServer> ReadKept(const std::string& directory);

}  // namespace mcr::update

#endif  // MCR_UPDATE_KEPT_INPUTS_H_
