#include "checkpoint/graft/final_step.h"

#include <linux/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "tracer/arch/injected/code.h"

namespace mcr::checkpoint {
namespace {

using tracer::Injection;

bool HasLayout(const ProcessGraft& graft) { return !graft.layout.start_code.IsNull(); }

std::string Where(const ProcessGraft& graft) { return "PID " + std::to_string(graft.pid); }

void Note(const Status& status, std::vector<std::string>& warnings) {
  if (!status.has_value()) warnings.push_back(status.error().Line());
}

prctl_mm_map MakeMap(const MemoryLayout& layout, int exe_fd) {
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
  map.auxv_size = static_cast<uint32_t>(layout.auxv.size());
  map.exe_fd = static_cast<uint32_t>(exe_fd);
  return map;
}

// The map and behind it the auxiliary vector that it points to.
std::vector<std::byte> MapAndAuxv(const MemoryLayout& layout, int exe_fd) {
  const prctl_mm_map map = MakeMap(layout, exe_fd);
  std::vector<std::byte> data(sizeof(map) + layout.auxv.size());
  std::memcpy(data.data(), &map, sizeof(map));
  std::copy(layout.auxv.begin(), layout.auxv.end(), data.begin() + sizeof(map));
  return data;
}

BatchedCall LayoutCall(const MemoryLayout& layout, int exe_fd) {
  return {.what = "set the memory layout",
          .number = SYS_prctl,
          .arguments = {PR_SET_MM, PR_SET_MM_MAP, 0, sizeof(prctl_mm_map), 0},
          .data = MapAndAuxv(layout, exe_fd),
          .data_argument = 2,
          .pointer = BatchedCall::Pointer{offsetof(prctl_mm_map, auxv), sizeof(prctl_mm_map)}};
}

}  // namespace

Result<std::unique_ptr<FinalStep>> FinalStep::Prepare(tracer::TracedProcess& process,
                                                      const ProcessGraft& graft,
                                                      std::vector<int> new_files) {
  if (sizeof(prctl_mm_map) + graft.layout.auxv.size() > BatchedCall::kMaxData) {
    return Fail("the auxiliary vector is too large", Where(graft));
  }
  MCR_ASSIGN(auto injection, Injection::Open(process));
  std::unique_ptr<FinalStep> step(new FinalStep(graft, std::move(injection)));
  MCR_TRY(step->injection_->Scratch());
  step->new_files_ = std::move(new_files);
  return step;
}

Result<std::unique_ptr<FinalStep>> FinalStep::PrepareAndPlace(tracer::TracedProcess& process,
                                                              const ProcessGraft& graft,
                                                              int new_file) {
  MCR_ASSIGN(auto step, Prepare(process, graft, {-1}));
  if (!HasLayout(graft)) return step;
  MCR_ASSIGN(step->new_files_.front(), step->injection_->SendFd(new_file));
  step->placed_ = true;
  return step;
}

FinalStep::~FinalStep() {
  if (placed_) CloseFiles();
}

void FinalStep::CloseFiles() {
  for (const int fd : new_files_) {
    if (fd >= 0) (void)injection_->Call(SYS_close, {static_cast<uint64_t>(fd)});
  }
}

std::vector<BatchedCall> FinalStep::UnmapCalls() const {
  std::vector<BatchedCall> calls;
  for (const Range<Addr>& range : graft_.unmap) {
    calls.push_back({.what = "unmap the old version at " + Hex(range.begin()),
                     .number = SYS_munmap,
                     .arguments = {range.begin().value(), range.size()}});
  }
  return calls;
}

// For a server that has dropped its privileges.
Status FinalStep::SetLayoutByChild() {
  MCR_ASSIGN(const Addr map, injection_->Scratch());
  std::vector<std::byte> data = MapAndAuxv(graft_.layout, new_files_.front());
  const uint64_t auxv = (map + sizeof(prctl_mm_map)).value();
  std::memcpy(data.data() + offsetof(prctl_mm_map, auxv), &auxv, sizeof(auxv));
  MCR_TRY(injection_->memory().Write(map, data));
  const Addr status = map + Injection::kScratchSize - sizeof(uint64_t);
  MCR_ASSIGN(
      const uint64_t result,
      injection_->Run(tracer::SetMmMapCode(), {map.value(), sizeof(prctl_mm_map), status.value()}));
  if (result == 0) return {};
  errno = static_cast<int>(-static_cast<int64_t>(result));
  return FailErrno("/proc/PID/exe still names the old program", Where(graft_));
}

// Needs no capability.
Status FinalStep::SetLayoutWithoutFile() {
  BatchedCall call = LayoutCall(graft_.layout, -1);
  MCR_TRY(RunBatch(*injection_, std::span(&call, 1)));
  return CheckResults(std::span(&call, 1), Where(graft_));
}

void FinalStep::Run(std::vector<std::string>& warnings) {
  std::vector<BatchedCall> calls = UnmapCalls();
  if (HasLayout(graft_)) calls.push_back(LayoutCall(graft_.layout, new_files_.front()));
  Note(RunBatch(*injection_, calls), warnings);
  if (HasLayout(graft_) && calls.back().result == -EPERM) {
    calls.pop_back();
    if (Status set = SetLayoutByChild(); !set.has_value()) {
      Note(set, warnings);
      Note(SetLayoutWithoutFile(), warnings);
    }
  }
  Note(CheckResults(calls, Where(graft_)), warnings);
  CloseFiles();
  placed_ = false;
  Note(injection_->Close(), warnings);
}

}  // namespace mcr::checkpoint
