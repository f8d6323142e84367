// Names of the functions on a process's stacks: of the program, and of the other modules that an
// update knows.
#ifndef MCR_UPDATE_FUNCTION_NAMES_H_
#define MCR_UPDATE_FUNCTION_NAMES_H_

#include <memory>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/program.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::update {

// A file whose functions are known, and the path under which processes have it mapped: that is how
// it is found if it has no build-id.
struct KnownFile {
  std::shared_ptr<const mutator::Program> program;
  std::string path;
};

class FunctionNames {
 public:
  FunctionNames(mutator::LoadedModules modules, const std::vector<KnownFile>& files);

  bool empty() const { return modules_.empty(); }
  // Whether the address is in any module, of a known file or not.
  bool HasModule(Addr instruction) const { return all_.At(instruction) != nullptr; }
  // Of the function that holds `instruction`, "" if there is none.
  std::string At(Addr instruction) const;

 private:
  struct Module {
    Range<Addr> range;
    Addr bias;
    std::shared_ptr<const mutator::Program> program;
  };
  mutator::LoadedModules all_;
  std::vector<Module> modules_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_FUNCTION_NAMES_H_
