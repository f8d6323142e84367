// One update from beginning to end: the only place that knows all stages.
#ifndef MCR_UPDATE_UPDATE_H_
#define MCR_UPDATE_UPDATE_H_

#include "mcr/update/options.h"
#include "mcr/update/report.h"

namespace mcr::update {

// Whatever happens, the report says it; the server runs the new version (Outcome::kUpdated) or the
// old one.
Report Update(const Options& options);

}  // namespace mcr::update

#endif  // MCR_UPDATE_UPDATE_H_
