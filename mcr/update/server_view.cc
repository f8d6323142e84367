#include "mcr/update/server_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "checkpoint/criu/criu_image.h"
#include "checkpoint/criu/image_directory.h"
#include "checkpoint/live_image.h"
#include "mcr/base/system_call.h"
#include "mcr/update/start.h"
#include "mutator/debuginfo/program.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/memory_scan.h"
#include "profiles/shipped.h"
#include "tracer/attachable.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kKibibyte = 1024;

ThreadView ViewThread(const tracer::ProcFs& procfs, pid_t pid, pid_t tid) {
  const auto call = procfs.ReadSystemCall(pid, tid);
  ThreadView view{tid, ""};
  if (!call || call->running) return view;
  const auto name = BlockingCallName(call->number);
  view.system_call = name ? std::string(*name) : fmt::format("system call {}", call->number);
  return view;
}

void CountMemory(const checkpoint::ProcessImage& image, ProcessView& view) {
  for (const Mapping& mapping : image.mappings()) {
    if (!mutator::IsScanned(mapping)) continue;
    const auto populated = image.PopulatedRanges(mapping.range);
    if (!populated) continue;
    for (const Range<Addr>& range : *populated) {
      (mapping.shared ? view.shared_bytes : view.private_bytes) += range.size();
    }
  }
}

std::optional<HeapView> ViewHeap(const checkpoint::ProcessImage& image) {
  const auto chunks = mutator::WalkHeap(image);
  if (!chunks || chunks->empty()) return std::nullopt;
  HeapView view;
  for (const mutator::HeapChunk& chunk : *chunks) {
    if (!chunk.in_use) continue;
    ++view.blocks;
    view.bytes += chunk.payload.size();
  }
  return view;
}

// What an image shows, whatever it is of.
ProcessView ViewImage(const checkpoint::ProcessImage& image) {
  ProcessView view;
  view.pid = image.pid();
  view.parent = image.parent();
  view.modules = mutator::LoadedModules::Find(image).all();
  view.heap = ViewHeap(image);
  CountMemory(image, view);
  return view;
}

Result<ProcessView> ViewProcess(const tracer::ProcFs& procfs, pid_t pid) {
  MCR_ASSIGN(const auto image, checkpoint::LiveImage::CreateRunning(pid));
  MCR_ASSIGN(const auto threads, procfs.Threads(pid));
  MCR_ASSIGN(const auto arguments, procfs.ReadArguments(pid));
  MCR_ASSIGN(const auto descriptors, procfs.Descriptors(pid));
  ProcessView view = ViewImage(*image);
  view.command_line = fmt::format("{}", fmt::join(arguments, " "));
  for (pid_t tid : threads) view.threads.push_back(ViewThread(procfs, pid, tid));
  view.descriptors = descriptors.size();
  return view;
}

// From the memory that the kernel shows as /proc/PID/cmdline.
std::string CommandLineOf(const checkpoint::ProcessImage& image) {
  constexpr uint64_t kMost = 4096;
  const checkpoint::MemoryLayout& layout = image.layout();
  const auto range = Range<Addr>::FromTo(layout.arg_start, layout.arg_end);
  if (!range) return "";
  std::string text(std::min(range->size(), kMost), '\0');
  if (!image.Read(range->begin(), std::as_writable_bytes(std::span(text)))) return "";
  text.resize(text.find_last_not_of('\0') + 1);
  std::ranges::replace(text, '\0', ' ');
  return text;
}

ProcessView ViewProcess(const checkpoint::CriuImage& image) {
  ProcessView view = ViewImage(image);
  view.command_line = CommandLineOf(image);
  for (const checkpoint::ThreadImage& thread : image.threads()) {
    view.threads.push_back({thread.tid, ""});
  }
  view.descriptors = image.descriptors();
  return view;
}

// `build_id`: of the program that ran; "": whatever `file` is.
std::string DescribeDebugInfo(const std::string& file, const std::string& build_id) {
  const auto program = mutator::Program::Load(file, {});
  if (!program) return program.error().Line();
  if (!build_id.empty() && (*program)->build_id() != build_id) {
    return fmt::format("what is at this path now is another build, {}", (*program)->build_id());
  }
  return fmt::format("{} functions, {} variables, {} types", (*program)->functions().size(),
                     (*program)->variables().size(), (*program)->types().size());
}

Json ToJson(const ProcessView& process) {
  Json threads = Json::array();
  for (const ThreadView& thread : process.threads) {
    threads.push_back({{"tid", thread.tid}, {"system_call", thread.system_call}});
  }
  Json modules = Json::array();
  for (const auto& module : process.modules) {
    modules.push_back({{"path", module.path},
                       {"address", Hex(module.range.begin())},
                       {"build_id", module.build_id}});
  }
  return {
      {"pid", process.pid},
      {"parent", process.parent},
      {"command_line", process.command_line},
      {"threads", threads},
      {"modules", modules},
      {"private_bytes", process.private_bytes},
      {"shared_bytes", process.shared_bytes},
      {"descriptors", process.descriptors},
      {"heap", process.heap ? Json{{"blocks", process.heap->blocks}, {"bytes", process.heap->bytes}}
                            : Json()}};
}

std::string StateOf(const ThreadView& thread, bool is_checkpoint) {
  if (is_checkpoint) return "stopped";
  return thread.system_call.empty() ? "running" : "in " + thread.system_call;
}

}  // namespace

Result<ServerView> ViewServer(pid_t pid) {
  MCR_TRY(tracer::CheckAttachable(pid));
  const tracer::ProcFs procfs;
  ServerView view;
  MCR_ASSIGN(const auto start, ReadStart(pid));
  view.executable = start.executable;
  MCR_ASSIGN(const auto profile, profiles::FindShipped(view.executable));
  if (profile) view.profile = profile->identity().name();
  view.debug_info = DescribeDebugInfo(procfs.Path(pid, "exe"), "");
  MCR_ASSIGN(const std::vector<pid_t> pids, procfs.Tree(pid));
  for (pid_t process : pids) {
    auto one = ViewProcess(procfs, process);
    // Servers have processes that come and go.
    if (!one && process != pid) continue;
    MCR_ASSIGN(ProcessView seen, std::move(one));
    view.processes.push_back(std::move(seen));
  }
  return view;
}

Result<ServerView> ViewCheckpoint(const std::string& directory) {
  MCR_ASSIGN(const auto files, checkpoint::ImageDirectory::Open(directory));
  MCR_ASSIGN(const auto images, checkpoint::CriuImage::OpenAll(files));
  if (images.empty()) return Fail("the checkpoint has no process", directory);
  ServerView view{.is_checkpoint = true};
  for (const auto& image : images) view.processes.push_back(ViewProcess(*image));
  const auto program = std::ranges::find_if(
      view.processes.front().modules, [&](const mutator::LoadedModule& module) {
        return module.range.Contains(images.front()->layout().start_code);
      });
  if (program == view.processes.front().modules.end()) {
    return Fail("the checkpoint does not tell which program ran", directory);
  }
  view.executable = program->path;
  MCR_ASSIGN(const auto profile, profiles::FindShipped(view.executable));
  if (profile) view.profile = profile->identity().name();
  view.debug_info = DescribeDebugInfo(program->path, program->build_id);
  return view;
}

std::string ToText(const ServerView& view) {
  std::string text = fmt::format("{}  (profile: {}; {})\n", view.executable,
                                 view.profile.empty() ? "none" : view.profile, view.debug_info);
  for (const ProcessView& process : view.processes) {
    text += fmt::format("{:>8}  {}\n", process.pid, process.command_line);
    text += fmt::format("          parent {}, {} descriptors, {} KiB private, {} KiB shared\n",
                        process.parent, process.descriptors, process.private_bytes / kKibibyte,
                        process.shared_bytes / kKibibyte);
    if (process.heap) {
      text += fmt::format("          heap: {} blocks in use, {} KiB\n", process.heap->blocks,
                          process.heap->bytes / kKibibyte);
    }
    for (const ThreadView& thread : process.threads) {
      text +=
          fmt::format("          thread {}: {}\n", thread.tid, StateOf(thread, view.is_checkpoint));
    }
  }
  if (view.processes.empty()) return text;
  text += "modules:\n";
  for (const auto& module : view.processes.front().modules) {
    text +=
        fmt::format("  {:<16} {}  {}\n", Hex(module.range.begin()), module.path, module.build_id);
  }
  return text;
}

std::string ToJson(const ServerView& view) {
  Json processes = Json::array();
  for (const ProcessView& process : view.processes) processes.push_back(ToJson(process));
  const Json json = {{"schema", 1},
                     {"checkpoint", view.is_checkpoint},
                     {"executable", view.executable},
                     {"profile", view.profile},
                     {"debug_info", view.debug_info},
                     {"processes", processes}};
  return json.dump(2) + "\n";
}

}  // namespace mcr::update
