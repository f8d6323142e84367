// A look at a server: its processes, threads, modules and memory. It runs, and nothing is stopped,
// or it is a checkpoint that CRIU has made.
#ifndef MCR_UPDATE_SERVER_VIEW_H_
#define MCR_UPDATE_SERVER_VIEW_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::update {

struct ThreadView {
  pid_t tid = 0;
  std::string system_call;  // that it blocks in; "" if it runs, and in a checkpoint
};

// Memory of malloc that is in use.
struct HeapView {
  size_t blocks = 0;
  uint64_t bytes = 0;
};

struct ProcessView {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string command_line;
  std::vector<ThreadView> threads;
  std::vector<mutator::LoadedModule> modules;
  uint64_t private_bytes = 0;  // populated pages, not backed by a file
  uint64_t shared_bytes = 0;
  size_t descriptors = 0;
  std::optional<HeapView> heap;  // unless it cannot be walked, or is not of the C library
};

struct ServerView {
  bool is_checkpoint = false;
  std::string executable;
  std::string profile;                 // name of the shipped profile for it, or ""
  std::string debug_info;              // what is known of the program, or why it cannot be updated
  std::vector<ProcessView> processes;  // the root first
};

Result<ServerView> ViewServer(pid_t pid);
Result<ServerView> ViewCheckpoint(const std::string& directory);
std::string ToText(const ServerView& view);
std::string ToJson(const ServerView& view);

}  // namespace mcr::update

#endif  // MCR_UPDATE_SERVER_VIEW_H_
