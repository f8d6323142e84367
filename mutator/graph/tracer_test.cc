// Tracing over memory made by hand: a program of two variables, a heap of a few blocks.
#include "mutator/graph/tracer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mutator/merge/fake_program.h"

namespace mcr::mutator {
namespace {

constexpr Addr kBias(0x550000000000), kHeap(0x550100000000);

class TracerTest : public testing::Test {
 protected:
  TracerTest() {
    image_.MapAnonymous(kBias + FakeProgram::kData.value(), 0x2000)
        .MapAnonymous(kHeap, 0x4000, "[heap]");
  }

  TypeId AddBoth(const Type& type) {
    after_.AddType(type);
    return before_.AddType(type);
  }
  // struct NAME { long number; struct NAME* next; }; 8 bytes longer in the new version if `grows`.
  TypeId AddNode(const std::string& name, bool grows) {
    const TypeId pointer = AddBoth({.kind = TypeKind::kPointer, .size = 8, .target = long_ + 2});
    Type node{.kind = TypeKind::kStruct,
              .name = name,
              .size = 40,
              .members = {{.name = "number", .type = long_, .offset = 0},
                          {.name = "next", .type = pointer, .offset = 8}}};
    const TypeId id = before_.AddType(node);
    if (grows) node.size = 48;
    if (grows) node.members.push_back({.name = "added", .type = long_, .offset = 40});
    after_.AddType(node);
    return id;
  }
  Addr Block(uint64_t offset, uint64_t size) {
    chunks_.push_back({*Range<Addr>::FromSize(kHeap + offset, size), true, false});
    return chunks_.back().payload.begin();
  }
  ObjectGraph Trace(TypeId root, Addr at) {
    recipes_.emplace(before_.types(), after_.types(), annotations_);
    snapshot_.emplace(image_);
    Tracer tracer(*snapshot_, before_, kBias, *recipes_, chunks_);
    tracer.AddRoot(at, recipes_->Get(root), "root");
    return tracer.Finish();
  }

  // struct block { char* last; struct block* next; }, the header of the blocks of a region that
  // `take(struct block*, long)` gives out of.
  TypeId AddBlocks() {
    const TypeId pointer = AddBoth({.kind = TypeKind::kPointer, .size = 8, .target = 0});
    const auto id = static_cast<TypeId>(before_.types().size());
    const TypeId to_block = AddBoth({.kind = TypeKind::kPointer, .size = 8, .target = id + 1});
    AddBoth({.kind = TypeKind::kStruct,
             .name = "block",
             .size = 16,
             .members = {{.name = "last", .type = pointer, .offset = 0},
                         {.name = "next", .type = to_block, .offset = 8}}});
    const TypeId take = AddBoth({.kind = TypeKind::kFunction, .parameters = {to_block, long_}});
    before_.AddFunction("take", FakeProgram::kText, 0x10, take);
    profiles::Region& region = *annotations_.add_region();
    region.set_type("block");
    region.set_next("next");
    region.set_end("last");
    region.set_allocate("take");
    region.set_size_argument(1);
    return to_block;
  }
  // struct holder { struct block* region; struct node* nodes; }.
  TypeId AddHolder(TypeId node) {
    const TypeId blocks = AddBlocks();
    return AddBoth({.kind = TypeKind::kStruct,
                    .name = "holder",
                    .size = 16,
                    .members = {{.name = "region", .type = blocks, .offset = 0},
                                {.name = "nodes", .type = node - 1, .offset = 8}}});
  }
  // One of 200 bytes that gave out `used` bytes behind its header.
  Addr RegionBlock(uint64_t offset, uint64_t used) {
    const Addr block = Block(offset, 200);
    image_.WriteWord(block, (block + 16 + used).value());
    return block;
  }

  FakeProgram before_, after_;
  profiles::Annotations annotations_;
  const TypeId long_ =
      AddBoth({.kind = TypeKind::kInteger, .name = "long", .size = 8, .is_signed = true});
  checkpoint::FakeImage image_;
  std::vector<HeapChunk> chunks_;
  std::optional<RecipeBook> recipes_;
  std::optional<Snapshot> snapshot_;
  const Addr root_ = kBias + FakeProgram::kData.value();
};

TEST_F(TracerTest, ListsAreFollowedToTheirEnd) {
  const TypeId node = AddNode("node", true);
  const TypeId pointer = node - 1;
  const Addr first = Block(0x10, 40), second = Block(0x40, 40);
  Block(0x70, 40);  // nothing points to it
  image_.WriteWord(root_, first.value()).WriteWord(first + 8, second.value());
  const ObjectGraph graph = Trace(pointer, root_);
  EXPECT_TRUE(graph.problems.empty());
  ASSERT_EQ(graph.objects.size(), 2u);
  EXPECT_EQ(graph.objects[0].memory.begin(), first);
  EXPECT_EQ(graph.objects[1].memory.begin(), second);
  EXPECT_EQ(graph.objects[0].recipe->before, node);
  EXPECT_EQ(graph.objects[0].count, 1u);
  EXPECT_EQ(*graph.objects[1].found_by, "node.next");
}

TEST_F(TracerTest, FreedMemoryIsNoObject) {
  const TypeId node = AddNode("node", true);
  const Addr first = Block(0x10, 40);
  chunks_.back().in_use = false;
  image_.WriteWord(root_, first.value());
  EXPECT_TRUE(Trace(node - 1, root_).objects.empty());
}

TEST_F(TracerTest, BlockThatIsTooLargeForItsTypeIsAProblemIfThatChanges) {
  const TypeId node = AddNode("node", true);
  image_.WriteWord(root_, Block(0x10, 72).value());
  const ObjectGraph graph = Trace(node - 1, root_);
  EXPECT_TRUE(graph.objects.empty());
  ASSERT_EQ(graph.problems.size(), 1u);
  EXPECT_NE(graph.problems[0].text.find("`root`"), std::string::npos);
}

TEST_F(TracerTest, SameBlockOfATypeThatDoesNotChangeIsLeftAlone) {
  const TypeId node = AddNode("node", false);
  image_.WriteWord(root_, Block(0x10, 72).value());
  const ObjectGraph graph = Trace(node - 1, root_);
  EXPECT_TRUE(graph.problems.empty());
  ASSERT_EQ(graph.untyped.size(), 1u);
  EXPECT_TRUE(graph.untyped[0].precise);
}

TEST_F(TracerTest, PointerBehindABlockIsNoOtherObject) {
  const TypeId node = AddNode("node", true);
  const Addr first = Block(0x10, 40);
  Block(0x40, 40);
  image_.WriteWord(root_, (first + 40).value());
  const ObjectGraph graph = Trace(node - 1, root_);
  EXPECT_TRUE(graph.objects.empty());
  EXPECT_TRUE(graph.problems.empty());
  ASSERT_EQ(graph.untyped.size(), 1u);
  EXPECT_EQ(graph.untyped[0].memory.begin(), first);
}

TEST_F(TracerTest, SmallValuesBehindTheFirstCountUnlessAllIsZero) {
  const TypeId pointer = AddBoth({.kind = TypeKind::kPointer, .size = 8, .target = long_});
  const Addr block = Block(0x10, 24);
  image_.WriteWord(root_, block.value()).WriteWord(block, 7);
  ASSERT_EQ(Trace(pointer, root_).objects.size(), 1u);
  EXPECT_EQ(Trace(pointer, root_).objects[0].count, 1u);
  image_.WriteWord(block + 16, 9);
  EXPECT_EQ(Trace(pointer, root_).objects[0].count, 3u);
}

TEST_F(TracerTest, PiecesOfARegionAreObjectsOfTheirOwn) {
  const TypeId node = AddNode("node", true);
  const TypeId holder = AddHolder(node);
  const Addr block = RegionBlock(0x10, 80), first = block + 16, second = block + 56;
  image_.WriteWord(root_, block.value()).WriteWord(root_ + 8, second.value());
  image_.WriteWord(second + 8, first.value());
  const ObjectGraph graph = Trace(holder, root_);
  EXPECT_TRUE(graph.problems.empty());
  ASSERT_EQ(graph.objects.size(), 3u);  // the header as well
  for (const Object& object : {graph.objects[1], graph.objects[2]}) {
    EXPECT_EQ(object.recipe->before, node);
    EXPECT_EQ(object.memory.size(), 40u);
    ASSERT_TRUE(object.region.has_value());
    EXPECT_EQ(object.region->region, block);
    EXPECT_EQ(object.region->allocate, FakeProgram::kText);
  }
}

TEST_F(TracerTest, ContainersElementsAreOfTheTypeThatTheirFieldTells) {
  AddNode("node", true);
  const TypeId node = static_cast<TypeId>(before_.types().size()) - 1;
  const TypeId anything = AddBoth({.kind = TypeKind::kPointer, .size = 8, .target = 0});
  const auto id = static_cast<TypeId>(before_.types().size());
  const TypeId to_part = AddBoth({.kind = TypeKind::kPointer, .size = 8, .target = id + 1});
  const TypeId part = AddBoth({.kind = TypeKind::kStruct,
                               .name = "part",
                               .size = 24,
                               .members = {{.name = "elements", .type = anything, .offset = 0},
                                           {.name = "count", .type = long_, .offset = 8},
                                           {.name = "next", .type = to_part, .offset = 16}}});
  const TypeId list = AddBoth({.kind = TypeKind::kStruct,
                               .name = "list",
                               .size = 32,
                               .members = {{.name = "room", .type = long_, .offset = 0},
                                           {.name = "part", .type = part, .offset = 8}}});
  const TypeId root = AddBoth({.kind = TypeKind::kStruct,
                               .name = "root",
                               .size = 32,
                               .members = {{.name = "items", .type = list, .offset = 0}}});
  profiles::Container& container = *annotations_.add_container();
  container.set_type("list");
  container.set_elements("part.elements");
  container.set_count("part.count");
  container.set_next("part.next");
  container.set_room("room");
  container.add_field("root.items");
  container.set_of("node");
  const Addr first = Block(0x10, 120), next = Block(0xa0, 24), second = Block(0xd0, 120);
  const Addr at = kBias + FakeProgram::kData.value();
  image_.WriteWord(at, 3).WriteWord(at + 8, first.value()).WriteWord(at + 16, 3);
  image_.WriteWord(at + 24, next.value());
  image_.WriteWord(next, second.value()).WriteWord(next + 8, 1);
  const ObjectGraph graph = Trace(root, at);
  ASSERT_TRUE(graph.problems.empty());
  const Object* elements = graph.Find(first);
  ASSERT_NE(elements, nullptr);
  EXPECT_EQ(elements->recipe->before, node);
  EXPECT_EQ(elements->count, 3u);
  EXPECT_EQ(elements->spare, 0u);
  elements = graph.Find(second);
  ASSERT_NE(elements, nullptr);
  EXPECT_EQ(elements->count, 3u);
  EXPECT_EQ(elements->spare, 2u);
}

TEST_F(TracerTest, ArrayThatAnAnnotationTellsIsNoPartOfSomethingElse) {
  const TypeId anything = AddBoth({.kind = TypeKind::kPointer, .size = 8, .target = 0});
  const TypeId array = AddBoth({.kind = TypeKind::kPointer, .size = 8, .target = anything});
  const TypeId module = AddBoth({.kind = TypeKind::kStruct,
                                 .name = "module",
                                 .size = 8,
                                 .members = {{.name = "index", .type = long_, .offset = 0}}});
  const TypeId root = AddBoth({.kind = TypeKind::kStruct,
                               .name = "request",
                               .size = 8,
                               .members = {{.name = "contexts", .type = array, .offset = 0}}});
  profiles::Indexed& annotation = *annotations_.add_indexed();
  annotation.set_field("request.contexts");
  annotation.set_index("module.index");
  annotation.set_length("count");
  const FileAddr first = FakeProgram::kData + 0x100, second = first + 8, count = first + 16;
  checkpoint::FakeImage next;
  next.MapAnonymous(kBias + FakeProgram::kData.value(), 0x2000);
  for (FakeProgram* program : {&before_, &after_}) {
    program->AddVariable("gzip", first, 8, module);
    program->AddVariable("proxy", second, 8, module);
    program->AddVariable("count", count, 8, long_);
    checkpoint::FakeImage& image = program == &before_ ? image_ : next;
    image.WriteWord(kBias + (program == &before_ ? second : first).value(), 1);
    image.WriteWord(kBias + count.value(), 2);
  }
  const Addr block = Block(0x10, 24), other = Block(0x40, 104);
  const Addr at = kBias + FakeProgram::kData.value();
  for (const Addr to : {block, other + 8}) {
    image_.WriteWord(at, to.value());
    recipes_.emplace(before_.types(), after_.types(), annotations_);
    snapshot_.emplace(image_);
    const Snapshot now(next);
    const IndexedArrays indexed({before_, kBias, *snapshot_}, {after_, kBias, now}, *recipes_);
    Tracer tracer(*snapshot_, before_, kBias, *recipes_, chunks_);
    tracer.Use(indexed);
    tracer.AddRoot(at, recipes_->Get(root), "root");
    const ObjectGraph graph = tracer.Finish();
    EXPECT_EQ(graph.problems.empty(), to == block);
    const Object* found = graph.Find(block);
    if (to == block) {
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->recipe->indexed, "request.contexts");
      EXPECT_EQ(found->count, 1u);
    }
  }
}

TEST_F(TracerTest, WhatFollowsAPieceOfAChangedTypeMayBeAnother) {
  const TypeId node = AddNode("node", true);
  const TypeId holder = AddHolder(node);
  const Addr block = RegionBlock(0x10, 80), first = block + 16;
  image_.WriteWord(root_, block.value()).WriteWord(root_ + 8, first.value());
  image_.WriteWord(first + 40, 7);
  const ObjectGraph graph = Trace(holder, root_);
  ASSERT_EQ(graph.problems.size(), 1u);
  EXPECT_NE(graph.problems[0].text.find("annotation: length of `holder.nodes`"), std::string::npos);
}

}  // namespace
}  // namespace mcr::mutator
