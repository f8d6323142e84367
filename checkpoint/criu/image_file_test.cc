#include "checkpoint/criu/image_file.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace mcr::checkpoint {
namespace {

std::string Words(std::initializer_list<uint32_t> words) {
  std::string bytes;
  for (const uint32_t word : words)
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  return bytes;
}

TEST(ImageFile, SplitsMessages) {
  const std::string image =
      Words({0x54564319, 0x50273030, 3}) + "abc" + Words({0}) + Words({1}) + "d";
  const auto messages = SplitImage(image, ImageKind::kPstree, "pstree.img").value();
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0], "abc");
  EXPECT_EQ(messages[1], "");
  EXPECT_EQ(messages[2], "d");
}

TEST(ImageFile, RejectsOtherFilesAndOtherKinds) {
  EXPECT_FALSE(SplitImage("", ImageKind::kPstree, "x").has_value());
  EXPECT_FALSE(SplitImage("\x7f"
                          "ELF....",
                          ImageKind::kPstree, "x")
                   .has_value());
  EXPECT_FALSE(SplitImage(Words({0x54564319, 0x50273030}), ImageKind::kCore, "x").has_value());
}

TEST(ImageFile, NamesATruncatedFile) {
  const std::string image = Words({0x54564319, 0x50273030, 100}) + "abc";
  const auto messages = SplitImage(image, ImageKind::kPstree, "pstree.img");
  ASSERT_FALSE(messages.has_value());
  EXPECT_EQ(messages.error().Line(), "truncated CRIU image, pstree.img");
}

}  // namespace
}  // namespace mcr::checkpoint
