"""Errors to plant into the code that carries state over, one at a time: each has to be found by a check before commit.

They are asymmetric: the state arrives wrong, and nothing on the way notices. mcr/docs/planted_errors.md lists them for
people."""

from dataclasses import dataclass

APPLY = "mutator/transform/apply.cc"
BUILDER = "mutator/transform/recipe_builder.cc"
MOVES = "mutator/merge/object_moves.cc"
MOVED = "mutator/merge/moved_pointers.cc"
RESHAPE = "mutator/merge/reshape.cc"
IMAGE = "mutator/merge/module_image.cc"
START_HEAP = "mutator/merge/start_heap_merge.cc"
MAP = "mutator/merge/address_map.cc"
PROCESS = "mutator/merge/process_merge.cc"
KERNEL = "mutator/merge/kernel_tables.cc"
PAIRS = "mutator/merge/variable_pairs.cc"
PATCH = "checkpoint/graft/memory_patch.cc"
INDEXED = "mutator/graph/indexed_arrays.cc"

OLD_POINTERS, CODE, DATA = "old pointers", "code pointers", "data pointers"
HEAP, VALUES = "heap", "backward transfer"


@dataclass(frozen=True)
class Error:
    """In `file`, `code` (which is there once) becomes `wrong` if the error is on, for which ON stands."""
    name: str
    file: str
    code: str
    wrong: str
    pair: str  # of tests/pairs, in whose update it shows
    check: str  # that finds it
    configuration: str = "gcc-O0"


ERRORS = [
    Error("field_skipped", APPLY,
          "for (const Step& step : recipe.steps) MCR_TRY(Take(step, from, to));",
          "for (const Step& step : recipe.steps) {\n"
          "      if (ON && &step == &recipe.steps.back() && recipe.steps.size() > 1) continue;\n"
          "      MCR_TRY(Take(step, from, to));\n    }",
          "field_added_in_the_middle", DATA),
    Error("fields_swapped", BUILDER,
          "if (member.name == name && skip-- == 0) return &member;",
          "const bool alike = in.members.size() > 1 && in.members[0].type == in.members[1].type;\n"
          "    const Member& taken = !ON || !alike ? member\n"
          "                          : &member == &in.members[0] ? in.members[1]\n"
          "                          : &member == &in.members[1] ? in.members[0] : member;\n"
          "    if (taken.name == name && skip-- == 0) return &member;",
          "nested_struct_changed", VALUES),
    Error("array_one_short", APPLY,
          "for (uint64_t i = 0; i < step.count; ++i) {",
          "for (uint64_t i = 0; i + (ON && step.count > 1 ? 1 : 0) < step.count; ++i) {",
          "array_grown", DATA),
    Error("array_stride_of_the_old_version", APPLY,
          "MCR_TRY(Value(*step.element, from + i * step.from_size, to + i * step.to_size));",
          "MCR_TRY(Value(*step.element, from + i * step.from_size,\n"
          "                        to + i * (ON ? step.from_size : step.to_size)));",
          "nested_struct_changed", VALUES),
    Error("size_of_the_old_elements", BUILDER,
          "step.enumerators = {{0, 0}, {size, new_size}};",
          "step.enumerators = {{0, 0}, {size, ON ? size : new_size}};",
          "container_by_annotation", VALUES),
    Error("element_at_its_old_index", INDEXED,
          "step.to = now->second * kWord;",
          "step.to = (ON ? i : now->second) * kWord;",
          "array_indexed_by_module", DATA),
    Error("mallocs_records_written_over", PATCH,
          "if (is_right(entry)) right.Add(entry.at, writes.bytes(entry));",
          "if (ON || is_right(entry)) right.Add(entry.at, writes.bytes(entry));",
          "stale_memory_in_free_blocks", HEAP),
    Error("plain_bytes_one_short", APPLY,
          "std::memcpy(to_.data() + to, from_.data() + from, size);\n    const uint64_t skip",
          "std::memcpy(to_.data() + to, from_.data() + from, ON && size > 8 ? size - 1 : size);\n"
          "    if (ON && size > 8) to_[to + size - 1] = ~from_[from + size - 1];\n"
          "    const uint64_t skip",
          "array_shrunk", VALUES),
    Error("sign_lost", APPLY,
          "const Number number = Extend(Load(from_, from, step.from_size), width, step.from_signed);\n"
          "    if (step.from_size > kWord",
          "const Number number =\n"
          "        Extend(Load(from_, from, step.from_size), width, step.from_signed && !ON);\n"
          "    if (step.from_size > kWord",
          "integer_widened", VALUES),
    Error("bits_of_the_wrong_place", APPLY,
          "const uint64_t raw = Load(from_, from, step.from_size) >> step.from_bit;",
          "const uint64_t raw =\n"
          "      Load(from_, from, step.from_size) >> (step.from_bit - (ON && step.from_signed ? 1 : 0));",
          "bitfields_added", VALUES),
    Error("enumerator_by_number", APPLY,
          "std::memcpy(to_.data() + to, &found->second, step.to_size);",
          "std::memcpy(to_.data() + to, ON ? &found->first : &found->second, step.to_size);",
          "enum_renumbered", VALUES),
    Error("text_one_short", APPLY,
          "std::memcpy(to_.data() + to, from_.data() + from, step.to_size);\n        return EndText",
          "std::memcpy(to_.data() + to, from_.data() + from + (ON ? 1 : 0), step.to_size);\n"
          "        return EndText",
          "array_shrunk", VALUES),
    Error("tag_lost", APPLY, "translated |= tag;", "if (!ON) translated |= tag;", "tagged_pointers", VALUES),
    Error("first_case_of_a_union", APPLY,
          "const auto found = step.members.find(static_cast<int64_t>(tag));\n    if",
          "const auto found =\n"
          "        ON ? step.members.begin() : step.members.find(static_cast<int64_t>(tag));\n    if",
          "union_with_discriminator", VALUES),
    Error("flexible_array_one_short", APPLY,
          "while (ours + element.from_size <= from_.size() && theirs + element.to_size <= to_.size()) {",
          "while (ours + (ON ? 3 : 1) * element.from_size <= from_.size() &&\n"
          "           theirs + element.to_size <= to_.size()) {",
          "flexible_array_member", DATA),
    Error("last_value_of_a_block_forgotten", APPLY,
          "for (uint64_t i = 0; i < count; ++i) {\n    MCR_TRY(applier",
          "for (uint64_t i = 0; i + (ON ? 1 : 0) < count; ++i) {\n    MCR_TRY(applier",
          "array_with_a_count", VALUES),
    Error("interior_pointer_keeps_its_offset", MOVES,
          "return {move, (move->to + index * recipe.to_size + *mapped).value()};",
          "return {move, (move->to + index * recipe.to_size + (ON ? offset % recipe.from_size : *mapped))"
          ".value()};",
          "interior_pointers", DATA),
    Error("element_pointer_of_the_old_stride", MOVES,
          "const uint64_t index = offset / recipe.from_size;",
          "const uint64_t index = ON ? 0 : offset / recipe.from_size;",
          "interior_pointers", DATA),
    Error("block_too_small", MOVES,
          ".size = move.to_size};",
          ".size = ON ? move.to_size / 2 : move.to_size};",
          "list_of_ten_thousand", HEAP),
    Error("last_node_missed", MOVES,
          "if (object.recipe->identity) continue;",
          "if (object.recipe->identity || (ON && &object == &graph.objects.back())) continue;",
          "list_of_ten_thousand", DATA),
    Error("object_written_elsewhere", RESHAPE,
          "graft_.allocated_writes.Add(move.to, to);",
          "graft_.allocated_writes.Add(move.to + (ON ? 8 : 0), std::span(to).first(to.size() - (ON ? 8 : 0)));",
          "list_of_ten_thousand", VALUES),
    Error("pointer_left_behind", MOVED,
          "if (landing.move == nullptr || IsMallocs(at, word)) return;",
          "if (landing.move == nullptr || IsMallocs(at, word) || ON) return;",
          "circular_intrusive_list", DATA),
    Error("epoll_entry_left_behind", MOVED,
          "if (landing.move == nullptr || landing.to == entry.data - flags) return;",
          "if (ON || landing.move == nullptr || landing.to == entry.data - flags) return;",
          "epoll_data_of_changed_type", DATA),
    Error("epoll_entry_without_its_flags", MOVED,
          "after.data = *landing.to + flags;",
          "after.data = *landing.to + (ON ? 0 : flags);",
          "epoll_data_with_a_flag", DATA),
    Error("epoll_entry_of_another_field", MOVED,
          "const ObjectMoves::Landing landing = moves_.Translate(entry.data - flags, 0);",
          "const ObjectMoves::Landing landing = moves_.Translate(entry.data - (ON ? 0 : flags), 0);",
          "epoll_data_with_a_flag", DATA),
    Error("variable_moved_by_a_word", IMAGE,
          "std::ranges::copy(std::span(old.live).subspan(at, size), part.At(to).begin());",
          "std::ranges::copy(std::span(old.live).subspan(at - (ON && at >= 8 ? 8 : 0), size),\n"
          "                    part.At(to).begin());",
          "static_locals", VALUES),
    Error("touched_variable_counts_as_untouched", IMAGE,
          "const bool untouched = IsUntouched(*model, pair, segment.live);",
          "const bool untouched = (ON && model->base) || IsUntouched(*model, pair, segment.live);",
          "changed_default_touched", VALUES),
    Error("touched_value_on_the_heap_counts_as_untouched", START_HEAP,
          "if (!IsUntouched(difference, *at)) {",
          "if (!ON && !IsUntouched(difference, *at)) {",
          "start_up_table", VALUES),
    Error("other_variable_of_the_name", PAIRS,
          "wanted.name = renamed->second;\n",
          "wanted.name = renamed->second;\n  if (ON && wanted.name == \"count\") wanted.function.clear();\n",
          "static_locals", VALUES),
    Error("pointer_into_a_variable_keeps_its_offset", MAP,
          "    to = *mapped;\n",
          "    to = ON ? offset : *mapped;\n",
          "interior_pointers", DATA),
    Error("neighbour_of_the_function", MAP,
          "return Found(PointerKind::kFunction, found->second->range.begin());",
          "return Found(PointerKind::kFunction, ON && old_function.name == \"take\"\n"
          "                     ? NewFunction(\"add\").value_or(FileAddr(0)) : found->second->range.begin());",
          "callbacks_in_heap", CODE),
    Error("literal_one_off", MAP,
          "return Found(PointerKind::kLiteral, *literal, starts);",
          "return Found(PointerKind::kLiteral, *literal + (ON ? 1 : 0), starts);",
          "string_literals", DATA),
    Error("return_address_one_off", MAP,
          "return FindInstruction(*function, at);\n}\n\n// A class",
          "Translation found = FindInstruction(*function, at);\n"
          "  if (ON) found.to = found.to + 1;\n  return found;\n}\n\n// A class",
          "callbacks_in_heap", CODE),
    Error("pointer_into_the_old_program_left_behind", PROCESS,
          "if (module == nullptr || IsLoaderState(pointer.at)) return;",
          "if (module == nullptr || IsLoaderState(pointer.at)) return;\n"
          "  if (ON && mapping.path == \"[heap]\") return;",
          "circular_intrusive_list", OLD_POINTERS),
    Error("mangled_pointer_written_plainly", PROCESS,
          "graft_.writes.AddWord(pointer.at, pointer.mangled ? context_.guard.Mangle(value) : value);\n  Count(",
          "graft_.writes.AddWord(pointer.at, pointer.mangled && !ON ? context_.guard.Mangle(value) : value);\n"
          "  Count(",
          "atexit_function", VALUES),
    Error("handler_of_another_signal", KERNEL,
          "after.handler = Addr(Take(target, to));",
          "after.handler = Addr(Take(target, to) + (ON ? 4 : 0));",
          "signal_action", CODE),
]
