#include "mutator/merge/kernel_tables.h"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>

#include <cstdint>

#include "mutator/merge/address_map.h"
#include "mutator/merge/pointer_report.h"

namespace mcr::mutator {
namespace {

class KernelTables {
 public:
  KernelTables(const checkpoint::ProcessImage& live, const ChangedModules& modules,
               checkpoint::ProcessGraft& graft, MergePlan& plan)
      : live_(live), modules_(modules), graft_(graft), plan_(plan) {}

  void Handler(const checkpoint::SignalHandler& handler) {
    const uint64_t target = handler.handler.value();
    if (!modules_.HoldOld(target)) return;
    const Translation& to = Translate(target);
    if (to.kind != PointerKind::kFunction) {
      return Refuse(fmt::format("the handler of signal {}", handler.signal), target, to);
    }
    checkpoint::SignalHandler after = handler;
    after.handler = Addr(Take(target, to));
    graft_.signal_handlers.push_back({handler, after});
  }

  void Epoll(const checkpoint::EpollEntry& entry) {
    if (!modules_.HoldOld(entry.data)) return;
    const Translation& to = Translate(entry.data);
    if (to.kind == PointerKind::kNone) {
      return Refuse(fmt::format("the epoll entry of descriptor {}", entry.fd), entry.data, to);
    }
    checkpoint::EpollEntry after = entry;
    after.data = Take(entry.data, to);
    graft_.epoll.push_back({entry, after});
  }

  void Timer(const checkpoint::Timer& timer) {
    if (!modules_.HoldOld(timer.value)) return;
    const Translation& to = Translate(timer.value);
    if (to.kind == PointerKind::kNone) {
      return Refuse(fmt::format("the value of timer {}", timer.id), timer.value, to);
    }
    if (const auto problem = WhyNotMadeAnew(timer)) {
      plan_.problems.push_back(fmt::format("process {}: {}", live_.pid(), *problem));
      return;
    }
    checkpoint::Timer after = timer;
    after.value = Take(timer.value, to);
    graft_.timers.push_back({timer, after});
  }

  void Stack(const checkpoint::SignalStack& stack) {
    const uint64_t begin = stack.begin.value();
    if (!modules_.HoldOld(begin) || stack.size == 0) return;
    Translation to = Translate(begin);
    if (to.kind != PointerKind::kNone && !HasRoom(stack, to)) {
      to.problem = "the new version has no room of that size there";
    } else if (to.kind != PointerKind::kNone && (stack.flags & SS_ONSTACK) != 0) {
      to.problem = "a signal handler runs on it (try again)";
    }
    if (!to.problem.empty()) {
      return Refuse(fmt::format("the stack for signal handlers of thread {}", stack.tid), begin,
                    to);
    }
    checkpoint::SignalStack after = stack;
    after.begin = Addr(Take(begin, to));
    graft_.signal_stacks.push_back({stack, after});
  }

 private:
  const Translation& Translate(uint64_t target) const {
    const ChangedModule& module = *modules_.Of(target);
    return module.map().Translate(module.InOld(target));
  }

  bool HasRoom(const checkpoint::SignalStack& stack, const Translation& to) const {
    const uint64_t last = stack.begin.value() + (stack.size - 1);
    if (!modules_.HoldOld(last)) return false;
    const Translation& end = Translate(last);
    return end.kind != PointerKind::kNone && end.to == to.to + (stack.size - 1);
  }

  uint64_t Take(uint64_t target, const Translation& to) {
    Count(to.kind, plan_.pointers);
    ++plan_.pointers.precise;
    return modules_.Of(target)->InNew(to.to);
  }

  void Refuse(const std::string& holder, uint64_t target, const Translation& to) {
    plan_.problems.push_back(Refusal(live_.pid(), holder, *modules_.Of(target), target, to));
  }

  const checkpoint::ProcessImage& live_;
  const ChangedModules& modules_;
  checkpoint::ProcessGraft& graft_;
  MergePlan& plan_;
};

}  // namespace

void MergeKernelTables(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                       checkpoint::ProcessGraft& graft, MergePlan& plan) {
  KernelTables tables(live, modules, graft, plan);
  for (const auto& handler : live.signal_handlers()) tables.Handler(handler);
  for (const auto& entry : live.epoll_entries()) tables.Epoll(entry);
  for (const auto& timer : live.timers()) tables.Timer(timer);
  for (const auto& stack : live.signal_stacks()) tables.Stack(stack);
}

std::optional<std::string> WhyNotMadeAnew(const checkpoint::Timer& timer) {
  // "This thread" is whichever makes the timer, and nothing says which did.
  if (timer.clock == CLOCK_THREAD_CPUTIME_ID) {
    return fmt::format(
        "timer {} has a pointer as its value and counts the processor time of a thread, which the "
        "kernel does not name",
        timer.id);
  }
  return std::nullopt;
}

}  // namespace mcr::mutator
