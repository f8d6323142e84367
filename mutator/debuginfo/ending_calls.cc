#include "mutator/debuginfo/ending_calls.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "mutator/debuginfo/function_code.h"

namespace mcr::mutator {
namespace {

// As <stdlib.h>, <unistd.h>, <assert.h>, <setjmp.h> and GCC's runtime declare them.
constexpr std::array<std::string_view, 12> kEnding = {"import `exit`",
                                                      "import `_exit`",
                                                      "import `_Exit`",
                                                      "import `quick_exit`",
                                                      "import `abort`",
                                                      "import `__assert_fail`",
                                                      "import `longjmp`",
                                                      "import `__longjmp_chk`",
                                                      "import `siglongjmp`",
                                                      "import `pthread_exit`",
                                                      "import `__stack_chk_fail`",
                                                      "import `__chk_fail`"};

}  // namespace

bool EndingCalls::NeverReturns(const Instruction& call) const {
  if (call.reference == Reference::kNone) return false;
  const auto name = names_.Name(call);
  if (name && std::ranges::find(kEnding, *name) != kEnding.end()) return true;
  const Function* function =
      call.reference == Reference::kCall ? program_.FindFunction(call.target) : nullptr;
  return function != nullptr && function->range.begin() == call.target && HasNoExit(*function);
}

bool EndingCalls::HasNoExit(const Function& function) const {
  const auto code = FunctionCode::Read(program_, disassembler_, function);
  if (!code) return false;
  for (const FunctionCode::Part& part : code->parts()) {
    for (const Instruction& each : part.instructions) {
      const Effects effects = disassembler_.EffectsOf(program_.Contents(each.at), each.at);
      const bool jumps = effects.flow == Flow::kJump || effects.flow == Flow::kBranch;
      if (effects.flow == Flow::kReturn || effects.flow == Flow::kIndirectJump) return false;
      if (jumps && !code->Find(effects.target)) return false;
    }
  }
  return true;
}

}  // namespace mcr::mutator
