// One ELF file with its debug information: what the mutator knows about an old or a new version.
//
// Immutable once loaded, and independent of any process: all addresses are FileAddr.
// Sources: elf(5), System V ABI (gabi) for symbols and relocations, DWARF 4/5 for variables,
// functions and types.
#ifndef MCR_MUTATOR_DEBUGINFO_PROGRAM_H_
#define MCR_MUTATOR_DEBUGINFO_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/records.h"
#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

class Program {
 public:
  // Fails with one clear line for: missing, not ELF, not x86-64, not an executable or shared
  // object, not PIE/DSO (e_type ET_EXEC is reported by `position_independent()`, not an error),
  // truncated or corrupt, and for a file without debug information anywhere (after .gnu_debuglink,
  // build-id paths under /usr/lib/debug, debuginfod if DEBUGINFOD_URLS is set, debug_dirs).
  static Result<std::shared_ptr<const Program>> Load(const std::string& path,
                                                     const DebugSearch& search);
  virtual ~Program() = default;

  virtual const std::string& path() const = 0;
  virtual const std::string& build_id() const = 0;  // hexadecimal; "" if the file has none
  virtual bool position_independent() const = 0;
  virtual const std::vector<Segment>& segments() const = 0;    // by address
  virtual const std::vector<Section>& sections() const = 0;    // by address, loaded ones only
  virtual const std::vector<std::string>& needed() const = 0;  // DT_NEEDED
  virtual const std::vector<Symbol>& symbols() const = 0;      // by address
  // DWARF, completed by object symbols (COPY-relocated ones such as `environ` too); by address,
  // thread-local ones last, by offset. Keys are unique: namesakes get "#2", "#3" appended.
  virtual const std::vector<Variable>& variables() const = 0;
  // Variables that the compiler keeps in another form: their ranges are empty.
  virtual std::vector<Variable> scattered() const { return {}; }
  // DWARF, completed by function symbols; by address. Parts that the compiler split off ("f.cold")
  // are functions of their own.
  virtual const std::vector<Function>& functions() const = 0;
  virtual const std::vector<Relocation>& relocations() const = 0;  // by address
  virtual const TypeTable& types() const = 0;
  virtual Range<FileAddr> relro() const = 0;  // PT_GNU_RELRO; empty if there is none
  virtual uint64_t tls_size() const = 0;      // PT_TLS memory size, bytes
  virtual std::span<const std::byte> tls_image() const = 0;

  // The file's bytes at `at`, up to the end of its segment's file part; empty where there are none
  // (.bss).
  virtual std::span<const std::byte> Contents(FileAddr at) const = 0;

  // Variables whose members or elements the compiler keeps apart: these are among variables(), as
  // "cursor.at" and "shapes[1]".
  virtual std::vector<VariableInParts> in_parts() const { return {}; }

  const Section* FindSection(FileAddr at) const;
  const Section* FindSection(std::string_view name) const;
  const Variable* FindVariable(FileAddr at) const;  // whose range holds `at`
  const Function* FindFunction(FileAddr at) const;  // whose range holds `at`
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_PROGRAM_H_
