#include "mcr/report/page.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "mcr/report/page_template.h"

namespace mcr::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr std::string_view kPlaceholder = "@DATA@";

// What the page reads without asking whether it is there.
constexpr const char* kObjects[] = {"old", "new", "pointers", "objects"};
constexpr const char* kArrays[] = {"stages", "processes"};
constexpr const char* kNumbers[] = {"began_monotonic_ns", "pause_began_ms", "pause_ms_total"};

Status CheckReport(const Json& report) {
  const char* advice = "give the file that `mcr update --report` wrote";
  if (!report.is_object() || !report.contains("outcome")) {
    return Fail("not a report of an update", "", advice);
  }
  if (report.value("schema", 0) != kSchema) {
    return Fail("a report of another schema than " + std::to_string(kSchema), "",
                "use the mcr that wrote it");
  }
  const auto demand = [&](const char* name, bool (Json::*is_kind)() const noexcept) -> Status {
    if (report.contains(name) && (report[name].*is_kind)()) return {};
    return Fail(std::string("the report lacks `") + name + "`", "", advice);
  };
  for (const char* name : kObjects) MCR_TRY(demand(name, &Json::is_object));
  for (const char* name : kArrays) MCR_TRY(demand(name, &Json::is_array));
  for (const char* name : kNumbers) MCR_TRY(demand(name, &Json::is_number));
  return {};
}

double SpanOf(const Json& report) {
  double end = report["pause_began_ms"].get<double>() + report["pause_ms_total"].get<double>();
  for (const Json& stage : report["stages"]) {
    end = std::max(end, stage.value("began_ms", 0.0) + stage.value("ms", 0.0));
  }
  return end;
}

// JSON that can stand in a <script> element: "</script>" in a string would end it.
std::string ForScript(const Json& json) {
  std::string text = json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  for (size_t at = 0; (at = text.find('<', at)) != std::string::npos;) {
    text.replace(at, 1, "\\u003c");
  }
  return text;
}

}  // namespace

Result<std::string> RenderPage(std::string_view report_text,
                               const std::vector<LatencySample>& latencies) {
  const Json report = Json::parse(report_text, nullptr, /*allow_exceptions=*/false);
  MCR_TRY(CheckReport(report));
  Json data = {{"report", report}, {"latency", nullptr}};
  if (!latencies.empty()) {
    const double span = SpanOf(report);
    data["latency"] =
        SummarizeLatencies(latencies, report["began_monotonic_ns"].get<uint64_t>(), span);
    if (data["latency"]["during"]["requests"] == 0) {
      return Fail("none of the latencies was measured during the update", "",
                  "its clock is CLOCK_MONOTONIC of the updated machine, in nanoseconds");
    }
  }
  std::string page(kPageTemplate);
  page.replace(page.find(kPlaceholder), kPlaceholder.size(), ForScript(data));
  return page;
}

}  // namespace mcr::report
