// What a person sees while an update is under way: a line per stage on standard error. On a
// terminal, the line of a stage that takes a while is there from its beginning and counts the time.
#ifndef MCR_CLI_PROGRESS_H_
#define MCR_CLI_PROGRESS_H_

#include <memory>
#include <string>

#include "mcr/update/stage.h"

namespace mcr::cli {

class Ticker;

class Progress {
 public:
  Progress(int fd, bool is_terminal);
  ~Progress();  // prints what is still held back

  // As update::Options::progress is called: `text` is empty when the stage begins.
  void Report(update::Stage stage, const std::string& text);

 private:
  void Flush();

  const int fd_;
  const bool is_terminal_;
  std::unique_ptr<Ticker> ticker_;
  std::string held_;
};

}  // namespace mcr::cli

#endif  // MCR_CLI_PROGRESS_H_
