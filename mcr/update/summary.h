// What an update came to, in at most ten lines for a person.
#ifndef MCR_UPDATE_SUMMARY_H_
#define MCR_UPDATE_SUMMARY_H_

#include <string>

#include "mcr/update/report.h"

namespace mcr::update {

std::string Summary(const Report& report);

}  // namespace mcr::update

#endif  // MCR_UPDATE_SUMMARY_H_
