// What a sandbox's init process tells mcr: messages over a SOCK_SEQPACKET socket pair, each one
// whole.
#ifndef MCR_TRACER_REHEARSAL_CHANNEL_H_
#define MCR_TRACER_REHEARSAL_CHANNEL_H_

#include <chrono>
#include <optional>
#include <string>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

enum class MessageKind : char {
  kInit = 'i',     // value: the init process's PID in mcr's namespace
  kFailed = 'f',   // value: errno or 0; text: the error's parts, NUL between them
  kRunning = 'r',  // the program has been executed
  kExited = 'x',   // value: the program's wait status
  kOrphan = 'o',   // value: wait status of a process whose parent had ended before
};

struct Message {
  MessageKind kind = MessageKind::kFailed;
  int value = 0;
  std::string text;
};

struct Channel {
  OwnedFd outside;
  OwnedFd inside;  // hangs up when mcr is gone, however it went
};
Result<Channel> OpenChannel();

// Never blocks: what mcr does not read in time is lost.
void Send(int channel, const Message& message);
void SendError(int channel, const Error& error);
Error ErrorOf(const Message& message);

// nullopt: none has come by the end of `timeout`. An error: the other side is gone.
Result<std::optional<Message>> Receive(int channel, std::chrono::milliseconds timeout);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_CHANNEL_H_
