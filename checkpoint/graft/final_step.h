// The part of a commit after which there is no way back, for one process.
#ifndef MCR_CHECKPOINT_GRAFT_FINAL_STEP_H_
#define MCR_CHECKPOINT_GRAFT_FINAL_STEP_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/call_batch.h"
#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "tracer/remote_call.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

class FinalStep {
 public:
  // Everything that can fail. `new_files`: the new files' descriptors in the process, which Run
  // closes; the first is the new program if the graft has a layout.
  static Result<std::unique_ptr<FinalStep>> Prepare(tracer::TracedProcess& process,
                                                    const ProcessGraft& graft,
                                                    std::vector<int> new_files);
  // The same where the process has no such descriptor yet; `new_file`, the new program, is ours.
  static Result<std::unique_ptr<FinalStep>> PrepareAndPlace(tracer::TracedProcess& process,
                                                            const ProcessGraft& graft,
                                                            int new_file);

  FinalStep(const FinalStep&) = delete;
  FinalStep& operator=(const FinalStep&) = delete;
  ~FinalStep();  // takes a descriptor that it has placed out of the process again

  // Unmaps, sets the layout and the executable, closes the descriptors. What does not work is added
  // to `warnings`.
  void Run(std::vector<std::string>& warnings);

 private:
  FinalStep(const ProcessGraft& graft, std::unique_ptr<tracer::Injection> injection)
      : graft_(graft), injection_(std::move(injection)) {}

  std::vector<BatchedCall> UnmapCalls() const;
  Status SetLayoutByChild();
  Status SetLayoutWithoutFile();

  const ProcessGraft& graft_;
  std::unique_ptr<tracer::Injection> injection_;
  void CloseFiles();

  std::vector<int> new_files_;  // in the process; -1: not there
  bool placed_ = false;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_FINAL_STEP_H_
