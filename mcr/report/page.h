// The JSON report of an update (mcr/docs/report.md) as one HTML page that loads nothing from
// anywhere: what a person looks at.
#ifndef MCR_REPORT_PAGE_H_
#define MCR_REPORT_PAGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/report/latency.h"

namespace mcr::report {

// `latencies` may be empty: nobody measured. Fails if `report` is no report of a known schema, or
// if none of the latencies was measured during the update.
Result<std::string> RenderPage(std::string_view report,
                               const std::vector<LatencySample>& latencies);

}  // namespace mcr::report

#endif  // MCR_REPORT_PAGE_H_
