// Debug information: types, variables, functions, frames, and what is worked out from them.
#include <cstddef>
#include <cstdint>

#include "mutator/debuginfo/program.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/merge/stack/frame_planner.h"
#include "mutator/transform/recipe_book.h"
#include "tests/fuzz/input_file.h"

namespace {

using namespace mcr::mutator;

void LookAtTypes(const TypeTable& types) {
  (void)DiffTypes(types, types);
  RecipeBook recipes(types, types, {});
  (void)recipes.ChangedTypes();
  for (TypeId id = 0; id < types.size(); ++id) (void)types.Describe(id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static mcr::fuzz::InputDirectory directory;
  const auto program = Program::Load(directory.Write("program", {data, size}), {});
  if (!program) return 0;
  LookAtTypes((*program)->types());
  const auto frames = FramePlanner::Create(*program, *program, {});
  if (!frames) return 0;
  for (const Function& function : (*program)->functions()) (*frames)->PlanFunction(function);
  return 0;
}
