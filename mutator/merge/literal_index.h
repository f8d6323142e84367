// Where the same read-only bytes are in the new program: string literals have no symbol, and the
// linker merges and tail-merges them, so that their contents are all that identifies them.
#ifndef MCR_MUTATOR_MERGE_LITERAL_INDEX_H_
#define MCR_MUTATOR_MERGE_LITERAL_INDEX_H_

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

class LiteralIndex {
 public:
  LiteralIndex(std::shared_ptr<const Program> before, std::shared_ptr<const Program> after);

  // `old_address` points into a NUL-terminated string in a read-only section of the old program. A
  // pointer into the middle of a string goes to the same place in the same string if there is one
  // (so that a begin and an end pointer stay together), otherwise to any string with the same rest.
  std::optional<FileAddr> Translate(FileAddr old_address) const;

  // Whether `old_address` is in a section of the old program that holds literals.
  bool MayHold(FileAddr old_address) const;

 private:
  struct Text {
    FileAddr at;
    std::string_view bytes;  // the whole section
  };

  std::optional<FileAddr> FindWhole(std::string_view text) const;
  std::optional<FileAddr> FindRest(std::string_view text) const;

  std::shared_ptr<const Program> before_;
  std::shared_ptr<const Program> after_;
  std::vector<Text> sections_;  // of the new program
  std::unordered_map<std::string_view, FileAddr> whole_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_LITERAL_INDEX_H_
