#include "checkpoint/graft/final_step.h"

#include <linux/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "checkpoint/call_batch.h"
#include "tracer/arch/injected/code.h"

namespace mcr::checkpoint {
namespace {

using tracer::Injection;

// How the scratch page is used while the layout is set.
constexpr uint64_t kMapAt = 0;
constexpr uint64_t kStatusAt = 128;
constexpr uint64_t kAuxvAt = 256;
static_assert(sizeof(prctl_mm_map) <= kStatusAt);

bool HasLayout(const ProcessGraft& graft) { return !graft.layout.start_code.IsNull(); }

prctl_mm_map MakeMap(const MemoryLayout& layout, Addr auxv, int exe_fd) {
  prctl_mm_map map = {};
  map.start_code = layout.start_code.value();
  map.end_code = layout.end_code.value();
  map.start_data = layout.start_data.value();
  map.end_data = layout.end_data.value();
  map.start_brk = layout.start_brk.value();
  map.brk = layout.brk.value();
  map.start_stack = layout.start_stack.value();
  map.arg_start = layout.arg_start.value();
  map.arg_end = layout.arg_end.value();
  map.env_start = layout.env_start.value();
  map.env_end = layout.env_end.value();
  map.auxv = reinterpret_cast<decltype(map.auxv)>(auxv.value());
  map.auxv_size = static_cast<uint32_t>(layout.auxv.size());
  map.exe_fd = static_cast<uint32_t>(exe_fd);
  return map;
}

void Note(const Status& status, std::vector<std::string>& warnings) {
  if (!status.has_value()) warnings.push_back(status.error().Line());
}

Status Discard(const Result<uint64_t>& result) {
  MCR_TRY(result);
  return {};
}

}  // namespace

Result<std::unique_ptr<FinalStep>> FinalStep::Prepare(tracer::TracedProcess& process,
                                                      const ProcessGraft& graft, int new_file) {
  MCR_ASSIGN(auto injection, Injection::Open(process));
  std::unique_ptr<FinalStep> step(new FinalStep(graft, std::move(injection)));
  if (HasLayout(graft)) {
    if (graft.layout.auxv.size() > Injection::kScratchSize - kAuxvAt) {
      return Fail("the auxiliary vector is too large", "PID " + std::to_string(graft.pid));
    }
    MCR_ASSIGN(step->new_file_, step->injection_->SendFd(new_file));
  }
  MCR_TRY(step->injection_->Scratch());
  return step;
}

FinalStep::~FinalStep() {
  if (new_file_ < 0) return;
  (void)injection_->Call(SYS_close, {static_cast<uint64_t>(new_file_)});
}

void FinalStep::Unmap(std::vector<std::string>& warnings) {
  std::vector<BatchedCall> calls;
  for (const Range<Addr>& range : graft_.unmap) {
    calls.push_back({.what = "unmap the old program at " + Hex(range.begin()),
                     .number = SYS_munmap,
                     .arguments = {range.begin().value(), range.size()}});
  }
  Note(RunBatch(*injection_, calls), warnings);
  Note(CheckResults(calls, "PID " + std::to_string(graft_.pid)), warnings);
}

Status FinalStep::PlaceLayout(int exe_fd) {
  MCR_ASSIGN(const Addr scratch, injection_->Scratch());
  const prctl_mm_map map = MakeMap(graft_.layout, scratch + kAuxvAt, exe_fd);
  MCR_TRY(injection_->memory().WriteValue(scratch + kMapAt, map));
  return injection_->memory().Write(scratch + kAuxvAt, graft_.layout.auxv);
}

// A server that has dropped its privileges has a child do it.
Status FinalStep::SetLayout() {
  MCR_TRY(PlaceLayout(new_file_));
  MCR_ASSIGN(const Addr scratch, injection_->Scratch());
  const uint64_t map = (scratch + kMapAt).value();
  const auto set_map = [&] {
    return injection_->Call(SYS_prctl, {PR_SET_MM, PR_SET_MM_MAP, map, sizeof(prctl_mm_map), 0});
  };
  const auto direct = set_map();
  if (direct.has_value()) return {};
  if (direct.error().os_error != EPERM) return tl::make_unexpected(direct.error());
  MCR_ASSIGN(const uint64_t result,
             injection_->Run(tracer::SetMmMapCode(),
                             {map, sizeof(prctl_mm_map), (scratch + kStatusAt).value()}));
  if (result == 0) return {};
  const std::string where = "PID " + std::to_string(graft_.pid);
  errno = static_cast<int>(-static_cast<int64_t>(result));
  const auto failure = FailErrno("/proc/PID/exe still names the old program", where);
  MCR_TRY(PlaceLayout(-1));  // needs no capability
  MCR_TRY(set_map());
  return failure;
}

void FinalStep::Run(std::vector<std::string>& warnings) {
  Unmap(warnings);
  if (HasLayout(graft_)) Note(SetLayout(), warnings);
  if (new_file_ >= 0) {
    const auto fd = static_cast<uint64_t>(std::exchange(new_file_, -1));
    Note(Discard(injection_->Call(SYS_close, {fd})), warnings);
  }
  Note(injection_->Close(), warnings);
}

}  // namespace mcr::checkpoint
