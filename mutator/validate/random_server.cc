#include "mutator/validate/random_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/merge/fake_mapping.h"
#include "mutator/validate/fake_library.h"

namespace mcr::mutator {
namespace {

using checkpoint::FakeImage;
using Kind = RandomField::Kind;

constexpr uint64_t kHeapSize = 0x40000;
constexpr uint64_t kHeader = 16, kInUse = 1;  // of malloc's chunks
constexpr Addr kStack(0x7ffc00000000);
constexpr uint64_t kFunctions = 4;

void Read(const FakeImage& image, Addr at, std::span<std::byte> into) {
  if (const Status read = image.Read(at, into); !read) {
    throw std::logic_error(read.error().Line());
  }
}

uint64_t Align(uint64_t size, uint64_t to) { return (size + to - 1) / to * to; }

void MapRest(FakeImage& image) {
  image.MapAnonymous(RandomServer::kHeap, kHeapSize, "[heap]")
      .MapAnonymous(kStack, 0x1000, "[stack]");
  checkpoint::MemoryLayout layout;
  layout.start_brk = RandomServer::kHeap;
  layout.brk = RandomServer::kHeap + kHeapSize;
  image.SetLayout(layout);
  checkpoint::ThreadImage thread;
  thread.tid = image.pid();
  thread.registers.rsp = kStack.value() + 0x800;
  image.AddThread(thread);
}

// A heap of malloc's with nothing but its unused rest.
void BeginHeap(FakeImage& image) { image.WriteWord(RandomServer::kHeap + 8, kHeapSize | kInUse); }

// Takes a block from the rest of the heap.
Addr Allocate(FakeImage& image, uint64_t size) {
  Addr at = RandomServer::kHeap;
  uint64_t rest = 0;
  const Addr end = RandomServer::kHeap + kHeapSize;
  while (true) {
    rest = image.ReadValue<uint64_t>(at + 8).value() & ~uint64_t{7};
    if (at + rest == end) break;
    at = at + rest;
  }
  const uint64_t chunk = Align(std::max<uint64_t>(size + 8, 32), 16);
  image.WriteWord(at + 8, chunk | kInUse).WriteWord(at + chunk + 8, (rest - chunk) | kInUse);
  return at + kHeader;
}

uint64_t SizeOf(const RandomField& field, const std::vector<RandomStruct>& structs) {
  switch (field.kind) {
    case Kind::kInteger:
    case Kind::kFloat:
      return field.size;
    case Kind::kEnum:
      return 4;
    case Kind::kNumbers:
      return field.size * field.count;
    case Kind::kText:
      return field.count;
    case Kind::kNested:
      return structs[field.structure].size;
    case Kind::kObject:
    case Kind::kCode:
      return 8;
  }
  return 8;
}

void Layout(RandomStruct& record, const std::vector<RandomStruct>& structs) {
  uint64_t at = 0;
  for (RandomField& field : record.fields) {
    const bool plain =
        field.kind == Kind::kInteger || field.kind == Kind::kFloat || field.kind == Kind::kNumbers;
    const uint64_t alignment = plain                       ? field.size
                               : field.kind == Kind::kText ? 1
                               : field.kind == Kind::kEnum ? 4
                                                           : 8;
    field.offset = Align(at, alignment);
    at = field.offset + SizeOf(field, structs);
  }
  record.size = Align(at, 8);
}

}  // namespace

const RandomField* RandomStruct::Find(const std::string& field) const {
  const auto found = std::ranges::find(fields, field, &RandomField::name);
  return found == fields.end() ? nullptr : &*found;
}

RandomServer::RandomServer(uint64_t seed) : random_(seed) {
  const size_t count = Number(1, 4);
  for (size_t i = 0; i < count; ++i) before_.structs.push_back(MakeStruct(i));
  for (const RandomStruct& old : before_.structs) after_.structs.push_back(Edit(old));
  for (auto* version : {&before_, &after_}) {
    for (RandomStruct& record : version->structs) Layout(record, version->structs);
  }
  for (uint64_t i = 0; i < kVariables; ++i) {
    types_of_[fmt::format("variable{}", i)] = Number(0, count - 1);
  }
  for (uint64_t i = Number(1, 8); i > 0; --i) {
    types_of_[fmt::format("root{}", i)] = Number(0, count - 1);
  }
  Place(before_, false);
  Place(after_, true);
  AddTypes(before_, false);
  AddTypes(after_, true);
  MapFakeProgram(live_, kLive);
  MapLibrary(live_);
  MapRest(live_);
  BeginHeap(live_);
  MakeObjects();
}

uint64_t RandomServer::Number(uint64_t least, uint64_t most) {
  return std::uniform_int_distribution<uint64_t>(least, most)(random_);
}

RandomStruct RandomServer::MakeStruct(size_t index) {
  RandomStruct record{fmt::format("record{}", index), 0, {}};
  // Never zero: what is all zero may be taken for the unused rest of a block.
  record.fields.push_back({"id", Kind::kInteger, 8, true, 1, 0, 0});
  bool has_nested = index == 0;  // none, or enough: they add up
  for (uint64_t i = Number(1, 6); i > 0; --i) {
    RandomField field;
    field.name = fmt::format("field{}", i);
    field.kind = static_cast<Kind>(Number(0, 7));
    if (field.kind == Kind::kNested && has_nested) field.kind = Kind::kObject;
    has_nested = has_nested || field.kind == Kind::kNested;
    field.size = uint64_t{1} << Number(0, 3);
    if (field.kind == Kind::kFloat) field.size = Chance(50) ? 4 : 8;
    field.is_signed = Chance(50);
    field.count = Number(4, 6);
    field.structure = field.kind == Kind::kNested ? Number(0, index - 1) : Number(0, index);
    record.fields.push_back(field);
  }
  return record;
}

RandomStruct RandomServer::Edit(const RandomStruct& old) {
  RandomStruct record{old.name, 0, {}};
  if (Chance(20)) return old;
  for (RandomField field : old.fields) {
    const bool is_number = field.kind == Kind::kInteger || field.kind == Kind::kNumbers;
    // What a pointer may point into stays.
    if (field.name != "id" && field.kind != Kind::kNested && Chance(10)) continue;
    if (is_number && Chance(40)) field.size = uint64_t{1} << Number(0, 3);
    if (field.kind == Kind::kFloat && Chance(30)) field.size = 12 - field.size;
    if ((field.kind == Kind::kNumbers || field.kind == Kind::kText) && Chance(30)) {
      field.count = Number(4, 6);
    }
    record.fields.push_back(field);
  }
  for (uint64_t i = Number(0, 2); i > 0; --i) {
    record.fields.push_back(
        {fmt::format("added{}", i), Kind::kInteger, uint64_t{1} << Number(0, 3), true, 1, 0, 0});
  }
  if (Chance(50)) std::shuffle(record.fields.begin(), record.fields.end(), random_);
  return record;
}

void RandomServer::Place(RandomVersion& version, bool shuffled) {
  version.program = std::make_shared<FakeProgram>();
  for (uint64_t i = 0; i < kFunctions; ++i) {
    const uint64_t number = shuffled ? kFunctions - 1 - i : i;
    version.program->AddFunction(fmt::format("function{}", number),
                                 FileAddr(0x1100 + (shuffled ? i + 1 : i) * 0x40), 0x20);
  }
  std::vector<std::string> names;
  for (const auto& [name, type] : types_of_) names.push_back(name);
  if (shuffled) std::shuffle(names.begin(), names.end(), random_);
  FileAddr at(0x3010);
  for (const std::string& name : names) {
    version.variables[name] = at;
    const bool is_root = name.starts_with("root");
    at = at + (is_root ? 8 : version.structs[types_of_[name]].size) + 8 * Number(0, 2);
  }
}

// The structs first, so that their ids are known; then pointers to each; then the rest.
void RandomServer::AddTypes(RandomVersion& version, bool renumbered) {
  FakeProgram& program = *version.program;
  const auto first = static_cast<TypeId>(program.types().size());
  const auto structs = static_cast<TypeId>(version.structs.size());
  const TypeId function = first + 2 * structs, code = function + 1, enumeration = function + 2;
  std::vector<Type> more;  // behind these: numbers and arrays, as they come up
  const auto add = [&](Type type) {
    more.push_back(std::move(type));
    return static_cast<TypeId>(enumeration + more.size());
  };
  const auto number = [&](const RandomField& field) {
    const bool is_float = field.kind == Kind::kFloat;
    Type type{.kind = is_float ? TypeKind::kFloat : TypeKind::kInteger,
              .name = fmt::format("{}{}",
                                  is_float          ? "float"
                                  : field.is_signed ? "int"
                                                    : "unsigned",
                                  field.size * 8),
              .size = field.size,
              .is_signed = field.is_signed};
    return add(std::move(type));
  };
  const auto type_of = [&](const RandomField& field) -> TypeId {
    switch (field.kind) {
      case Kind::kInteger:
      case Kind::kFloat:
        return number(field);
      case Kind::kEnum:
        return enumeration;
      case Kind::kNumbers:
        return add({.kind = TypeKind::kArray,
                    .size = field.size * field.count,
                    .target = number(field),
                    .count = field.count});
      case Kind::kText: {
        const TypeId character =
            add({.kind = TypeKind::kInteger, .name = "char", .size = 1, .is_signed = true});
        return add({.kind = TypeKind::kArray,
                    .size = field.count,
                    .target = character,
                    .count = field.count});
      }
      case Kind::kNested:
        return first + static_cast<TypeId>(field.structure);
      case Kind::kObject:
        return first + structs + static_cast<TypeId>(field.structure);
      case Kind::kCode:
        return code;
    }
    return 0;
  };
  for (const RandomStruct& record : version.structs) {
    Type type{.kind = TypeKind::kStruct, .name = record.name, .size = record.size};
    for (const RandomField& field : record.fields) {
      type.members.push_back({.name = field.name, .type = type_of(field), .offset = field.offset});
    }
    program.AddType(std::move(type));
  }
  for (TypeId i = 0; i < structs; ++i) {
    program.AddType({.kind = TypeKind::kPointer, .size = 8, .target = first + i});
  }
  program.AddType({.kind = TypeKind::kFunction});
  program.AddType({.kind = TypeKind::kPointer, .size = 8, .target = function});
  Type numbers{.kind = TypeKind::kEnum, .name = "state", .size = 4};
  for (int64_t i = 0; i < 4; ++i) {
    numbers.enumerators.push_back({fmt::format("STATE{}", i), renumbered && i != 0 ? 9 - i : i});
  }
  program.AddType(std::move(numbers));
  for (Type& type : more) program.AddType(std::move(type));
  std::vector<std::pair<FileAddr, std::string>> variables;
  for (const auto& [name, at] : version.variables) variables.emplace_back(at, name);
  std::ranges::sort(variables);
  for (const auto& [at, name] : variables) {
    const auto type = static_cast<TypeId>(types_of_[name]);
    const bool is_root = name.starts_with("root");
    program.AddVariable(name, at, is_root ? 8 : version.structs[type].size,
                        first + type + (is_root ? structs : 0));
  }
}

void RandomServer::MakeObjects() {
  for (const auto& [name, structure] : types_of_) {
    if (!name.starts_with("root")) continue;
    const uint64_t count = Chance(30) ? Number(2, 3) : 1;
    const Addr at = Allocate(live_, before_.structs[structure].size * count);
    objects_.push_back({name, at, structure, count});
    live_.WriteWord(kLive + before_.variables[name].value(), at.value());
  }
  for (const Object& object : objects_) {
    for (uint64_t i = 0; i < object.count; ++i) {
      Fill(live_, kLive, object.at + i * before_.structs[object.structure].size, object.structure);
    }
  }
  for (const auto& [name, structure] : types_of_) {
    if (name.starts_with("root")) continue;
    Fill(live_, kLive, kLive + before_.variables[name].value(), structure);
  }
}

// Small numbers, so that all sizes of an integer hold them.
void RandomServer::Fill(FakeImage& image, Addr bias, Addr at, size_t structure) {
  for (const RandomField& field : before_.structs[structure].fields) {
    const auto write = [&](uint64_t index, uint64_t value) {
      image.Write(at + field.offset + index * field.size,
                  std::as_bytes(std::span(&value, 1)).first(field.size));
    };
    const auto any = [&] {
      const uint64_t number = Number(1, 100);
      return field.is_signed && Chance(50) ? ~number : number;
    };
    switch (field.kind) {
      case Kind::kInteger:
        write(0, any());
        break;
      case Kind::kNumbers:
        for (uint64_t i = 0; i < field.count; ++i) write(i, any());
        break;
      case Kind::kFloat:
        if (field.size == 4) {
          image.WriteValue(at + field.offset, static_cast<float>(Number(0, 100)) / 4);
        } else {
          image.WriteValue(at + field.offset, static_cast<double>(Number(0, 100)) / 4);
        }
        break;
      case Kind::kEnum:
        image.WriteValue(at + field.offset, static_cast<uint32_t>(Number(0, 3)));
        break;
      case Kind::kText:
        image.WriteString(at + field.offset, Chance(50) ? "abc" : "z");
        break;
      case Kind::kNested:
        Fill(image, bias, at + field.offset, field.structure);
        break;
      case Kind::kObject:
        image.WriteWord(at + field.offset, PointerTo(field.structure));
        break;
      case Kind::kCode:
        image.WriteWord(at + field.offset,
                        (bias + 0x1100 + Number(0, kFunctions - 1) * 0x40).value());
        break;
    }
  }
}

// To an object, an element of one, a variable, or a part of any of them; or to nothing.
uint64_t RandomServer::PointerTo(size_t structure) {
  std::vector<uint64_t> candidates = {0};
  if (objects_.empty()) return 0;
  const auto look = [&](auto& self, Addr at, size_t in) -> void {
    if (in == structure) candidates.push_back(at.value());
    for (const RandomField& field : before_.structs[in].fields) {
      if (field.kind == Kind::kNested) self(self, at + field.offset, field.structure);
    }
  };
  for (const Object& object : objects_) {
    for (uint64_t i = 0; i < object.count; ++i) {
      look(look, object.at + i * before_.structs[object.structure].size, object.structure);
    }
  }
  for (const auto& [name, type] : types_of_) {
    if (!name.starts_with("root")) look(look, kLive + before_.variables[name].value(), type);
  }
  return candidates[Number(0, candidates.size() - 1)];
}

checkpoint::FakeImage RandomServer::Start(Addr bias) {
  FakeImage image;
  MapFakeProgram(image, bias);
  MapLibrary(image);
  return image;
}

checkpoint::FakeImage RandomServer::Start(Addr bias, uint64_t seed) const {
  FakeImage image = Start(bias);
  MapRest(image);
  BeginHeap(image);
  RandomServer other = *this;
  other.random_.seed(seed);
  other.objects_.clear();
  for (const auto& [name, type] : types_of_) {
    if (name.starts_with("root")) continue;
    other.Fill(image, bias, bias + before_.variables.at(name).value(), type);
  }
  return image;
}

void RandomServer::CopyProgram(const checkpoint::FakeImage& from, Addr bias,
                               checkpoint::FakeImage& to) {
  MapFakeProgram(to, bias);
  std::vector<std::byte> data(0x2000);
  Read(from, bias + FakeProgram::kData.value(), data);
  to.Write(bias + FakeProgram::kData.value(), data);
}

std::vector<RandomServer::SharedPlace> RandomServer::SharedPlaces(
    const checkpoint::FakeImage& image, Addr bias, const std::vector<Addr>& changed) const {
  std::vector<SharedPlace> places;
  for (const auto& [name, type] : types_of_) {
    const Addr at = bias + after_.variables.at(name).value();
    if (name.starts_with("root")) {
      places.push_back({name, at, 8});
    } else {
      AddPlaces(name, at, type, places);
    }
  }
  for (const Object& object : objects_) {
    if (std::ranges::find(changed, object.at) == changed.end()) continue;
    const Addr root = bias + after_.variables.at(object.root).value();
    const Addr at(image.ReadValue<uint64_t>(root).value());
    for (uint64_t i = 0; i < object.count; ++i) {
      AddPlaces("*" + object.root, at + i * after_.structs[object.structure].size, object.structure,
                places);
    }
  }
  return places;
}

void RandomServer::AddPlaces(const std::string& name, Addr at, size_t structure,
                             std::vector<SharedPlace>& places) const {
  for (const RandomField& field : after_.structs[structure].fields) {
    const RandomField* old = before_.structs[structure].Find(field.name);
    if (old == nullptr) continue;
    const std::string path = name + "." + field.name;
    const uint64_t count = std::min(field.count, old->count);
    if (field.kind == Kind::kNested) {
      AddPlaces(path, at + field.offset, field.structure, places);
    } else if (field.kind == Kind::kText) {
      places.push_back({path, at + field.offset, count});
    } else if (field.kind == Kind::kNumbers) {
      places.push_back({path, at + field.offset, field.size * count});
    } else {
      places.push_back({path, at + field.offset, SizeOf(field, after_.structs)});
    }
  }
}

AppliedPlan Apply(const checkpoint::ProcessGraft& graft, const checkpoint::FakeImage& live) {
  AppliedPlan applied{FakeImage(), graft.mappings.front().range.begin(), graft.allocations};
  FakeImage& image = applied.image;
  MapFakeProgram(image, applied.bias);
  MapLibrary(image);
  MapRest(image);
  std::vector<std::byte> heap(kHeapSize);
  Read(live, RandomServer::kHeap, heap);
  image.Write(RandomServer::kHeap, heap);
  for (auto& allocation : applied.allocations)
    allocation.address = Allocate(image, allocation.size);
  const auto resolve = [&](Addr at) {
    for (const auto& allocation : applied.allocations) {
      const uint64_t offset = at.value() - allocation.placeholder.value();
      if (offset <= allocation.size) return allocation.address + offset;
    }
    return at;
  };
  for (const auto* writes : {&graft.writes, &graft.allocated_writes}) {
    for (const auto& entry : writes->entries())
      image.Write(resolve(entry.at), writes->bytes(entry));
  }
  for (const auto& word : graft.allocated_words) {
    image.WriteWord(resolve(word.at), resolve(word.value).value());
  }
  return applied;
}

namespace {

// Follows both processes from the same variable, side by side.
class Comparison {
 public:
  Comparison(const RandomVersion& layout, const RandomVersion& both, const FakeImage& first,
             Addr first_bias, const FakeImage& second, Addr second_bias)
      : layout_(layout),
        both_(both),
        first_(first),
        second_(second),
        first_bias_(first_bias),
        second_bias_(second_bias) {}

  std::string Struct(size_t index, Addr a, Addr b) {
    const auto [seen, is_new] = seen_.try_emplace({a, index}, b);
    if (!is_new) return seen->second == b ? "" : fmt::format("{} was taken apart", Hex(a));
    for (const RandomField& field : layout_.structs[index].fields) {
      const RandomField* other = both_.structs[index].Find(field.name);
      if (other == nullptr) continue;
      if (std::string found = Field(field, *other, a, b); !found.empty()) {
        return layout_.structs[index].name + "." + field.name + ": " + found;
      }
    }
    return "";
  }

  std::string Pointer(size_t index, uint64_t a, uint64_t b) {
    if ((a == 0) != (b == 0)) return fmt::format("{} became {}", Hex(a), Hex(b));
    return a == 0 ? "" : Struct(index, Addr(a), Addr(b));
  }

  static uint64_t Word(const FakeImage& image, Addr at) {
    return image.ReadValue<uint64_t>(at).value();
  }

 private:
  std::string Field(const RandomField& field, const RandomField& other, Addr a, Addr b) {
    a = a + field.offset;
    b = b + field.offset;
    switch (field.kind) {
      case Kind::kNested:
        return Struct(field.structure, a, b);
      case Kind::kObject:
        return Pointer(field.structure, Word(first_, a), Word(second_, b));
      case Kind::kCode: {
        const uint64_t to_a = Word(first_, a) - first_bias_.value();
        const uint64_t to_b = Word(second_, b) - second_bias_.value();
        return to_a == to_b ? "" : fmt::format("{} became {}", Hex(to_a), Hex(to_b));
      }
      case Kind::kText:
        return Bytes(a, b, std::min(field.count, other.count));
      case Kind::kNumbers:
        return Bytes(a, b, std::min(field.count, other.count) * field.size);
      default:
        return Bytes(a, b, SizeOf(field, layout_.structs));
    }
  }

  std::string Bytes(Addr a, Addr b, uint64_t size) const {
    std::vector<std::byte> one(size), two(size);
    Read(first_, a, one);
    Read(second_, b, two);
    return one == two ? "" : fmt::format("other bytes at {} and {}", Hex(a), Hex(b));
  }

  const RandomVersion& layout_;
  const RandomVersion& both_;
  const FakeImage& first_;
  const FakeImage& second_;
  Addr first_bias_, second_bias_;
  std::map<std::pair<Addr, size_t>, Addr> seen_;
};

}  // namespace

std::string Difference(const RandomServer& server, const RandomVersion& layout,
                       const RandomVersion& both, const checkpoint::FakeImage& first,
                       Addr first_bias, const checkpoint::FakeImage& second, Addr second_bias) {
  Comparison comparison(layout, both, first, first_bias, second, second_bias);
  for (const auto& [name, place] : layout.variables) {
    const Addr a = first_bias + place.value(), b = second_bias + place.value();
    const size_t type = server.StructOf(name);
    const std::string found =
        name.starts_with("root")
            ? comparison.Pointer(type, Comparison::Word(first, a), Comparison::Word(second, b))
            : comparison.Struct(type, a, b);
    if (!found.empty()) return name + ": " + found;
  }
  return "";
}

}  // namespace mcr::mutator
