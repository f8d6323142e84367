// A tracee for tests: a small program of this folder, driven line by line through its standard
// input and output.
#ifndef MCR_TESTS_TARGETS_TARGET_PROCESS_H_
#define MCR_TESTS_TARGETS_TARGET_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "mcr/base/owned_fd.h"

namespace mcr::testing {

class TargetProcess {
 public:
  // Starts tests/targets/NAME; aborts the test program if that fails.
  static std::unique_ptr<TargetProcess> Start(const std::string& name,
                                              const std::vector<std::string>& arguments = {});
  static std::unique_ptr<TargetProcess> StartFile(const std::string& path,
                                                  const std::vector<std::string>& arguments = {});
  // Kills it and what is left of its process group.
  ~TargetProcess();

  pid_t pid() const { return pid_; }

  // The next line of its output without the newline; "" at the end of its output.
  std::string ReadLine();
  void Write(const std::string& text);
  void CloseInput() { input_.Reset(); }
  // Waits, without help by any event, until the process sleeps in system call `number` (or
  // `alternative`).
  void AwaitSystemCall(long number, long alternative = -2) const;
  // Its exit status as a shell gives it: 128 + N if signal N killed it. Not while it is traced by
  // us.
  int Wait();

 private:
  TargetProcess() = default;

  pid_t pid_ = -1;
  OwnedFd input_;
  OwnedFd output_;
};

}  // namespace mcr::testing

#endif  // MCR_TESTS_TARGETS_TARGET_PROCESS_H_
