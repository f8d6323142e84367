#include "mcr/update/data_set.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace mcr::update {
namespace {

class DataSetTest : public testing::Test {
 protected:
  DataSetTest() : directory_(testing::TempDir() + "/data_set") {
    std::filesystem::remove_all(directory_);
    for (const char* name : {"dump.rdb", "server.conf", "log/1.aof", "log/old/2.aof"}) {
      const std::filesystem::path path = directory_ / name;
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path) << "text";
    }
  }
  std::vector<std::string> Find(const std::string& shown_as,
                                const std::vector<std::string>& patterns) const {
    return FindDataSet(directory_, shown_as, patterns);
  }

  const std::filesystem::path directory_;
};

TEST_F(DataSetTest, IsWhatMatchesInTheDirectoryAndThoseInIt) {
  EXPECT_EQ(Find("/srv", {"*.rdb", "*.aof"}),
            (std::vector<std::string>{"/srv/dump.rdb", "/srv/log/1.aof"}));
}

TEST_F(DataSetTest, IsNamedByPathIfThePatternIsOne) {
  EXPECT_EQ(Find("/srv", {"log/*"}), std::vector<std::string>{"/srv/log/1.aof"});
}

TEST_F(DataSetTest, IsEmptyWithoutPatterns) { EXPECT_TRUE(Find("/srv", {}).empty()); }

TEST_F(DataSetTest, IsNotSearchedForInTheRootDirectory) { EXPECT_TRUE(Find("/", {"*"}).empty()); }

}  // namespace
}  // namespace mcr::update
