// What no update of a running tree can do without, measured on it: one stop and resumption of all its tasks, one fork
// of each of its processes, one copy of the bytes that a plan writes. The parts of a pause are compared with these.
//
//   floor --pid=PID [--bytes=N] [options of Google Benchmark]
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "checkpoint/twin.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace {

constexpr std::chrono::milliseconds kTimeout{5000};

pid_t g_pid = 0;
size_t g_bytes = 256 << 10;

void Stop(mcr::tracer::TaskGroup& tasks, benchmark::State& state) {
  const mcr::Status stopped = tasks.InterruptAll(kTimeout);
  if (!stopped) state.SkipWithError(stopped.error().Line().c_str());
}

void StopAndResume(benchmark::State& state) {
  auto tasks = mcr::tracer::TaskGroup::Attach(g_pid);
  if (!tasks) return state.SkipWithError(tasks.error().Line().c_str());
  for (auto _ : state) {
    Stop(*tasks, state);
    (void)tasks->ContinueAll();
  }
}
BENCHMARK(StopAndResume)->Unit(benchmark::kMillisecond)->Iterations(20);

void Fork(benchmark::State& state) {
  auto tasks = mcr::tracer::TaskGroup::Attach(g_pid);
  if (!tasks) return state.SkipWithError(tasks.error().Line().c_str());
  Stop(*tasks, state);
  for (auto _ : state) {
    std::vector<std::unique_ptr<mcr::checkpoint::Twin>> twins;
    for (mcr::tracer::TracedProcess& process : tasks->processes()) {
      auto twin = mcr::checkpoint::Twin::Fork(process);
      if (!twin) return state.SkipWithError(twin.error().Line().c_str());
      twins.push_back(*std::move(twin));
    }
    state.PauseTiming();
    twins.clear();
    state.ResumeTiming();
  }
  (void)tasks->ContinueAll();
}
BENCHMARK(Fork)->Unit(benchmark::kMillisecond)->Iterations(10);

void Copy(benchmark::State& state) {
  const std::vector<char> from(g_bytes, 1);
  std::vector<char> to(g_bytes);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), to.size());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(Copy)->Unit(benchmark::kMillisecond);

// Takes what is ours from the command line; the rest is Google Benchmark's.
int ParseOwn(int argc, char** argv) {
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument(argv[i]);
    if (argument.starts_with("--pid=")) {
      g_pid = std::atoi(argv[i] + 6);
    } else if (argument.starts_with("--bytes=")) {
      g_bytes = static_cast<size_t>(std::atoll(argv[i] + 8));
    } else {
      argv[kept++] = argv[i];
    }
  }
  return kept;
}

}  // namespace

int main(int argc, char** argv) {
  argc = ParseOwn(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (g_pid == 0 || benchmark::ReportUnrecognizedArguments(argc, argv)) {
    std::fputs("usage: floor --pid=PID [--bytes=N]\n", stderr);
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
