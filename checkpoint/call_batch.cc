#include "checkpoint/call_batch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "mcr/base/address.h"
#include "tracer/arch/injected/code.h"

namespace mcr::checkpoint {
namespace {

using tracer::InjectedCall;
using tracer::Injection;

// No call returns this: results are 0.. or -4095..-1.
constexpr uint64_t kNotReached = 0x8000000000000000;

size_t SpaceFor(const BatchedCall& call) {
  return sizeof(InjectedCall) + (call.data.size() + 15) / 16 * 16;
}

// The longest prefix that fits the scratch page.
std::span<BatchedCall> TakeChunk(std::span<BatchedCall> calls) {
  size_t count = 0;
  size_t space = 0;
  while (count < calls.size() && space + SpaceFor(calls[count]) <= Injection::kScratchSize) {
    space += SpaceFor(calls[count++]);
  }
  return calls.first(count);
}

// The calls, then their data, as they will lie from `scratch` on.
std::vector<std::byte> LayOut(std::span<const BatchedCall> calls, Addr scratch) {
  std::vector<std::byte> page(calls.size() * sizeof(InjectedCall));
  for (size_t i = 0; i < calls.size(); ++i) {
    InjectedCall call{.number = static_cast<uint64_t>(calls[i].number), .result = kNotReached};
    std::copy(calls[i].arguments.begin(), calls[i].arguments.end(), call.arguments);
    if (!calls[i].data.empty()) {
      const size_t begin = page.size();
      call.arguments[calls[i].data_argument] = (scratch + begin).value();
      if (const auto second = calls[i].second_argument) {
        call.arguments[second->index] = (scratch + begin + second->to).value();
      }
      page.insert(page.end(), calls[i].data.begin(), calls[i].data.end());
      if (const auto pointer = calls[i].pointer) {
        const uint64_t target = (scratch + begin + pointer->to).value();
        std::memcpy(page.data() + begin + pointer->at, &target, sizeof(target));
      }
      page.resize((page.size() + 15) / 16 * 16);
    }
    std::memcpy(page.data() + i * sizeof(InjectedCall), &call, sizeof(call));
  }
  return page;
}

void TakeResults(std::span<const std::byte> page, std::span<BatchedCall> calls) {
  size_t data_at = calls.size() * sizeof(InjectedCall);
  for (size_t i = 0; i < calls.size(); ++i) {
    InjectedCall call;
    std::memcpy(&call, page.data() + i * sizeof(InjectedCall), sizeof(call));
    if (call.result != kNotReached) calls[i].result = static_cast<int64_t>(call.result);
    std::copy_n(page.begin() + data_at, calls[i].data.size(), calls[i].data.begin());
    data_at += (calls[i].data.size() + 15) / 16 * 16;
  }
}

Status RunChunk(Injection& injection, std::span<BatchedCall> calls) {
  MCR_ASSIGN(const Addr scratch, injection.Scratch());
  std::vector<std::byte> page = LayOut(calls, scratch);
  MCR_TRY(injection.memory().Write(scratch, page));
  const auto ran = injection.Run(tracer::BatchCode(), {scratch.value(), calls.size()});
  // Also after a failure: what was done must be known to be undone.
  if (injection.memory().Read(scratch, page).has_value()) TakeResults(page, calls);
  MCR_TRY(ran);
  return {};
}

}  // namespace

Status RunBatch(Injection& injection, std::span<BatchedCall> calls) {
  while (!calls.empty()) {
    const std::span<BatchedCall> chunk = TakeChunk(calls);
    if (chunk.empty()) return Fail("a batched call carries too much data", calls.front().what);
    MCR_TRY(RunChunk(injection, chunk));
    calls = calls.subspan(chunk.size());
  }
  return {};
}

Status CheckResults(std::span<const BatchedCall> calls, const std::string& where) {
  for (const BatchedCall& call : calls) {
    if (!call.result) return Fail("cannot " + call.what + ": not reached", where);
    if (!call.may_fail && *call.result < 0 && *call.result >= -4095) {
      errno = static_cast<int>(-*call.result);
      return FailErrno("cannot " + call.what, where);
    }
  }
  return {};
}

}  // namespace mcr::checkpoint
