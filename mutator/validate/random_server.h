// Servers made at random, for tests of properties: types, an edited second version of them,
// variables, and a heap full of objects that point to each other.
#ifndef MCR_MUTATOR_VALIDATE_RANDOM_SERVER_H_
#define MCR_MUTATOR_VALIDATE_RANDOM_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "checkpoint/fake_image.h"
#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mutator/debuginfo/type_table.h"
#include "mutator/merge/fake_program.h"

namespace mcr::mutator {

struct RandomField {
  enum class Kind { kInteger, kFloat, kEnum, kNumbers, kText, kNested, kObject, kCode };
  std::string name;
  Kind kind = Kind::kInteger;
  uint64_t size = 8;  // bytes of a number
  bool is_signed = true;
  uint64_t count = 1;    // kNumbers, kText
  size_t structure = 0;  // kNested, kObject: index
  uint64_t offset = 0;
};

struct RandomStruct {
  std::string name;
  uint64_t size = 0;
  std::vector<RandomField> fields;

  const RandomField* Find(const std::string& field) const;
};

// One version of the server's program.
struct RandomVersion {
  std::vector<RandomStruct> structs;
  std::map<std::string, FileAddr> variables;  // of a struct each, or, "root0", a pointer to one
  std::shared_ptr<FakeProgram> program;
};

// What the random numbers of one seed make.
class RandomServer {
 public:
  explicit RandomServer(uint64_t seed);

  static constexpr Addr kLive{0x55d0c0de0000}, kNext{0x561122330000}, kBase{0x563344550000};
  static constexpr Addr kHeap{0x55d0c2000000};
  static constexpr uint64_t kVariables = 4;

  const RandomVersion& before() const { return before_; }
  const RandomVersion& after() const { return after_; }
  // The struct that each variable is of, and each root points to one of.
  size_t StructOf(const std::string& variable) const { return types_of_.at(variable); }
  // The server running `before`, with state.
  const checkpoint::FakeImage& live() const { return live_; }
  // A start of either version that leaves everything zero.
  static checkpoint::FakeImage Start(Addr bias);
  // A start of the old version that gives the variables other values for each `seed`.
  checkpoint::FakeImage Start(Addr bias, uint64_t seed) const;

  // Maps the program at `bias` of one process in another one.
  static void CopyProgram(const checkpoint::FakeImage& from, Addr bias, checkpoint::FakeImage& to);

  // Where both versions have a value, in a process that runs `after` at `bias`: of each variable,
  // and of each object that begins at one of `changed` in the live process.
  struct SharedPlace {
    std::string name;
    Addr at;
    uint64_t size;  // bytes
  };
  std::vector<SharedPlace> SharedPlaces(const checkpoint::FakeImage& image, Addr bias,
                                        const std::vector<Addr>& changed) const;

 private:
  struct Object {
    std::string root;
    Addr at;
    size_t structure = 0;
    uint64_t count = 1;
  };

  uint64_t Number(uint64_t least, uint64_t most);
  bool Chance(int percent) { return Number(1, 100) <= static_cast<uint64_t>(percent); }
  RandomStruct MakeStruct(size_t index);
  RandomStruct Edit(const RandomStruct& old);
  void Place(RandomVersion& version, bool shuffled);
  void AddTypes(RandomVersion& version, bool renumbered);
  void MakeObjects();
  // `bias`: of the program in `image`.
  void Fill(checkpoint::FakeImage& image, Addr bias, Addr at, size_t structure);
  void AddPlaces(const std::string& name, Addr at, size_t structure,
                 std::vector<SharedPlace>& places) const;
  uint64_t PointerTo(size_t structure);

  std::mt19937_64 random_;
  RandomVersion before_, after_;
  std::map<std::string, size_t> types_of_;
  std::vector<Object> objects_;
  checkpoint::FakeImage live_;
};

// The process after the plan has been carried out: what the executor would make of it.
struct AppliedPlan {
  checkpoint::FakeImage image;
  Addr bias;                                        // of the new program
  std::vector<checkpoint::Allocation> allocations;  // with their addresses
};
AppliedPlan Apply(const checkpoint::ProcessGraft& graft, const checkpoint::FakeImage& live);

// What differs between two processes, of all that both versions can hold, seen from the variables;
// "": nothing. `first` runs a program laid out as `layout` says at `first_bias`, `second` one laid
// out the same at `second_bias`; `both`: the version that the state has been through.
std::string Difference(const RandomServer& server, const RandomVersion& layout,
                       const RandomVersion& both, const checkpoint::FakeImage& first,
                       Addr first_bias, const checkpoint::FakeImage& second, Addr second_bias);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_RANDOM_SERVER_H_
