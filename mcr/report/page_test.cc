#include "mcr/report/page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace mcr::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kMillisecond = 1000000;

Json SmallReport() {
  return {{"schema", 1},
          {"outcome", "updated"},
          {"began_monotonic_ns", 5000 * kMillisecond},
          {"pause_began_ms", 80.0},
          {"pause_ms_total", 20.0},
          {"old", {{"program", "/old"}}},
          {"new", {{"program", "/new"}}},
          {"pointers", {{"retargeted", 0}}},
          {"objects", {{"kept", 0}}},
          {"processes", Json::array()},
          {"stages", {{{"name", "inspect"}, {"began_ms", 0}, {"ms", 60}, {"in_pause", false}}}}};
}

// What the page is given, read back as a browser does.
Json DataOf(const std::string& page) {
  const std::string opening = R"(id="data">)";
  const size_t begin = page.find(opening) + opening.size();
  return Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

TEST(Page, ContainsTheWholeReport) {
  const auto page = RenderPage(SmallReport().dump(), {});
  ASSERT_TRUE(page);
  EXPECT_EQ(DataOf(*page)["report"], SmallReport());
  EXPECT_TRUE(DataOf(*page)["latency"].is_null());
}

TEST(Page, LoadsNothing) {
  const std::string page = RenderPage(SmallReport().dump(), {}).value();
  EXPECT_EQ(page.find("src="), std::string::npos);
  EXPECT_EQ(page.find("url("), std::string::npos);
  EXPECT_EQ(page.find("@import"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(Page, AStringOfTheReportCannotEndTheScript) {
  Json report = SmallReport();
  report["reason"] = "</script><script>alert(1)</script>";
  const std::string page = RenderPage(report.dump(), {}).value();
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(DataOf(page)["report"]["reason"], report["reason"]);
}

TEST(Page, RefusesWhatIsNoReport) {
  EXPECT_FALSE(RenderPage("", {}));
  EXPECT_FALSE(RenderPage("{\"schema\": 1}", {}));
  Json other = SmallReport();
  other["schema"] = 2;
  EXPECT_NE(RenderPage(other.dump(), {}).error().what.find("schema"), std::string::npos);
  Json incomplete = SmallReport();
  incomplete.erase("stages");
  EXPECT_NE(RenderPage(incomplete.dump(), {}).error().what.find("stages"), std::string::npos);
}

TEST(Page, LatenciesAreCountedBeforeAndDuringTheUpdate) {
  const std::vector<LatencySample> samples = {
      {4000 * kMillisecond, kMillisecond},       // long before
      {4990 * kMillisecond, 2 * kMillisecond},   // just before
      {5050 * kMillisecond, kMillisecond},       // during
      {5079 * kMillisecond, 25 * kMillisecond},  // across the pause
      {9000 * kMillisecond, kMillisecond},       // long after
  };
  const Json latency = DataOf(RenderPage(SmallReport().dump(), samples).value())["latency"];
  EXPECT_EQ(latency["before"]["requests"], 2);
  EXPECT_EQ(latency["before"]["longest_ms"], 2.0);
  EXPECT_EQ(latency["during"]["requests"], 2);
  EXPECT_EQ(latency["during"]["longest_ms"], 25.0);
  EXPECT_EQ(latency["columns"].size(), 3u) << "what is near the update is drawn";
}

TEST(Page, LatenciesOfAnotherTimeAreRefused) {
  EXPECT_FALSE(RenderPage(SmallReport().dump(), {{1, 1}}));
}

TEST(Latencies, ReadCsvWithAndWithoutNames) {
  EXPECT_EQ(ParseLatencies("1,2\n3,4\n").value().size(), 2u);
  const auto named = ParseLatencies("began_ns,took_ns\r\n10, 20\r\n\r\n");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->at(0).began_ns, 10u);
  EXPECT_EQ(named->at(0).took_ns, 20u);
}

TEST(Latencies, ReadJson) { EXPECT_EQ(ParseLatencies(" [[1,2],[3,4]]").value()[1].took_ns, 4u); }

TEST(Latencies, RefuseAnythingElse) {
  EXPECT_FALSE(ParseLatencies(""));
  EXPECT_FALSE(ParseLatencies("began_ns,took_ns\n"));
  EXPECT_NE(ParseLatencies("1,2\n3,x\n").error().where.find("line 2"), std::string::npos);
  EXPECT_FALSE(ParseLatencies("[[1]]"));
  EXPECT_FALSE(ParseLatencies("[[1,-2]]"));
  EXPECT_FALSE(ParseLatencies("[[1,2]"));
}

}  // namespace
}  // namespace mcr::report
