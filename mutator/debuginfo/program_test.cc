#include "mutator/debuginfo/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {
namespace {

const std::string kDirectory = "mutator/debuginfo/";
constexpr uint32_t kCopy = 5;  // R_X86_64_COPY
constexpr char kFirst[] = "mutator/debuginfo/testdata/first.c";
constexpr char kSecond[] = "mutator/debuginfo/testdata/second.c";

std::shared_ptr<const Program> LoadOrDie(const std::string& name) {
  auto program = Program::Load(kDirectory + name, {});
  if (!program) {
    ADD_FAILURE() << program.error().Line();
    std::abort();
  }
  return *program;
}

class ProgramTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    program_ = new std::shared_ptr<const Program>(LoadOrDie("program_v1"));
  }
  static void TearDownTestSuite() { delete program_; }

  const Program& program() const { return **program_; }
  const TypeTable& types() const { return program().types(); }

  const Variable* Find(const std::string& key) const {
    const auto found = std::ranges::find(program().variables(), key, &Variable::Key);
    return found == program().variables().end() ? nullptr : &*found;
  }
  std::string TypeOf(const std::string& key) const {
    const Variable* variable = Find(key);
    return variable == nullptr ? "no such variable" : types().Describe(variable->type);
  }
  const Function* FindFunction(const std::string& key) const {
    const auto found = std::ranges::find(program().functions(), key, &Function::Key);
    return found == program().functions().end() ? nullptr : &*found;
  }

 private:
  static inline std::shared_ptr<const Program>* program_ = nullptr;
};

TEST_F(ProgramTest, KnowsTheFile) {
  EXPECT_EQ(program().path(), kDirectory + "program_v1");
  EXPECT_TRUE(program().position_independent());
  EXPECT_EQ(program().build_id().size(), 40u);
  EXPECT_EQ(std::ranges::count(program().needed(), "libc.so.6"), 1);
  EXPECT_EQ(program().tls_size(), sizeof(int));
  EXPECT_EQ(program().tls_image()[0], std::byte{7});
  EXPECT_FALSE(program().relro().empty());
}

TEST_F(ProgramTest, SegmentsAndSectionsAreByAddress) {
  EXPECT_TRUE(std::ranges::is_sorted(program().segments(), {},
                                     [](const Segment& s) { return s.range.begin(); }));
  const Section* text = program().FindSection(".text");
  ASSERT_NE(text, nullptr);
  EXPECT_TRUE(text->executable);
  EXPECT_EQ(program().FindSection(text->range.begin()), text);
  EXPECT_TRUE(program().FindSection(".bss")->no_bits);
  EXPECT_EQ(program().FindSection(FileAddr(0x10)), nullptr);
}

TEST_F(ProgramTest, ContentsEndWithTheSegmentsFilePart) {
  const Variable* global = Find("table");
  ASSERT_NE(global, nullptr);
  EXPECT_TRUE(program().Contents(global->range.begin()).empty());  // .bss
  const Variable* counter = Find(std::string(kFirst) + ":counter");
  ASSERT_NE(counter, nullptr);
  EXPECT_EQ(program().Contents(counter->range.begin())[0], std::byte{1});
  EXPECT_TRUE(program().Contents(FileAddr(~uint64_t{0})).empty());
}

TEST_F(ProgramTest, GlobalsHaveTheirTypes) {
  EXPECT_EQ(TypeOf("list"), "struct node_s *");
  EXPECT_EQ(TypeOf("table"), "struct record [4]");
  EXPECT_EQ(Find("table")->range.size(), 4 * types()[Find("table")->type].size / 4);
}

// GCC has the dynamic linker copy libc's `environ` into the program, clang goes through the GOT.
TEST_F(ProgramTest, CopiedVariableHasTheTypeOfItsDeclaration) {
  const auto copied = std::ranges::find_if(program().relocations(), [](const Relocation& each) {
    return each.type == kCopy && each.symbol.ends_with("environ");
  });
  if (copied == program().relocations().end()) GTEST_SKIP() << "this compiler copies nothing";
  EXPECT_EQ(program().FindVariable(copied->at), Find("environ"));
  EXPECT_EQ(TypeOf("environ"), "char **");
}

TEST_F(ProgramTest, StaticsAreToldApartByUnit) {
  ASSERT_NE(Find(std::string(kFirst) + ":counter"), nullptr);
  ASSERT_NE(Find(std::string(kSecond) + ":counter"), nullptr);
  EXPECT_EQ(Find("counter"), nullptr);
}

TEST_F(ProgramTest, StaticLocalsAreToldApartByFunctionAndOrder) {
  const Variable* id = Find(std::string(kFirst) + ":next_id:id");
  ASSERT_NE(id, nullptr);
  EXPECT_EQ(program().Contents(id->range.begin())[0], std::byte{100});
  const Variable* local = Find(std::string(kFirst) + ":two_locals:local");
  const Variable* second = Find(std::string(kFirst) + ":two_locals:local#2");
  ASSERT_NE(local, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(program().Contents(local->range.begin())[0], std::byte{1});
  EXPECT_EQ(program().Contents(second->range.begin())[0], std::byte{2});
}

TEST_F(ProgramTest, KeysAreUnique) {
  std::set<std::string> keys;
  for (const Variable& each : program().variables()) EXPECT_TRUE(keys.insert(each.Key()).second);
}

// clang describes them as variables, without a name.
TEST_F(ProgramTest, StringLiteralsAreNoVariables) {
  EXPECT_TRUE(std::ranges::none_of(program().variables(),
                                   [](const Variable& variable) { return variable.name.empty(); }));
}

TEST_F(ProgramTest, FlexibleArrayIsAsLargeAsItsElements) {
  ASSERT_NE(Find("flexible"), nullptr);
  EXPECT_EQ(Find("flexible")->range.size(), 16u);
}

TEST_F(ProgramTest, ThreadLocalVariableIsAnOffset) {
  const Variable* variable = Find("per_thread");
  ASSERT_NE(variable, nullptr);
  EXPECT_TRUE(variable->thread_local_storage);
  EXPECT_EQ(variable->range.begin(), FileAddr(0));
  EXPECT_EQ(program().FindVariable(FileAddr(0)), nullptr);
}

TEST_F(ProgramTest, EveryObjectSymbolBelongsToAVariable) {
  for (const Symbol& symbol : program().symbols()) {
    if (symbol.kind != SymbolKind::kObject || symbol.range.empty()) continue;
    EXPECT_NE(program().FindVariable(symbol.range.begin()), nullptr) << symbol.name;
  }
}

TEST_F(ProgramTest, EveryFunctionSymbolBelongsToAFunction) {
  for (const Symbol& symbol : program().symbols()) {
    if (symbol.kind != SymbolKind::kFunction || symbol.range.empty()) continue;
    EXPECT_NE(program().FindFunction(symbol.range.begin()), nullptr) << symbol.name;
  }
}

TEST_F(ProgramTest, FunctionsHaveTypesAndUnits) {
  const Function* sum = FindFunction("sum");
  ASSERT_NE(sum, nullptr);
  EXPECT_EQ(types().Describe(sum->type), "int (struct node_s *)");
  EXPECT_EQ(program().FindFunction(sum->range.begin() + 1), sum);
  EXPECT_NE(FindFunction(std::string(kFirst) + ":handle"), nullptr);
  EXPECT_NE(FindFunction("_start"), nullptr);
}

TEST_F(ProgramTest, TypesOfTwoUnitsAreOne) {
  EXPECT_EQ(types().Find(TypeKind::kStruct, "node_s").size(), 1u);
  EXPECT_EQ(types().Find(TypeKind::kStruct, "record").size(), 1u);
  EXPECT_EQ(types().Find(TypeKind::kStruct, "text_t").size(), 1u);
  EXPECT_EQ(types().Find(TypeKind::kStruct, "node_t"),
            types().Find(TypeKind::kStruct, "node_s"));  // the typedef
}

TEST_F(ProgramTest, DeclarationIsCompletedByTheOnlyDefinition) {
  const auto payload = types().Find(TypeKind::kStruct, "payload");
  ASSERT_EQ(payload.size(), 1u);
  EXPECT_FALSE(types()[payload[0]].is_declaration);
  const Type& node = types()[types().Find(TypeKind::kStruct, "node_s")[0]];
  EXPECT_EQ(types()[node.members[1].type].target, payload[0]);
}

TEST_F(ProgramTest, StructLayoutIsKnown) {
  const Type& record = types()[types().Find(TypeKind::kStruct, "record")[0]];
  ASSERT_EQ(record.members.size(), 8u);
  EXPECT_EQ(record.size, 80u);
  EXPECT_EQ(record.members[1].name, "high");
  EXPECT_EQ(record.members[1].bit_offset, 3u);
  EXPECT_EQ(record.members[1].bit_size, 5u);
  EXPECT_EQ(record.members[2].offset, 8u);
  EXPECT_EQ(types().Describe(record.members[5].type), "int [2][3]");
  EXPECT_EQ(types()[record.members[5].type].size, 24u);
  EXPECT_EQ(types().Describe(record.members[6].type), "void (*)(int)");
  EXPECT_EQ(record.members[7].name, "");
}

TEST_F(ProgramTest, EnumeratorsHaveTheirValues) {
  const Type& color = types()[types().Find(TypeKind::kEnum, "color")[0]];
  ASSERT_EQ(color.enumerators.size(), 3u);
  EXPECT_EQ(color.enumerators[1].value, 5);
  EXPECT_EQ(color.enumerators[2].value, -1);
}

TEST_F(ProgramTest, RelocationsSayWhatTheLoaderWillWrite) {
  EXPECT_TRUE(std::ranges::is_sorted(program().relocations(), {}, &Relocation::at));
  EXPECT_EQ(std::ranges::count(program().relocations(), "puts", &Relocation::symbol), 1);
}

TEST(ProgramLoadTest, SeparateDebugFileIsFoundBesideTheProgram) {
  const auto program = LoadOrDie("linked/program");
  EXPECT_NE(std::ranges::find(program->variables(), "table", &Variable::name),
            program->variables().end());
}

TEST(ProgramLoadTest, SeparateDebugFileIsFoundByBuildId) {
  const auto whole = LoadOrDie("program_v1");
  const std::string id = whole->build_id();
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "by-build-id";
  const std::filesystem::path place = root / ".build-id" / id.substr(0, 2);
  std::filesystem::create_directories(place);
  std::filesystem::copy_file(kDirectory + "linked/program.debug", place / (id.substr(2) + ".debug"),
                             std::filesystem::copy_options::overwrite_existing);
  const auto program =
      Program::Load(kDirectory + "stripped/program", {.debug_dirs = {root.string()}});
  ASSERT_TRUE(program.has_value()) << program.error().Line();
  EXPECT_EQ((*program)->variables().size(), whole->variables().size());
  EXPECT_EQ((*program)->functions().size(), whole->functions().size());
}

TEST(ProgramLoadTest, WithoutDebugInformationSaysWhereItLooked) {
  const auto program = Program::Load(kDirectory + "stripped/program", {});
  ASSERT_FALSE(program.has_value());
  EXPECT_NE(program.error().what.find("/usr/lib/debug/.build-id/"), std::string::npos);
  EXPECT_NE(program.error().advice.find("--debug-dir"), std::string::npos);
}

TEST(ProgramLoadTest, SupplementaryDebugFileOfDwzIsRefused) {
  const auto program = Program::Load(kDirectory + "shared/program", {});
  ASSERT_FALSE(program.has_value());
  EXPECT_NE(program.error().what.find("dwz"), std::string::npos);
}

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Loads a file with these contents; the error, or "".
std::string LoadBytes(const std::string& bytes) {
  const std::string path = testing::TempDir() + "/variant";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  const auto program = Program::Load(path, {});
  return program ? "" : program.error().Line();
}

TEST(ProgramLoadTest, WhatIsNoProgramIsRefusedInOneLine) {
  EXPECT_NE(Program::Load("/no/such/file", {}).error().Line().find("No such file"),
            std::string::npos);
  EXPECT_NE(Program::Load("/", {}).error().what.find("not a regular file"), std::string::npos);
  EXPECT_NE(LoadBytes("").find("not an ELF file"), std::string::npos);
  EXPECT_NE(LoadBytes("#!/bin/sh\n").find("not an ELF file"), std::string::npos);
  EXPECT_NE(LoadBytes("\x7f"
                      "ELF")
                .find("truncated"),
            std::string::npos);
}

TEST(ProgramLoadTest, AnotherMachineIsRefused) {
  std::string bytes = ReadFile(kDirectory + "program_v1");
  bytes[18] = static_cast<char>(183);  // e_machine: EM_AARCH64
  EXPECT_NE(LoadBytes(bytes).find("not for x86-64"), std::string::npos);
}

TEST(ProgramLoadTest, TruncatedFileIsRefused) {
  const std::string bytes = ReadFile(kDirectory + "program_v1");
  for (size_t part = 1; part < 100; ++part) {
    const std::string line = LoadBytes(bytes.substr(0, bytes.size() * part / 100));
    EXPECT_FALSE(line.empty()) << part;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

// Any answer will do, but there must be one.
TEST(ProgramLoadTest, CorruptFileNeverCrashes) {
  const std::string bytes = ReadFile(kDirectory + "program_v1");
  uint64_t state = 1;
  auto random = [&state](uint64_t limit) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % limit;
  };
  for (int variant = 0; variant < 500; ++variant) {
    std::string corrupt = bytes;
    const uint64_t flips = 1 + random(64);
    // Half of the variants are hit in the headers at both ends of the file.
    const uint64_t span = variant % 2 == 0 ? bytes.size() : 4096;
    for (uint64_t i = 0; i < flips; ++i) {
      const uint64_t at = random(span);
      corrupt[random(2) == 0 ? at : bytes.size() - 1 - at] ^= static_cast<char>(1 << random(8));
    }
    EXPECT_EQ(LoadBytes(corrupt).find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace mcr::mutator
