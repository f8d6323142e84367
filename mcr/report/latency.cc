#include "mcr/report/latency.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>

namespace mcr::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNanosecondsPerMillisecond = 1e6;
constexpr int kColumns = 400;
constexpr double kMargin = 0.35;  // of the span, shown on either side of it
constexpr char kAdvice[] = "expected lines of \"began_ns,took_ns\", or a JSON array of such pairs";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  text = Trim(text);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<LatencySample> ParseLine(std::string_view line) {
  const size_t comma = line.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto began = ParseNumber(line.substr(0, comma));
  const auto took = ParseNumber(line.substr(comma + 1));
  if (!began || !took) return std::nullopt;
  return LatencySample{*began, *took};
}

Result<std::vector<LatencySample>> ParseCsv(std::string_view text) {
  std::vector<LatencySample> samples;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (Trim(line).empty()) continue;
    const auto sample = ParseLine(line);
    if (sample) {
      samples.push_back(*sample);
    } else if (number > 1) {
      return Fail("no latency", "line " + std::to_string(number), kAdvice);
    }
  }
  return samples;
}

Result<std::vector<LatencySample>> ParseJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return Fail("no JSON array of latencies", "", kAdvice);
  std::vector<LatencySample> samples;
  for (const Json& pair : json) {
    const bool good = pair.is_array() && pair.size() == 2 && pair[0].is_number_unsigned() &&
                      pair[1].is_number_unsigned();
    if (!good) return Fail("no latency", "entry " + std::to_string(samples.size() + 1), kAdvice);
    samples.push_back({pair[0].get<uint64_t>(), pair[1].get<uint64_t>()});
  }
  return samples;
}

double Milliseconds(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / kNanosecondsPerMillisecond;
}

// Of a sorted list, which is not empty.
double Percentile(const std::vector<double>& sorted, double part) {
  const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

Json Percentiles(std::vector<double> times) {
  if (times.empty()) return {{"requests", 0}};
  std::ranges::sort(times);
  return {{"requests", times.size()},
          {"p50_ms", Percentile(times, 0.5)},
          {"p99_ms", Percentile(times, 0.99)},
          {"longest_ms", times.back()}};
}

Json Columns(std::map<int, std::vector<double>> columns, double from, double width) {
  Json list = Json::array();
  for (auto& [column, times] : columns) {
    std::ranges::sort(times);
    list.push_back({{"at_ms", from + (column + 0.5) * width},
                    {"median_ms", Percentile(times, 0.5)},
                    {"longest_ms", times.back()}});
  }
  return list;
}

}  // namespace

Result<std::vector<LatencySample>> ParseLatencies(std::string_view text) {
  auto samples = Trim(text).starts_with('[') ? ParseJson(text) : ParseCsv(text);
  if (samples && samples->empty()) return Fail("no latencies", "", kAdvice);
  return samples;
}

Json SummarizeLatencies(const std::vector<LatencySample>& samples, uint64_t began_ns,
                        double span_ms) {
  const double from = -kMargin * span_ms, to = (1 + kMargin) * span_ms;
  const double width = (to - from) / kColumns;
  std::map<int, std::vector<double>> columns;
  std::vector<double> before, during;
  for (const LatencySample& sample : samples) {
    const double at = Milliseconds(sample.began_ns) - Milliseconds(began_ns);
    const double took = Milliseconds(std::max<uint64_t>(sample.took_ns, 1));
    if (at + took < 0) before.push_back(took);
    if (at + took >= 0 && at <= span_ms) during.push_back(took);
    if (at < from || at >= to) continue;
    columns[static_cast<int>((at - from) / width)].push_back(took);
  }
  return {{"from_ms", from},
          {"to_ms", to},
          {"before", Percentiles(std::move(before))},
          {"during", Percentiles(std::move(during))},
          {"columns", Columns(std::move(columns), from, width)}};
}

}  // namespace mcr::report
