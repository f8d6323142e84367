#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "mcr/cli/command.h"
#include "mcr/report/latency.h"
#include "mcr/report/page.h"

namespace mcr::cli {
namespace {

struct ReportArguments {
  std::string report;
  std::string output = "report.html";
  std::string latency;
};

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return FailErrno("cannot read the file", path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return Fail("cannot read the file", path);
  return text;
}

// An error's place, where it does not say one itself, is the file.
template <class T>
Result<T> In(const std::string& path, Result<T> result) {
  if (!result) {
    Error& error = result.error();
    error.where = error.where.empty() ? path : path + ", " + error.where;
  }
  return result;
}

Status WritePage(const ReportArguments& arguments) {
  std::vector<report::LatencySample> latencies;
  if (!arguments.latency.empty()) {
    MCR_ASSIGN(const std::string text, ReadFile(arguments.latency));
    MCR_ASSIGN(latencies, In(arguments.latency, report::ParseLatencies(text)));
  }
  MCR_ASSIGN(const std::string text, ReadFile(arguments.report));
  MCR_ASSIGN(const std::string page, In(arguments.report, report::RenderPage(text, latencies)));
  std::ofstream file(arguments.output, std::ios::binary);
  file << page;
  file.close();
  if (!file) return FailErrno("cannot write the page", arguments.output);
  return {};
}

int Run(const ReportArguments& arguments) {
  if (const Status written = WritePage(arguments); !written) {
    PrintError("report", written.error().Line());
    return kUsage;
  }
  return 0;
}

}  // namespace

void AddReport(CLI::App& app, int& status) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* command =
      app.add_subcommand("report", "The report of an update as a page for a browser");
  command->add_option("file", arguments->report, "what `mcr update --report` wrote")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--output", arguments->output, "where to write the page")
      ->type_name("FILE")
      ->capture_default_str();
  command
      ->add_option("--latency", arguments->latency,
                   "what a client measured meanwhile: lines of began,took, in nanoseconds of "
                   "CLOCK_MONOTONIC, or a JSON array of such pairs")
      ->type_name("FILE");
  command->callback([arguments, &status] { status = Run(*arguments); });
}

}  // namespace mcr::cli
