// The part of a commit after which there is no way back, for one process.
#ifndef MCR_CHECKPOINT_GRAFT_FINAL_STEP_H_
#define MCR_CHECKPOINT_GRAFT_FINAL_STEP_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "tracer/remote_call.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

class FinalStep {
 public:
  // Everything that can fail: the injection is open, the new file's descriptor and the memory
  // layout are in the process.
  static Result<std::unique_ptr<FinalStep>> Prepare(tracer::TracedProcess& process,
                                                    const ProcessGraft& graft, int new_file);

  FinalStep(const FinalStep&) = delete;
  FinalStep& operator=(const FinalStep&) = delete;
  ~FinalStep();  // takes the descriptor out of the process again

  // Unmaps, sets the layout and the executable. What does not work is added to `warnings`.
  void Run(std::vector<std::string>& warnings);

 private:
  FinalStep(const ProcessGraft& graft, std::unique_ptr<tracer::Injection> injection)
      : graft_(graft), injection_(std::move(injection)) {}

  Status PlaceLayout(int exe_fd);
  Status SetLayout();
  void Unmap(std::vector<std::string>& warnings);

  const ProcessGraft& graft_;
  std::unique_ptr<tracer::Injection> injection_;
  int new_file_ = -1;  // in the process
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_FINAL_STEP_H_
