#include "mutator/debuginfo/records.h"

namespace mcr::mutator {
namespace {

std::string JoinKey(const std::string& unit, const std::string& function, const std::string& name) {
  std::string key;
  if (!unit.empty()) key += unit + ":";
  if (!function.empty()) key += function + ":";
  return key + name;
}

}  // namespace

std::string Variable::Key() const { return JoinKey(unit, function, name); }

std::string Function::Key() const { return JoinKey(unit, "", name); }

}  // namespace mcr::mutator
