// Ports that a server names in an answer, for a further connection: the data of an FTP session
// (RFC 959, PASV; RFC 2428, EPSV).
#ifndef MCR_RECORD_ANNOUNCED_PORTS_H_
#define MCR_RECORD_ANNOUNCED_PORTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/record/regular_expression.h"

namespace mcr::record {

// Expressions with one group, the port's number, or two, its upper and its lower byte.
class AnnouncedPorts {
 public:
  // Fails for an expression that is none, or has other groups, and names it.
  static Result<AnnouncedPorts> Create(const std::vector<std::string>& expressions);

  // In the order of the expressions, and of the text for each.
  std::vector<uint16_t> FindIn(std::string_view text) const;

 private:
  std::vector<RegularExpression> expressions_;
};

}  // namespace mcr::record

#endif  // MCR_RECORD_ANNOUNCED_PORTS_H_
