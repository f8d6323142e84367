// The variables in a function's frame and where they are at each of its instructions, from DWARF
// (version 5, 2.6 and 3.3): parameters, locals, and those of functions that were inlined.
#ifndef MCR_MUTATOR_DEBUGINFO_FRAME_VARIABLES_H_
#define MCR_MUTATOR_DEBUGINFO_FRAME_VARIABLES_H_

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/effects.h"
#include "mutator/debuginfo/records.h"
#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

// Where a value is, or how it is computed.
struct Location {
  enum class Kind : uint8_t {
    kNowhere,         // optimised out, or described in a way that is not understood
    kRegister,        // in `register_number`
    kFrame,           // in memory, `offset` bytes from the canonical frame address
    kRegisterMemory,  // in memory, `offset` bytes from where `register_number` points
    kFrameAddress,    // the value is the canonical frame address plus `offset`
    kRegisterSum,     // the value is that of `register_number` plus `offset`
    kNumber,          // the value is `offset`
    kEntry,           // the value that `register_number` had on entry, plus `offset`
  };
  Kind kind = Kind::kNowhere;
  int register_number = kNoRegister;
  int64_t offset = 0;
  uint64_t size = 0;  // bytes of the variable that are here; 0: all
  auto operator<=>(const Location&) const = default;
};

struct FrameVariable {
  struct Described {
    std::optional<Range<FileAddr>> where;  // nullopt: wherever nothing else is said
    std::vector<Location> pieces;
  };
  std::string name;  // "count"; "helper/count" if `helper` was inlined
  TypeId type = 0;
  uint64_t size = 0;                   // bytes
  std::vector<Range<FileAddr>> scope;  // empty: all of the function
  std::vector<Described> locations;

  bool IsInScope(FileAddr at) const;
  const std::vector<Location>* At(FileAddr at) const;  // nullptr: nowhere
};

struct FunctionFrame {
  std::vector<FrameVariable> variables;
  TypeTable types;
};

// A line of source, the outermost function's first, then those of what was inlined there.
using SourcePlace = std::vector<std::pair<uint32_t, uint32_t>>;  // line, column

class FrameVariables {
 public:
  // The program's file; its debug information is looked for as Program::Load does.
  static Result<std::unique_ptr<FrameVariables>> Open(const std::string& path,
                                                      const DebugSearch& search);
  virtual ~FrameVariables() = default;

  // Of the function with this entry (or part of one). Fails if debug information does not describe
  // it.
  virtual Result<FunctionFrame> Read(FileAddr function) const = 0;

  virtual SourcePlace PlaceOf(FileAddr instruction) const = 0;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_FRAME_VARIABLES_H_
