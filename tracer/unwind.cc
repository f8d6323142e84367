#include "tracer/unwind.h"

#include <libunwind.h>
#include <sys/ucontext.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "tracer/eh_frame.h"
#include "tracer/page_cache.h"

// Exported by libunwind for its own remote back ends; not in its header. Searches the table that
// `di` describes, in the memory that the accessors read, and fills in `pi`.
extern "C" int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t as, unw_word_t ip,
                                                  unw_dyn_info_t* di, unw_proc_info_t* pi,
                                                  int need_unwind_info, void* arg);

namespace mcr::tracer {
namespace {

constexpr size_t kMostFrames = 1024;
constexpr size_t kTableEntrySize = 8;  // bytes

// One call of Unwind, as the accessors see it.
struct Session {
  const user_regs_struct& registers;
  const PageCache& memory;
  const Mappings& mappings;
  std::vector<UnwindTable> tables;
  std::optional<Error> failure;  // the first; libunwind then guesses by the frame pointer
};

Session& Of(void* argument) { return *static_cast<Session*>(argument); }

const UnwindTable* FindTable(Session& session, Addr code) {
  for (const UnwindTable& table : session.tables) {
    if (table.module.Contains(code)) return &table;
  }
  Result<UnwindTable> table = FindUnwindTable(code, session.memory, session.mappings);
  if (!table) {
    if (!session.failure) session.failure = std::move(table.error());
    return nullptr;
  }
  session.tables.push_back(*table);
  return &session.tables.back();
}

int FindProcedure(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t* info, int need_info,
                  void* argument) {
  Session& session = Of(argument);
  const UnwindTable* table = FindTable(session, Addr(ip));
  if (table == nullptr) return -UNW_ENOINFO;
  unw_dyn_info_t description{};
  description.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  description.start_ip = table->module.begin().value();
  description.end_ip = table->module.end().value();
  description.u.rti.segbase = table->header.value();
  description.u.rti.table_data = table->entries.value();
  description.u.rti.table_len = table->entry_count * kTableEntrySize / sizeof(unw_word_t);
  const int found =
      _Ux86_64_dwarf_search_unwind_table(space, ip, &description, info, need_info, argument);
  if (found < 0 && !session.failure) {
    session.failure = Error{.what = "no unwind information for the function", .where = Hex(ip)};
  }
  return found;
}

void PutUnwindInfo(unw_addr_space_t, unw_proc_info_t*, void*) {}

int GetDynamicInfoList(unw_addr_space_t, unw_word_t*, void*) { return -UNW_ENOINFO; }

int AccessMemory(unw_addr_space_t, unw_word_t address, unw_word_t* value, int write,
                 void* argument) {
  if (write != 0) return -UNW_EREADONLYREG;
  const Result<uint64_t> word = Of(argument).memory.ReadValue<uint64_t>(Addr(address));
  if (!word) return -UNW_EINVAL;
  *value = *word;
  return 0;
}

using Register = unsigned long long user_regs_struct::*;
// By DWARF number (System V ABI for x86-64, figure 3.36).
constexpr std::array<Register, 17> kRegisters{
    &user_regs_struct::rax, &user_regs_struct::rdx, &user_regs_struct::rcx, &user_regs_struct::rbx,
    &user_regs_struct::rsi, &user_regs_struct::rdi, &user_regs_struct::rbp, &user_regs_struct::rsp,
    &user_regs_struct::r8,  &user_regs_struct::r9,  &user_regs_struct::r10, &user_regs_struct::r11,
    &user_regs_struct::r12, &user_regs_struct::r13, &user_regs_struct::r14, &user_regs_struct::r15,
    &user_regs_struct::rip};
static_assert(UNW_X86_64_RSP == 7 && UNW_X86_64_RIP == 16);

int AccessRegister(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write,
                   void* argument) {
  if (write != 0) return -UNW_EREADONLYREG;
  if (number < 0 || static_cast<size_t>(number) >= kRegisters.size()) return -UNW_EBADREG;
  *value = Of(argument).registers.*kRegisters[static_cast<size_t>(number)];
  return 0;
}

int AccessFloatingPoint(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) {
  return -UNW_EBADREG;
}

int ResumeExecution(unw_addr_space_t, unw_cursor_t*, void*) { return -UNW_EINVAL; }

int GetProcedureName(unw_addr_space_t, unw_word_t, char*, size_t, unw_word_t*, void*) {
  return -UNW_ENOINFO;
}

unw_accessors_t Accessors() {
  unw_accessors_t accessors{};
  accessors.find_proc_info = &FindProcedure;
  accessors.put_unwind_info = &PutUnwindInfo;
  accessors.get_dyn_info_list_addr = &GetDynamicInfoList;
  accessors.access_mem = &AccessMemory;
  accessors.access_reg = &AccessRegister;
  accessors.access_fpreg = &AccessFloatingPoint;
  accessors.resume = &ResumeExecution;
  accessors.get_proc_name = &GetProcedureName;
  return accessors;
}

constexpr std::array<int, kCalleeSavedCount> kCalleeSaved{UNW_X86_64_RBX, UNW_X86_64_RBP,
                                                          UNW_X86_64_R12, UNW_X86_64_R13,
                                                          UNW_X86_64_R14, UNW_X86_64_R15};

Frame FrameAt(unw_cursor_t& cursor) {
  unw_word_t ip = 0, sp = 0;
  unw_get_reg(&cursor, UNW_REG_IP, &ip);
  unw_get_reg(&cursor, UNW_REG_SP, &sp);
  Frame frame{Addr(ip), Addr(sp), Addr()};
  for (size_t i = 0; i < kCalleeSaved.size(); ++i) {
    unw_save_loc_t place{};
    const bool known = unw_get_save_loc(&cursor, kCalleeSaved[i], &place) == 0;
    if (known && place.type == UNW_SLT_MEMORY) frame.saved[i] = Addr(place.u.addr);
  }
  return frame;
}

// Handlers return to `mov $__NR_rt_sigreturn, %rax; syscall`, by which unwinders know their frame.
// (unw_is_signal_frame says no to it before the step and something about the next frame after it.)
bool ReturnsFromSignal(const MemoryReader& memory, Addr instruction) {
  constexpr std::array<uint8_t, 9> kReturn{0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
  const auto code = memory.ReadValue<std::array<uint8_t, 9>>(instruction);
  return code && *code == kReturn;
}

// A call pushes the return address just below the caller's stack pointer. The frame of a signal
// begins with the ucontext that the kernel stored, and sigreturn takes the instruction to go on
// with from there.
Result<Addr> ReturnSlot(const MemoryReader& memory, const Frame& inner, const Frame& outer) {
  constexpr uint64_t kInstructionInContext =
      offsetof(ucontext_t, uc_mcontext.gregs) + REG_RIP * sizeof(greg_t);
  const Addr slot = ReturnsFromSignal(memory, inner.instruction)
                        ? inner.stack_pointer + kInstructionInContext
                        : outer.stack_pointer - sizeof(uint64_t);
  MCR_ASSIGN(const uint64_t stored, memory.ReadValue<uint64_t>(slot));
  if (Addr(stored) != outer.instruction) {
    return Fail("the return address is not where the unwind information says", Hex(slot));
  }
  return slot;
}

class LibunwindUnwinder : public Unwinder {
 public:
  LibunwindUnwinder() : accessors_(Accessors()), space_(unw_create_addr_space(&accessors_, 0)) {
    // libunwind's own cache goes by address alone, which says nothing across processes.
    if (space_ != nullptr) unw_set_caching_policy(space_, UNW_CACHE_NONE);
  }
  ~LibunwindUnwinder() override {
    if (space_ != nullptr) unw_destroy_addr_space(space_);
  }
  bool valid() const { return space_ != nullptr; }

  Result<std::vector<Frame>> Unwind(const user_regs_struct& registers, const MemoryReader& memory,
                                    const Mappings& mappings) override;

 private:
  unw_accessors_t accessors_;
  unw_addr_space_t space_;
  FilePages file_pages_;
};

Result<std::vector<Frame>> LibunwindUnwinder::Unwind(const user_regs_struct& registers,
                                                     const MemoryReader& memory,
                                                     const Mappings& mappings) {
  const PageCache cache(memory, mappings, file_pages_);
  Session session{registers, cache, mappings, {}, std::nullopt};
  unw_cursor_t cursor;
  if (unw_init_remote(&cursor, space_, &session) < 0) return Fail("libunwind takes no registers");
  std::vector<Frame> frames{FrameAt(cursor)};
  while (true) {
    const int step = unw_step(&cursor);
    if (session.failure) return tl::make_unexpected(std::move(*session.failure));
    if (step < 0) {
      return Fail(std::string("cannot unwind: ") + unw_strerror(step),
                  Hex(frames.back().instruction));
    }
    if (step == 0) return frames;
    const Frame outer = FrameAt(cursor);
    MCR_ASSIGN(frames.back().return_slot, ReturnSlot(cache, frames.back(), outer));
    frames.push_back(outer);
    if (frames.size() > kMostFrames) return Fail("a call stack without end", Hex(registers.rsp));
  }
}

}  // namespace

Result<std::unique_ptr<Unwinder>> Unwinder::Create() {
  auto unwinder = std::make_unique<LibunwindUnwinder>();
  if (!unwinder->valid()) return Fail("libunwind has no memory for an address space");
  return unwinder;
}

}  // namespace mcr::tracer
