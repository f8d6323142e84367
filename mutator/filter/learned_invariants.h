// What was true of a program's variables whenever a server was looked at: ranges of numbers, and
// what pointers point to (Daikon's unary invariants, as TTST uses them to check a state).
//
// Of no use, and left out, is a variable that always has the value that the file gives it, and a
// number that has only ever grown, which is a counter.
#ifndef MCR_MUTATOR_FILTER_LEARNED_INVARIANTS_H_
#define MCR_MUTATOR_FILTER_LEARNED_INVARIANTS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

class LearnedInvariants {
 public:
  explicit LearnedInvariants(std::shared_ptr<const Program> program);

  // Notes what the variables are, in a process that has the program at `bias`.
  void Look(pid_t process, const MemoryReader& memory, Addr bias);

  // State filters that were true at every look, in every process; sorted.
  std::vector<std::string> Expressions() const;

 private:
  struct Learned {
    const Variable* variable = nullptr;
    bool is_pointer = false, is_signed = false;
    uint64_t initial = 0;  // what the file has there
    bool is_relocated = false;
    bool was_changed = false;
    // Of a number.
    int64_t least = INT64_MAX, most = INT64_MIN;
    std::map<pid_t, int64_t> last;  // by process
    bool has_fallen = false;
    // Of a pointer: what it was, as an expression; "" for memory without a name.
    std::set<std::string> targets;
  };

  static std::string ExpressionFor(const Learned& learned);
  std::optional<Learned> Begin(const Variable& variable) const;
  bool IsInitial(const Learned& learned, uint64_t value, Addr bias) const;
  static void LookAtNumber(Learned& learned, pid_t process, uint64_t value);
  std::string TargetOf(uint64_t value, Addr bias) const;

  std::shared_ptr<const Program> program_;
  std::map<FileAddr, FileAddr> relocated_;  // what the loader stores, without the bias, by place
  std::vector<Learned> all_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_FILTER_LEARNED_INVARIANTS_H_
