// Injection::SendFd: a descriptor of ours, given to the process.
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "mcr/base/owned_fd.h"
#include "tracer/arch/injected/code.h"
#include "tracer/remote_call.h"

namespace mcr::tracer {
namespace {

Status SendOver(int socket, int fd) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(socket, &message, 0) != 1) return FailErrno("cannot send a descriptor");
  return {};
}

// What recvmsg needs.
struct Receiver {
  msghdr message;
  iovec data;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
  char byte;
};

// The calls that take the descriptor, and what they work on, in one go.
struct Transfer {
  std::array<InjectedCall, 3> calls;
  Receiver receiver;
};
static_assert(sizeof(Transfer) <= Injection::kScratchSize);

void* PointerThere(Addr scratch, size_t offset) {
  return reinterpret_cast<void*>((scratch + offset).value());
}

}  // namespace

Result<OwnedFd> FetchFd(pid_t pid, int fd) {
  const std::string where = "PID " + std::to_string(pid);
  const OwnedFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid()) return FailErrno("pidfd_open", where);
  OwnedFd copy(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), fd, 0)));
  if (!copy.valid()) return FailErrno("pidfd_getfd", where);
  return copy;
}

Result<int> Injection::ReceiveFd(const std::array<int, 2>& pair) {
  MCR_ASSIGN(const Addr scratch, Scratch());
  Transfer transfer{};
  Receiver& receiver = transfer.receiver;
  const auto at = [&](size_t member) {
    return PointerThere(scratch, offsetof(Transfer, receiver) + member);
  };
  receiver.message.msg_iov = static_cast<iovec*>(at(offsetof(Receiver, data)));
  receiver.message.msg_iovlen = 1;
  receiver.message.msg_control = at(offsetof(Receiver, control));
  receiver.message.msg_controllen = receiver.control.size();
  receiver.data = {at(offsetof(Receiver, byte)), 1};
  const auto message = reinterpret_cast<uint64_t>(at(offsetof(Receiver, message)));
  const auto ours = static_cast<uint64_t>(pair[0]), theirs = static_cast<uint64_t>(pair[1]);
  transfer.calls = {{{SYS_recvmsg, {theirs, message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT}},
                     {SYS_close, {ours}},
                     {SYS_close, {theirs}}}};
  MCR_TRY(memory_.WriteValue(scratch, transfer));
  MCR_TRY(Run(BatchCode(), {scratch.value(), transfer.calls.size()}));
  MCR_ASSIGN(transfer, memory_.ReadValue<Transfer>(scratch));
  if (const auto failed = static_cast<int64_t>(transfer.calls[0].result); failed < 0) {
    errno = static_cast<int>(-failed);
    return FailErrno("recvmsg in the server", "PID " + std::to_string(task_.pid()));
  }
  cmsghdr header;
  std::memcpy(&header, receiver.control.data(), sizeof header);
  // The kernel drops the descriptor if the process has no number left for it.
  if (receiver.message.msg_controllen < sizeof header || header.cmsg_type != SCM_RIGHTS) {
    return Fail("the process cannot take a descriptor", "PID " + std::to_string(task_.pid()),
                "raise its limit of open files");
  }
  int fd = -1;
  std::memcpy(&fd, receiver.control.data() + CMSG_LEN(0), sizeof fd);
  return fd;
}

Result<int> Injection::SendFd(int fd) {
  MCR_ASSIGN(const Addr scratch, Scratch());
  MCR_TRY(Call(SYS_socketpair, {AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, scratch.value()}));
  MCR_ASSIGN(const auto pair, (memory_.ReadValue<std::array<int, 2>>(scratch)));
  const auto send = [&]() -> Status {
    MCR_ASSIGN(const OwnedFd ours, FetchFd(task_.pid(), pair[0]));
    return SendOver(ours.get(), fd);
  };
  // What was not sent is not received, and both ends are closed all the same.
  const Status sent = send();
  const Result<int> received = ReceiveFd(pair);
  MCR_TRY(sent);
  return received;
}

}  // namespace mcr::tracer
