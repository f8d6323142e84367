// One use of each system library: that it is the version that the code is written for, that its
// headers and its shared object agree, and that it works in each build configuration.

#include <benchmark/benchmark.h>
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libunwind.h>
#include <link.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/TargetSelect.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "third_party/smoke_test.pb.h"

namespace {

using ::testing::ElementsAre;

TEST(Llvm, IsVersion19) { EXPECT_EQ(LLVM_VERSION_MAJOR, 19); }

TEST(Llvm, ReadsItsOwnObjectFile) {
  auto file = llvm::object::ObjectFile::createObjectFile("/proc/self/exe");
  ASSERT_TRUE(static_cast<bool>(file));
  EXPECT_TRUE(file->getBinary()->isELF());
  EXPECT_EQ(file->getBinary()->getArch(), llvm::Triple::x86_64);
}

TEST(Llvm, ReadsDwarf) {
  auto file = llvm::object::ObjectFile::createObjectFile("/proc/self/exe");
  ASSERT_TRUE(static_cast<bool>(file));
  const auto context = llvm::DWARFContext::create(*file->getBinary());
  EXPECT_GT(context->getNumCompileUnits(), 0u);
}

TEST(Llvm, DisassemblesX86) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86Disassembler();
  constexpr char kTriple[] = "x86_64-unknown-linux-gnu";
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, error);
  ASSERT_NE(target, nullptr) << error;
  const std::unique_ptr<llvm::MCRegisterInfo> registers(target->createMCRegInfo(kTriple));
  const std::unique_ptr<llvm::MCAsmInfo> assembly(
      target->createMCAsmInfo(*registers, kTriple, llvm::MCTargetOptions()));
  const std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      target->createMCSubtargetInfo(kTriple, "", ""));
  const std::unique_ptr<llvm::MCInstrInfo> instructions(target->createMCInstrInfo());
  llvm::MCContext context(llvm::Triple(kTriple), assembly.get(), registers.get(), subtarget.get());
  const std::unique_ptr<llvm::MCDisassembler> disassembler(
      target->createMCDisassembler(*subtarget, context));

  constexpr std::array<uint8_t, 3> kSyscallRet = {0x0f, 0x05, 0xc3};
  llvm::MCInst instruction;
  uint64_t size = 0;
  ASSERT_EQ(disassembler->getInstruction(instruction, size, kSyscallRet, 0, llvm::nulls()),
            llvm::MCDisassembler::Success);
  EXPECT_EQ(size, 2u);
  EXPECT_EQ(instructions->getName(instruction.getOpcode()), "SYSCALL");
}

TEST(Libunwind, CreatesARemoteAddressSpace) {
  unw_accessors_t accessors = {};
  const unw_addr_space_t space = unw_create_addr_space(&accessors, 0);
  ASSERT_NE(space, nullptr);
  unw_destroy_addr_space(space);
}

// libunwind.so exports functions of the same names: whichever is found first throws the program's
// exceptions.
TEST(Libunwind, LeavesExceptionsToTheCompilersRuntime) {
  std::string first_unwinder;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* found) {
        const std::string_view name = info->dlpi_name;
        auto& first = *static_cast<std::string*>(found);
        const bool unwinds =
            name.find("libgcc_s") != name.npos || name.find("libunwind.so") != name.npos;
        if (first.empty() && unwinds) first = name;
        return 0;
      },
      &first_unwinder);
  EXPECT_THAT(first_unwinder, testing::HasSubstr("libgcc_s"));
}

TEST(Protobuf, HeadersMatchTheLibrary) {
  GOOGLE_PROTOBUF_VERIFY_VERSION;
  mcr::third_party::Smoke message;
  message.set_name("server");
  message.add_values(7);
  mcr::third_party::Smoke copy;
  ASSERT_TRUE(copy.ParseFromString(message.SerializeAsString()));
  EXPECT_EQ(copy.name(), "server");
  EXPECT_THAT(copy.values(), ElementsAre(7u));
}

TEST(Expected, HoldsAnError) {
  const tl::expected<int, std::string> result = tl::make_unexpected("gone");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), "gone");
}

TEST(Spdlog, FormatsThroughFmt) {
  std::ostringstream out;
  spdlog::logger logger("smoke", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger.set_pattern("%v");
  logger.info("{:#x}", 255);
  EXPECT_EQ(out.str(), "0xff\n");
}

TEST(Cli11, ParsesAnOption) {
  CLI::App app;
  int pid = 0;
  app.add_option("--pid", pid);
  app.parse("--pid 42");
  EXPECT_EQ(pid, 42);
}

TEST(NlohmannJson, RoundTrips) {
  const auto json = nlohmann::json::parse(R"({"pause_ms": 1.5})");
  EXPECT_EQ(json.dump(), R"({"pause_ms":1.5})");
}

TEST(Benchmark, RunsAFunction) {
  int iterations = 0;
  benchmark::RegisterBenchmark("count", [&](benchmark::State& state) {
    for (auto _ : state) ++iterations;
  })->Iterations(3);
  std::ostringstream out;
  benchmark::ConsoleReporter reporter(benchmark::ConsoleReporter::OO_None);
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&out);
  EXPECT_EQ(benchmark::RunSpecifiedBenchmarks(&reporter), 1u);
  EXPECT_EQ(iterations, 3);
}

}  // namespace
