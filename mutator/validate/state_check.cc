#include "mutator/validate/state_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "mutator/graph/memory_scan.h"
#include "mutator/validate/free_lists.h"
#include "mutator/validate/heap_check.h"
#include "mutator/validate/heap_view.h"
#include "mutator/validate/moved_check.h"
#include "mutator/validate/read_ahead.h"
#include "mutator/validate/value_match.h"
#include "mutator/validate/word_match.h"

namespace mcr::mutator {
namespace {

// Sorted, and what overlaps joined.
std::vector<Range<Addr>> Join(std::vector<Range<Addr>> ranges) {
  std::ranges::sort(ranges);
  std::vector<Range<Addr>> joined;
  for (const Range<Addr>& range : ranges) {
    if (joined.empty() || joined.back().end() < range.begin()) {
      joined.push_back(range);
    } else if (joined.back().end() < range.end()) {
      joined.back() = *Range<Addr>::FromTo(joined.back().begin(), range.end());
    }
  }
  return joined;
}

// The one of these, sorted and disjoint, that ends behind `at`.
auto FirstBehind(const std::vector<Range<Addr>>& ranges, Addr at) {
  return std::ranges::upper_bound(ranges, at, {},
                                  [](const Range<Addr>& each) { return each.end(); });
}

bool HoldAny(const std::vector<Range<Addr>>& ranges, Addr at) {
  const auto behind = FirstBehind(ranges, at);
  return behind != ranges.end() && behind->Contains(at);
}

// A placeholder becomes an address.
void Resolve(const std::vector<checkpoint::Allocation>& allocations, Addr& place) {
  const auto behind =
      std::ranges::upper_bound(allocations, place, {}, &checkpoint::Allocation::placeholder);
  if (behind == allocations.begin()) return;
  const checkpoint::Allocation& made = *std::prev(behind);
  const uint64_t offset = place - made.placeholder;
  if (offset < made.size) place = made.address + offset;
}

void ResolvePlaces(const std::vector<checkpoint::Allocation>& allocations, Account& account) {
  for (Account::Object& object : account.objects) {
    if (object.moves) Resolve(allocations, object.after);
  }
  for (Account::Run& run : account.runs) Resolve(allocations, run.after);
}

class Checker {
 public:
  Checker(const CheckedProcess& process, std::span<const std::unique_ptr<VersionPair>> versions)
      : process_(process),
        account_(process.account),
        old_places_(process.after),
        new_places_(process.after),
        written_(process.after),
        old_values_(old_places_, process.overwritten),
        after_(process.after),
        before_(after_, process.overwritten),
        heap_(process.after),
        words_(account_, versions, old_values_, after_, heap_),
        values_(words_, ReadPointerGuard(process.after), account_.from_next, findings_) {}

  Result<Findings> Run() {
    for (const Account::Module& module : account_.modules) MCR_TRY(Variables(module));
    MCR_TRY(FieldsOfStart());
    MCR_TRY(Objects());
    MCR_TRY(HeapOfStart());
    MCR_TRY(Writes());
    for (const auto& thread : process_.before.threads()) MCR_TRY(Thread(thread));
    KernelTables();
    CheckHeap(account_, heap_, findings_.heap);
    if (!process_.allocations.empty()) CheckFreeLists(after_, heap_, findings_.heap);
    MCR_TRY(CheckMovedPointers(process_.after, words_, process_.overwritten, process_.skip_shared,
                               findings_.data_pointers));
    return std::move(findings_);
  }

 private:
  Status Variables(const Account::Module& module) {
    const VersionPair& versions = words_.VersionOf(module);
    for (const ComparedVariable& variable : versions.variables()) {
      const Addr at = module.before_bias + variable.before->range.begin().value();
      old_.resize(variable.before->range.size());
      MCR_TRY(old_values_.Read(at, old_));
      if (HoldAny(account_.from_next, at)) {
        Untouched(module, variable);
        continue;
      }
      new_.resize(variable.after->range.size());
      MCR_TRY(new_places_.Read(module.after_bias + variable.after->range.begin().value(), new_));
      const LayoutMatch* layout = variable.layout;
      // What the compiler says of a type that it saw only a part of.
      const bool whole = layout != nullptr && layout->before_size <= old_.size() &&
                         layout->after_size <= new_.size();
      if (whole) {
        values_.Compare(versions, *layout, old_, new_, {variable.title, Addr()});
      } else {
        values_.CompareUntyped(old_, new_, {variable.title, Addr()});
      }
    }
    return {};
  }

  void Untouched(const Account::Module& module, const ComparedVariable& variable) {
    ++findings_.values.checked;
    const VersionPair& versions = words_.VersionOf(module);
    if (process_.start == nullptr ||
        !process_.start->IsTouched(versions, module, variable.before->range.begin(), old_)) {
      return;
    }
    findings_.values.Wrong(variable.title +
                           " has changed since the start, and its value is the new version's");
  }

  // Fields of variables that are the new version's.
  Status FieldsOfStart() {
    return OfStart(account_.fields_from_next, [&](const Range<Addr>& range) {
      const auto module = std::ranges::find_if(
          account_.modules, [&](const auto& each) { return each.before.Contains(range); });
      return module != account_.modules.end() &&
             process_.start->IsTouched(words_.VersionOf(*module), *module,
                                       FileAddr(range.begin() - module->before_bias), old_);
    });
  }

  // Values of objects that are the new version's.
  Status HeapOfStart() {
    return OfStart(account_.heap_from_next, [&](const Range<Addr>& range) {
      return process_.start->IsTouchedOnHeap(range.begin(), old_);
    });
  }

  // `is_touched` finds the old value in `old_`.
  template <class IsTouched>
  Status OfStart(const std::vector<Range<Addr>>& ranges, IsTouched is_touched) {
    for (const Range<Addr>& range : ranges) {
      ++findings_.values.checked;
      old_.resize(range.size());
      MCR_TRY(old_values_.Read(range.begin(), old_));
      if (process_.start == nullptr || !is_touched(range)) continue;
      findings_.values.Wrong(fmt::format(
          "the {} bytes at {} have changed since the start, and are the new version's now",
          range.size(), Hex(range.begin())));
    }
    return {};
  }

  Status Objects() {
    for (const Account::Object& object : account_.objects) {
      const LayoutMatch& layout = words_.LayoutOf(object);
      const VersionPair& versions = words_.VersionOf(account_.modules[object.module]);
      old_.resize(object.before.size());
      new_.resize(object.after_size);
      MCR_TRY(old_values_.Read(object.before.begin(), old_));
      // Where it is said to be now is still to be checked.
      if (!new_places_.Read(object.after, new_)) {
        findings_.heap.Wrong(
            fmt::format("nothing is at {}, where an object should be", Hex(object.after)));
        continue;
      }
      if (object.before_type != named_) {
        named_ = object.before_type;
        name_ = versions.before().types().Describe(named_);
      }
      const ValueMatch::Holder holder{name_, object.before.begin()};
      if (layout.flexible) {
        values_.Compare(versions, layout, old_, new_, holder);
        continue;
      }
      for (uint64_t i = 0; i < object.count; ++i) {
        const uint64_t from = i * layout.before_size, to = i * layout.after_size;
        if (old_.size() < from || new_.size() < to) break;
        values_.Compare(versions, layout, std::span(old_).subspan(from),
                        std::span(new_).subspan(to), {name_, object.before.begin() + from});
      }
    }
    return {};
  }

  // What was written beside variables and objects: pointers to them.
  Status Writes() {
    std::vector<Range<Addr>> elsewhere = account_.from_next;
    for (const auto* others : {&account_.laid_out_anew, &account_.unused}) {
      elsewhere.insert(elsewhere.end(), others->begin(), others->end());
    }
    for (const Account::Object& object : account_.objects) {
      elsewhere.push_back(object.before);
      elsewhere.push_back(*Range<Addr>::FromSize(object.after, object.after_size));
    }
    for (const checkpoint::Allocation& made : process_.allocations) {
      elsewhere.push_back(*Range<Addr>::FromSize(made.address, made.size));
    }
    elsewhere = Join(std::move(elsewhere));
    return process_.overwritten.ForEach(
        [&](const Range<Addr>& written, std::span<const std::byte> before) -> Status {
          const auto words = [&](Addr from, Addr to) {
            return Words(from, before.subspan(from - written.begin(), to - from));
          };
          Addr at = written.begin();
          for (auto other = FirstBehind(elsewhere, at);
               other != elsewhere.end() && other->Overlaps(written); ++other) {
            if (at < other->begin()) MCR_TRY(words(at, other->begin()));
            at = std::min(other->end(), written.end());
          }
          return at < written.end() ? words(at, written.end()) : Status();
        });
  }

  Status Words(Addr at, std::span<const std::byte> before) {
    new_.resize(before.size());
    MCR_TRY(written_.Read(at, new_));
    values_.CompareUntyped(before, new_, {kWordName, at});
    return {};
  }

  Status Thread(const checkpoint::ThreadImage& thread) {
    const bool rebuilt = HoldAny(account_.laid_out_anew, Addr(thread.registers.rsp)) ||
                         std::ranges::any_of(thread.return_slots, [&](Addr slot) {
                           return HoldAny(account_.laid_out_anew, slot);
                         });
    const auto now =
        std::ranges::find(process_.after.threads(), thread.tid, &checkpoint::ThreadImage::tid);
    if (rebuilt || now == process_.after.threads().end()) return {};
    const std::string name = fmt::format("a call on the stack of thread {}", thread.tid);
    for (const Addr slot : thread.return_slots) {
      MCR_ASSIGN(const auto was, before_.ReadValue<uint64_t>(slot));
      MCR_ASSIGN(const auto is, after_.ReadValue<uint64_t>(slot));
      values_.CompareWord(words_.CheckReturn(was, is), {name, slot});
    }
    // Those that a system call leaves alone.
    static constexpr unsigned long long user_regs_struct::* kKept[] = {
        &user_regs_struct::rbx, &user_regs_struct::rbp, &user_regs_struct::r12,
        &user_regs_struct::r13, &user_regs_struct::r14, &user_regs_struct::r15,
        &user_regs_struct::rip};
    const std::string in_register = fmt::format("a register of thread {}", thread.tid);
    for (const auto field : kKept) {
      values_.CompareWord(words_.Check(thread.registers.*field, now->registers.*field, {}),
                          {in_register, Addr()});
    }
    return {};
  }

  void KernelTables() {
    const auto descriptors = [](const checkpoint::EpollEntry& entry) {
      return std::pair(entry.epoll_fd, entry.fd);
    };
    for (const checkpoint::EpollEntry& entry : process_.before.epoll_entries()) {
      const auto& entries = process_.after.epoll_entries();  // by descriptors
      const auto now = std::ranges::lower_bound(entries, descriptors(entry), {}, descriptors);
      if (now == entries.end() || descriptors(*now) != descriptors(entry)) continue;
      const std::string name = fmt::format("the epoll entry of descriptor {}", entry.fd);
      values_.CompareWord(words_.CheckKept(entry.data, now->data), {name, Addr()});
    }
    for (const checkpoint::Timer& timer : process_.before.timers()) {
      const auto& timers = process_.after.timers();
      const auto now = std::ranges::find(timers, timer.id, &checkpoint::Timer::id);
      if (now == timers.end()) continue;
      values_.CompareWord(words_.Check(timer.value, now->value, {}),
                          {fmt::format("the value of timer {}", timer.id), Addr()});
    }
    for (const checkpoint::SignalHandlerChange& change : process_.signal_handlers) {
      const std::string name = fmt::format("the handler of signal {}", change.before.signal);
      values_.CompareWord(
          words_.Check(change.before.handler.value(), change.after.handler.value(), {}),
          {name, Addr()});
    }
  }

  inline static const std::string kWordName = "the word";

  const CheckedProcess& process_;
  const Account& account_;
  // For what is gone through by address.
  const ReadAhead old_places_, new_places_, written_;
  const BeforeMemory old_values_;
  const MemoryReader& after_;
  const BeforeMemory before_;
  const HeapView heap_;
  const WordMatch words_;
  Findings findings_;
  ValueMatch values_;
  std::vector<std::byte> old_, new_;
  TypeId named_ = 0;  // the type that name_ is of
  std::string name_;
};

}  // namespace

Result<Findings> CheckState(CheckedProcess process,
                            std::span<const std::unique_ptr<VersionPair>> versions) {
  ResolvePlaces(process.allocations, process.account);
  Account& account = process.account;
  std::ranges::sort(account.heap_from_next);
  account.from_next.insert(account.from_next.end(), account.heap_from_next.begin(),
                           account.heap_from_next.end());
  account.from_next = Join(std::move(account.from_next));
  account.laid_out_anew = Join(std::move(account.laid_out_anew));
  return Checker(process, versions).Run();
}

}  // namespace mcr::mutator
