// What a client measured while a server was updated: when each request began, and how long its
// answer took.
#ifndef MCR_REPORT_LATENCY_H_
#define MCR_REPORT_LATENCY_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::report {

struct LatencySample {
  uint64_t began_ns = 0;  // CLOCK_MONOTONIC
  uint64_t took_ns = 0;
};

// CSV: one "began,took" a line, in nanoseconds; a first line that is no such pair is taken for the
// columns' names. JSON: an array of [began, took].
Result<std::vector<LatencySample>> ParseLatencies(std::string_view text);

// For a drawing: the samples around [began_ns, began_ns + span_ms], in columns of equal time, times
// in milliseconds since began_ns; percentiles of before and during that span.
nlohmann::ordered_json SummarizeLatencies(const std::vector<LatencySample>& samples,
                                          uint64_t began_ns, double span_ms);

}  // namespace mcr::report

#endif  // MCR_REPORT_LATENCY_H_
