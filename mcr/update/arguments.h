// The arguments that a process was started with, although it may have overwritten them.
//
// Servers show a title by writing over the strings that the kernel put on their stack (setproctitle
// of libbsd and of OpenSSH); before that, they copy what they still need. The kernel keeps a
// record of what there was: how many arguments, and how many bytes they took together. A copy is
// recognised by having just as many of both.
#ifndef MCR_UPDATE_ARGUMENTS_H_
#define MCR_UPDATE_ARGUMENTS_H_

#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"

namespace mcr::update {

struct ArgumentRecord {
  Addr stack;              // where the kernel put argc, and argv after it
  Range<Addr> strings;     // where it put the strings of argv
  std::string executable;  // the path that was executed (AT_EXECFN)
};

// From, in this order: the stack, if nothing was overwritten; the stack, if its pointers lead to
// copies by now, of all but the program's name perhaps; a `char **` of the program, also as a
// member of a variable. nullopt: none of them fits the record.
std::optional<std::vector<std::string>> FindArguments(const mutator::Program& program, Addr bias,
                                                      const MemoryReader& memory,
                                                      const ArgumentRecord& record);

// Where the `char **` of this name is: "ngx_argv", "server.exec_argv".
std::optional<FileAddr> FindStringVector(const mutator::Program& program, const std::string& name);

// The strings of the NULL-terminated `char **` that is stored at `variable`.
Result<std::vector<std::string>> ReadStrings(const MemoryReader& memory, Addr variable);

}  // namespace mcr::update

#endif  // MCR_UPDATE_ARGUMENTS_H_
